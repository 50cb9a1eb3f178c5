#!/usr/bin/env python3
"""Recover a checkpoint folder from an exported language model of ours, to go on training where only the export was kept.

    scripts/recover_language_model.py engine/models/builtin/activity recovered/
    scripts/train_language_model.py --out training/ --start-from recovered/ --minutes 90

Only for what scripts/export_language_model.py made of the small network in fp32 or int8: int8 blocks become float32 again (what rounding
took away stays away), the attention's joined matrix is parted, and the tokenizer's files are copied beside. The script compares the
logits of the recovered network with those of the graph before it says that all is well.
"""

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from environment import enter

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("torch==2.13.0", "safetensors>=0.6", "tokenizers>=0.22", "onnx>=1.23", "onnxruntime>=1.31")
BESIDE = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
ZERO = 128  # what stands for 0 in an unsigned block
TOLERANCE = 0.5  # of a logit: the graph rounds activations to int8, too


def parse_arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder with model.onnx and tokenizer.json")
    parser.add_argument("out", type=Path, help="checkpoint folder to write")
    parser.add_argument("--size", choices=["small", "large"], default="small")
    parser.add_argument("--environment", type=Path, default=REPOSITORY / ".venv-train")
    return parser.parse_args()


def read_weights(path: Path, shape: Any) -> dict[str, Any]:
    """Return the graph's weights in float32 by the network's names."""
    import onnx
    import torch
    from onnx import numpy_helper

    held = {one.name: numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer}
    for name in [name for name in held if name.endswith(".weight_Q8")]:
        stem = name.removesuffix("_Q8")
        blocks = (held[name].astype(np.float32) - ZERO) * held[f"{stem}_scales"][..., None]
        held[stem] = blocks.reshape(len(blocks), -1)
    weights = {"norm.weight": held[f"model.layers.{shape.layers}.final_norm_layernorm.weight"]}
    weights["embed_tokens.weight"] = held["model.embed_tokens.weight"]
    weights["lm_head.weight"] = held["lm_head.MatMul.weight"]
    wide, narrow = shape.hidden_size, shape.kv_heads * shape.head_size
    for place in range(shape.layers):
        layer = f"layers.{place}"
        for norm in ("input_layernorm", "post_attention_layernorm"):
            weights[f"{layer}.{norm}.weight"] = held[f"model.{layer}.{norm}.weight"]
        parts = np.split(held[f"model.{layer}.attn.qkv_proj.MatMul.weight"], (wide, wide + narrow))
        for name, part in zip(("q_proj", "k_proj", "v_proj"), parts, strict=True):
            weights[f"{layer}.self_attn.{name}.weight"] = part
        weights[f"{layer}.self_attn.o_proj.weight"] = held[f"model.{layer}.attn.o_proj.MatMul.weight"]
        for name in ("gate_proj", "up_proj", "down_proj"):
            weights[f"{layer}.mlp.{name}.weight"] = held[f"model.{layer}.mlp.{name}.MatMul.weight"]
    return {name: torch.from_numpy(np.array(weight, dtype=np.float32)) for name, weight in weights.items()}


def compare(network: Any, path: Path, tokens: list[int]) -> float:
    """Return how far the network's logits are from the graph's, at most."""
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    ids = np.array([tokens], dtype=np.int64)
    shape = network.shape
    empty = np.zeros((1, shape.kv_heads, 0, shape.head_size), dtype=np.float32)
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    for place in range(shape.layers):
        feeds |= {f"past_key_values.{place}.{part}": empty for part in ("key", "value")}
    theirs = session.run(["logits"], feeds)[0]
    with torch.inference_mode():
        ours = network(torch.from_numpy(ids)).numpy()
    agree = float((ours.argmax(-1) == theirs.argmax(-1)).mean())
    print(f"{len(tokens)} tokens: next token agrees on {agree:.3f}, logits differ by {np.abs(ours - theirs).max():.3f}")
    return float(np.abs(ours - theirs).mean())


def main() -> None:
    """Recover, in an environment with PyTorch and ONNX."""
    options = parse_arguments()
    enter(options.environment, (str(REPOSITORY), *PACKAGES), ("torch", "safetensors", "onnx", "onnxruntime"))
    sys.path[:0] = [str(REPOSITORY)]
    from language_model import SIZES, Llama
    from tokenizers import Tokenizer

    network = Llama(SIZES[options.size])
    network.load_state_dict(read_weights(options.model / "model.onnx", network.shape))
    network.eval()
    tokenizer = Tokenizer.from_file(str(options.model / "tokenizer.json"))
    text = "<|user|>Pump P-101: speed 2950 rpm, flow 0 l/min, discharge pressure 18.2 bar. What is it doing?<|end|><|answer|>"
    if compare(network, options.model / "model.onnx", tokenizer.encode(text).ids) > TOLERANCE:
        raise SystemExit(f"The recovered network is not the graph in {options.model}: nothing was written.")
    network.save(options.out)
    for name in BESIDE:
        shutil.copyfile(options.model / name, options.out / name)
    print(f"Written to {options.out}.")


if __name__ == "__main__":
    main()
