"""One measurement of a rival, in a process and an environment of its own: `generate.py` calls it.

PYTHON benchmarks/generate_rivals.py genai|transformers FOLDER equal|lengths SLOTS THREADS
PYTHON benchmarks/generate_rivals.py make FOLDER         a Llama of 29 M parameters with random weights, to be exported
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from generate import peak_mb, workload


def vocab_of(folder: Path) -> int:
    """Return the size of a model's vocabulary."""
    for name, path in (("genai_config.json", ("model", "vocab_size")), ("config.json", ("vocab_size",))):
        if (folder / name).is_file():
            value: Any = json.loads((folder / name).read_text())
            for key in path:
                value = value[key]
            return int(value)
    raise SystemExit(f"{folder} is no model.")


def batches(prompts: list[list[int]], slots: int) -> list[list[list[int]]]:
    """Return static batches."""
    return [prompts[start : start + slots] for start in range(0, len(prompts), slots)]


def useful(sequence: list[int], prompt: int, stops: set[int]) -> int:
    """Return the tokens of an answer up to what ends it."""
    answer = sequence[prompt:]
    return next((place for place, token in enumerate(answer) if token in stops), len(answer))


def run_genai(folder: Path, work: dict[str, Any], slots: int, threads: int) -> int:
    """Answer every prompt in static batches; return the useful tokens."""
    import onnxruntime_genai as og

    config = json.loads((folder / "genai_config.json").read_text())
    config["model"]["decoder"]["session_options"]["intra_op_num_threads"] = threads
    if work["stops"]:
        config["model"]["eos_token_id"] = work["stops"]
    global _model  # noqa: PLW0603 - opened once, before the clock runs
    if _model is None:
        import shutil
        import tempfile

        copy = Path(tempfile.mkdtemp())
        for path in folder.iterdir():
            if path.is_file():
                shutil.copyfile(path, copy / path.name)
        (copy / "genai_config.json").write_text(json.dumps(config))
        _model = og.Model(str(copy))
        shutil.rmtree(copy)
    tokens = 0
    for batch in batches(work["prompts"], slots):
        length = len(batch[0]) + work["new"]
        parameters = og.GeneratorParams(_model)
        options: dict[str, Any] = {"max_length": length, "batch_size": len(batch)}
        if work["stops"]:
            options |= {"do_sample": True, "temperature": 1.0, "top_k": 50, "random_seed": 1}
        else:
            options |= {"do_sample": False, "min_length": length}
        parameters.set_search_options(**options)
        generator = og.Generator(_model, parameters)
        generator.append_tokens(np.array(batch, dtype=np.int32))
        while not generator.is_done():
            generator.generate_next_token()
        stops = set(work["stops"])
        tokens += sum(useful(list(generator.get_sequence(row)), len(batch[0]), stops) for row in range(len(batch)))
    return tokens


def run_transformers(folder: Path, work: dict[str, Any], slots: int, threads: int) -> int:
    """Answer every prompt in static batches; return the useful tokens."""
    import torch
    from transformers import AutoModelForCausalLM

    global _model  # noqa: PLW0603
    if _model is None:
        torch.set_num_threads(threads)
        _model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokens = 0
    with torch.inference_mode():
        for batch in batches(work["prompts"], slots):
            ids = torch.tensor(batch)
            done = _model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_new_tokens=work["new"],
                min_new_tokens=work["new"],
                pad_token_id=0,
            )
            tokens += sum(len(row) - len(batch[0]) for row in done.tolist())
    return tokens


def make(folder: Path) -> None:
    """Write a checkpoint with random weights."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=8192, hidden_size=512, intermediate_size=1408, num_hidden_layers=8, num_attention_heads=8,
        num_key_value_heads=4, max_position_embeddings=1024, tie_word_embeddings=False, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    letters = {letter: place + 2 for place, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    words = {"<s>": 0, "</s>": 1} | letters
    tokenizer = Tokenizer(models.BPE(vocab=words, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>").save_pretrained(folder)


_model: Any = None


def main() -> None:
    """Measure once and print a JSON line."""
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]))
        return
    name, folder, row, slots, threads = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    work = workload(row, vocab_of(folder))
    if row == "equal":
        work["prompts"] = work["prompts"][:slots]
    run = run_transformers if name == "transformers" else run_genai
    run(folder, work | {"prompts": work["prompts"][:slots]}, slots, threads)  # loads the model, warms up
    begun = time.perf_counter()
    tokens = run(folder, work, slots, threads)
    print(json.dumps({"seconds": time.perf_counter() - begun, "tokens": tokens, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
