#!/usr/bin/env python3
"""Export a Hugging Face checkpoint folder to a language model folder, ready for `engine models add`.

    scripts/export_language_model.py checkpoint/ exported/ --precision int8
    engine models add exported/ --name my-model

The checkpoint is a folder on this disk: config.json, weights as safetensors, tokenizer.json. The graph is made by onnxruntime-genai's
model builder, which is no dependency of the engine: where it is not installed, the script makes an environment of its own for it
(`--environment`) and starts again in there; the second time this costs nothing. Nothing is fetched for the model itself.

Precisions: fp32; fp16 for GPUs; int8 and int4 quantise the weights in blocks of 32, the output layer of int4 in int8.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from environment import enter

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = (
    "onnxruntime-genai==0.18.0",
    "onnx>=1.23",
    "onnx-ir>=1.1",
    "torch==2.13.0",
    "transformers>=5.23",
    "safetensors>=0.6",
)
BESIDE = (
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "generation_config.json",
    "special_tokens_map.json",
)
TEXTS = ("LICENSE*", "LICENCE*", "NOTICE*", "README*", "card.md", "USE_POLICY*")


def parse_arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="folder with config.json, weights and tokenizer.json")
    parser.add_argument("out", type=Path, help="folder to write; it must be new or empty")
    parser.add_argument("--precision", choices=["fp32", "fp16", "int8", "int4"], default="fp32")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="whose operators the graph uses")
    parser.add_argument("--environment", type=Path, default=REPOSITORY / ".venv-export-language")
    return parser.parse_args()


def build(options: argparse.Namespace) -> None:
    """Run the builder and put the tokenizer's and the licence's files beside the graph."""
    missing = [name for name in ("config.json", "tokenizer.json") if not (options.checkpoint / name).is_file()]
    if missing:
        raise SystemExit(f"{options.checkpoint} is no checkpoint folder: it has no {' and no '.join(missing)}.")
    if options.out.exists() and any(options.out.iterdir()):
        raise SystemExit(f"{options.out} is not empty.")
    extra = ["prune_lm_head=true"]  # a prompt needs the logits of its last token only
    if options.precision in ("int4", "int8"):
        extra += ["block_size=32", "accuracy_level=4"]
        if options.precision == "int4":
            extra.append("algo_config=k_quant_last")
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", str(options.checkpoint)]
        command += ["-o", str(options.out), "-p", options.precision, "-e", options.device, "-c", cache]
        command += ["--extra_options", *extra]
        done = subprocess.run(
            command, env=os.environ | {"HF_HUB_OFFLINE": "1"}, check=False, capture_output=True, text=True
        )
    if done.returncode:
        print(done.stdout[-2000:], done.stderr[-2000:], file=sys.stderr)
        raise SystemExit("The model builder failed; what it said is above.")
    for pattern in (*BESIDE, *TEXTS):
        for path in options.checkpoint.glob(pattern):
            shutil.copyfile(path, options.out / path.name)
    for path in sorted(options.out.iterdir()):
        print(f"{path.stat().st_size:>12,}  {path.name}")
    print(f"Add it with: engine models add {options.out} --name NAME")


def main() -> None:
    """Export, in an environment with the builder."""
    options = parse_arguments()
    enter(options.environment, PACKAGES, ("onnxruntime_genai",))
    build(options)


if __name__ == "__main__":
    main()
