"""How fast prompts are answered, beside onnxruntime-genai and transformers on the same weights.

    python benchmarks/generate.py --model FOLDER --rivals PYTHON [--checkpoint FOLDER] [--runs 3] [--threads N]

`--model` is a folder of onnxruntime-genai's model builder, `--rivals` an interpreter with onnxruntime-genai (and torch and
transformers, for `--checkpoint`, the same weights as a Hugging Face folder). Without `--rivals` only the engine runs. Every
measurement is a process of its own; prompts are random tokens, the same for all. Rows:

    equal      prompts of 64 tokens, 64 new ones each, side by side 1, 8 and 32
    lengths    200 prompts of 32 tokens whose answers end by chance, after 40 tokens on average and 256 at most; useful tokens/s;
               genai batches statically, at its best of 8, 16 and 32 side by side
    prefix     200 prompts of 20 to 150 tokens behind a common prefix of 500, 16 new tokens each, with and without reuse

A person reads the table; the last line is JSON.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
SIDE_BY_SIDE = (1, 8, 32)
PROMPT, NEW, LONGEST, PREFIX = 64, 64, 256, 500


def workload(name: str, vocab: int) -> dict[str, Any]:
    """Return the prompts of a row, and the tokens that end an answer; the same wherever it is called."""
    rng = np.random.default_rng(7)
    if name == "equal":
        return {"prompts": rng.integers(8, vocab, (32, PROMPT)).tolist(), "new": NEW, "stops": []}
    if name == "lengths":
        stops = rng.choice(np.arange(8, vocab), vocab // 40, replace=False).tolist()
        return {"prompts": rng.integers(8, vocab, (200, 32)).tolist(), "new": LONGEST, "stops": stops}
    prefix = rng.integers(8, vocab, PREFIX).tolist()
    own = [rng.integers(8, vocab, rng.integers(20, 151)).tolist() for _ in range(200)]
    return {"prompts": [prefix + tokens for tokens in own], "new": 16, "stops": [], "prefix": prefix}


def run_engine(folder: Path, row: str, slots: int, threads: int, *, reuse: bool) -> dict[str, Any]:
    """Answer a row's prompts with the engine's runtime, in this process."""
    from engine.models.device import Device
    from engine.models.language.decoder import Decoder
    from engine.models.language.generate import Generation
    from engine.models.language.graph import inspect_decoder
    from engine.models.language.sample import Draws, Sampling
    from engine.models.language.schedule import Prompt
    from engine.models.session import Session

    path = folder / "model.onnx"
    session = Session(path, device=Device("cpu", "cpu"), threads=threads, spin=True)
    graph = inspect_decoder(session, path)
    work = workload(row, graph.vocab_size)
    sampling = Sampling(do_sample=row == "lengths", temperature=1.0, top_k=50, top_p=1.0, max_new_tokens=work["new"])
    prompts = [Prompt(place, tokens, Draws(1, 0, place)) for place, tokens in enumerate(work["prompts"])]
    if row == "equal":
        prompts = prompts[:slots]

    def answer() -> tuple[float, int, float]:
        begun = time.perf_counter()
        with Generation(
            lambda slots, capacity: Decoder(session, graph, slots=slots, capacity=capacity),
            sampling,
            vocab_size=graph.vocab_size,
            stop_tokens=frozenset(work["stops"]),
            slots=slots,
            capacity=max(len(prompt.tokens) for prompt in prompts) + work["new"],
            context=1024,
            prefix=work.get("prefix", ()) if reuse else (),
        ) as run:
            tokens = sum(len(done.tokens) for done in run.run(prompts))
        return time.perf_counter() - begun, tokens, run.work.prefilled_tokens / run.work.prompt_tokens

    answer()  # kernels, pages
    seconds, tokens, computed = answer()
    return {"seconds": seconds, "tokens": tokens, "computed": computed, "peak_mb": peak_mb()}


def peak_mb() -> float:
    """Return this process's peak memory in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def measure(python: str, script: Path, arguments: list[str], runs: int, threads: int) -> dict[str, Any]:
    """Run a measurement in processes of its own; return the medians."""
    found = []
    for _ in range(runs):
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        done = subprocess.run(
            [python, str(script), *arguments], check=True, capture_output=True, text=True, env=environment
        )
        found.append(json.loads(done.stdout.splitlines()[-1]))
    rates = [one["tokens"] / one["seconds"] for one in found]
    median = {key: statistics.median(one[key] for one in found) for key in found[0]}
    return {
        **median,
        "tokens_per_s": statistics.median(rates),
        "spread": (max(rates) - min(rates)) / statistics.median(rates),
    }


def main() -> None:
    """Measure, print a table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--rivals", help="interpreter with onnxruntime-genai, torch and transformers")
    parser.add_argument("--checkpoint", type=Path, help="the same weights, for transformers")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--worker", nargs=3, metavar=("ROW", "SLOTS", "REUSE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        row, slots, reuse = options.worker
        print(json.dumps(run_engine(options.model, row, int(slots), options.threads, reuse=reuse == "reuse")))
        return
    results: dict[str, Any] = {}

    def engine(row: str, slots: int, reuse: str = "reuse") -> dict[str, Any]:
        arguments = [
            "--model",
            str(options.model),
            "--threads",
            str(options.threads),
            "--worker",
            row,
            str(slots),
            reuse,
        ]
        return measure(sys.executable, Path(__file__), arguments, options.runs, options.threads)

    def rival(name: str, row: str, slots: int) -> dict[str, Any] | None:
        folder = options.checkpoint if name == "transformers" else options.model
        if not options.rivals or folder is None:
            return None
        arguments = [name, str(folder), row, str(slots), str(options.threads)]
        return measure(options.rivals, HERE / "generate_rivals.py", arguments, options.runs, options.threads)

    def tell(title: str, ours: dict[str, Any], others: dict[str, dict[str, Any] | None]) -> None:
        text = f"{title:22} engine {ours['tokens_per_s']:8,.0f} tokens/s {ours['peak_mb']:6,.0f} MB"
        for name, one in others.items():
            if one is not None:
                text += f"   {name} {one['tokens_per_s']:8,.0f} {one['peak_mb']:6,.0f} MB ({ours['tokens_per_s'] / one['tokens_per_s']:.2f}x)"
        print(text, flush=True)
        results[title] = {"engine": ours} | {name: one for name, one in others.items() if one is not None}

    for slots in SIDE_BY_SIDE:
        others = {name: rival(name, "equal", slots) for name in ("genai", "transformers")}
        tell(f"equal {slots}", engine("equal", slots), others)
    static = [one for slots in (8, 16, 32) if (one := rival("genai", "lengths", slots)) is not None]
    best = max(static, key=lambda one: one["tokens_per_s"]) if static else None
    tell("lengths", engine("lengths", 32), {"genai": best})
    with_reuse, without = engine("prefix", 32), engine("prefix", 32, "none")
    tell("prefix", with_reuse, {"engine without reuse": without})
    print(
        f"{'':22} {with_reuse['computed']:.3f} of the prompt tokens computed, {with_reuse['seconds']:.2f} s instead of {without['seconds']:.2f} s"
    )
    machine = {
        "cpu": platform.processor() or platform.machine(),
        "threads": options.threads,
        "python": platform.python_version(),
    }
    size = sum(path.stat().st_size for path in options.model.glob("model.onnx*"))
    print(json.dumps({"benchmark": "generate", "model_bytes": size, "machine": machine, "rows": results}))


if __name__ == "__main__":
    main()
