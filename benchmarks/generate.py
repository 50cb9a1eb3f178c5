"""How fast prompts are answered, beside onnxruntime-genai and transformers on the same weights.

    python benchmarks/generate.py --model FOLDER --rivals PYTHON [--checkpoint FOLDER] [--runs 5] [--threads N]

`--model` is a folder of onnxruntime-genai's model builder, `--rivals` an interpreter with onnxruntime-genai (and torch and
transformers, for `--checkpoint`, the same weights as a Hugging Face folder). Without `--rivals` only the engine runs. Every
measurement is a process of its own, the engine's and its rivals' by turns; prompts are random tokens, the same for all. Rows:

    equal      prompts of 64 tokens, 64 new ones each, side by side 1, 8 and 32
    lengths    200 prompts of 32 tokens whose answers end by chance, after 40 tokens on average and 256 at most; useful tokens/s;
               genai batches statically, 8, 16 and 32 side by side
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


def measure(commands: dict[str, list[str]], runs: int, threads: int) -> dict[str, dict[str, Any]]:
    """Run measurements by turns, each in a process of its own.

    Returns, per name, the medians, and `ratio`: tokens/s of the first one per this one's, the median over the turns.
    """
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in commands}
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    for _ in range(runs):
        for name, command in commands.items():
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
            one = json.loads(done.stdout.splitlines()[-1])
            found[name].append(one | {"tokens_per_s": one["tokens"] / one["seconds"]})
    first = [one["tokens_per_s"] for one in next(iter(found.values()))]
    told = {}
    for name, ones in found.items():
        rates = [one["tokens_per_s"] for one in ones]
        told[name] = {key: statistics.median(one[key] for one in ones) for key in ones[0]} | {
            "spread": (max(rates) - min(rates)) / statistics.median(rates),
            "ratio": statistics.median(ours / rate for ours, rate in zip(first, rates, strict=True)),
        }
    return told


def main() -> None:
    """Measure, print a table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--rivals", help="interpreter with onnxruntime-genai, torch and transformers")
    parser.add_argument("--checkpoint", type=Path, help="the same weights, for transformers")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--worker", nargs=3, metavar=("ROW", "SLOTS", "REUSE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        row, slots, reuse = options.worker
        print(json.dumps(run_engine(options.model, row, int(slots), options.threads, reuse=reuse == "reuse")))
        return
    results: dict[str, Any] = {}

    def engine(row: str, slots: int, reuse: str = "reuse") -> list[str]:
        here = [sys.executable, __file__, "--model", str(options.model), "--threads", str(options.threads)]
        return [*here, "--worker", row, str(slots), reuse]

    def rival(name: str, row: str, slots: int) -> list[str]:
        folder = options.checkpoint if name == "transformers" else options.model
        script = str(HERE / "generate_rivals.py")
        return [options.rivals, script, name, str(folder), row, str(slots), str(options.threads)]

    def tell(title: str, commands: dict[str, list[str]]) -> dict[str, dict[str, Any]]:
        found = measure(commands, options.runs, options.threads)
        text = f"{title:12}"
        for name, one in found.items():
            text += f"   {name} {one['tokens_per_s']:,.0f} tokens/s {one['peak_mb']:,.0f} MB"
            text += "" if name == "engine" else f" ({one['ratio']:.2f}x)"
        print(text, flush=True)
        results[title] = found
        return found

    names = ["genai"] if options.rivals else []
    names += ["transformers"] if options.rivals and options.checkpoint else []
    for slots in SIDE_BY_SIDE:
        tell(
            f"equal {slots}", {"engine": engine("equal", slots)} | {name: rival(name, "equal", slots) for name in names}
        )
    static = {f"genai {slots}": rival("genai", "lengths", slots) for slots in (8, 16, 32) if options.rivals}
    tell("lengths", {"engine": engine("lengths", 32)} | static)
    found = tell("prefix", {"engine": engine("prefix", 32), "without reuse": engine("prefix", 32, "none")})
    share, seconds = found["engine"]["computed"], [one["seconds"] for one in found.values()]
    print(f"{'':12}   {share:.3f} of the prompt tokens computed, {seconds[0]:.2f} s instead of {seconds[1]:.2f} s")
    from end_to_end import processor  # not at the top: the rivals, who share the workloads, lack what it needs

    machine = {
        "cpu": processor(),
        "threads": options.threads,
        "python": platform.python_version(),
    }
    size = sum(path.stat().st_size for path in options.model.glob("model.onnx*"))
    print(json.dumps({"benchmark": "generate", "model_bytes": size, "machine": machine, "rows": results}))


if __name__ == "__main__":
    main()
