"""Brings the figures of benchmarks/results/*.json into the README's table of numbers.

    python benchmarks/readme.py [--check]

A row is known by its first cell, and its second is written anew; a row that no file has figures for is left as it is, and a new
one is put behind the last. `--check` changes nothing and exits with 1 where the README is stale.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
README = HERE.parent / "README.md"
BLOCK = re.compile(r"(?<=<!-- numbers -->\n).*?(?=<!-- /numbers -->)", re.DOTALL)
Found = dict[str, Any]


def _times(part: Found) -> str:
    return f"{part['median']:.1f}x" if part["median"] < 10 else f"{part['median']:.0f}x"


# File, the part of it ("" for the whole; of throughput.json, of its measures), the row's first cell, what its second says.
ROWS: tuple[tuple[str, str, str, str, Callable[[Found], str]], ...] = (
    (
        "end_to_end", "", "step-1 windows of 40 channels x 128 rows, 15 neighbours among 4,000 vectors", "end_to_end.py",
        lambda one: f"{one['windows_per_s']:,.0f} windows/s, {one['times_bare_scan']:.1f}x the time of a bare Polars scan",
    ),
    (
        "memory", "", "peak memory, 200 MB and 10 GB of CSV, 40 channels, window 64, step 64", "memory.py",
        lambda one: f"{one['small']['peak_mb']:.0f} MB and {one['large']['peak_mb']:.0f} MB",
    ),
    (
        "start", "", "`import engine`; a 200-row job in a cold process; the very first, compiling", "start.py",
        lambda one: f"{one['import_s']:.2f} s; {one['job_s']:.1f} s; {one['first_job_s']:.1f} s",
    ),
    (
        "generate", "rows", "answers of a 29 M decoder, 1, 8 and 32 side by side, beside onnxruntime-genai with equal threads", "generate.py",
        lambda rows: ", ".join(f"{rows[f'equal {slots}']['genai']['ratio']:.2f}x" for slots in (1, 8, 32)),
    ),
    (
        "generate", "rows", "200 answers of very different lengths, beside its best static batches", "generate.py",
        lambda rows: f"{min(one['ratio'] for name, one in rows['lengths'].items() if name != 'engine'):.1f}x",
    ),
    (
        "generate", "rows", "prompt tokens computed for 200 prompts behind a common prefix of 500 tokens", "generate.py",
        lambda rows: f"{rows['prefix']['engine']['computed']:.2f} of all, in {1 / rows['prefix']['without reuse']['ratio']:.2f} of the time",
    ),
    (
        "throughput", "whole", "the same job, its time beside a bare Polars scan of the columns", "run.py",
        lambda one: f"{_times(one['times_bare_scan'])} ({one['windows_per_s']['median']:,.0f} windows/s)",
    ),
    (
        "throughput", "ceilings", "what one core must take at least, of what it takes: scan, encode, vote, write", "run.py",
        lambda one: ", ".join(f"{one['share'][stage]:.2f}" for stage in ("scan", "encode", "vote", "write")),
    ),
    (
        "throughput", "naive", "the same job beside pandas, ONNX Runtime window by window, scikit-learn", "run.py",
        lambda one: f"{_times(one['times_as_fast'])} as fast, labels agree {one['agreement']:.4f}",
    ),
    (
        "throughput", "tuned", "the same job beside aeon's MiniRocket and FAISS", "run.py",
        lambda one: f"{_times(one['times_as_fast'])} as fast; accuracy {one['ours_accuracy']:.3f} and {one['rival_accuracy']:.3f}",
    ),
    (
        "throughput", "search", "vote and neighbours alone beside FAISS at its best batch; white noise", "run.py",
        lambda one: (
            f"{_times(one['stream']['vote_times_as_fast'])} and {_times(one['stream']['nearest_times_as_fast'])}; "
            f"{_times(one['noise']['vote_times_as_fast'])} and {_times(one['noise']['nearest_times_as_fast'])}"
        ),
    ),
    (
        "throughput", "encoders", "whole job with a transformer, a large, a middling and a small convolution, beside their graphs alone", "run.py",
        lambda one: ", ".join(
            f"{one[name]['share_of_bare_loop']['median']:.2f}x"
            for name in ("transformer", "large_convolution", "convolution", "small_convolution")
        ),
    ),
    (
        "throughput", "encoders", "the convolution's int8 twin beside the convolution, whole jobs; labels that agree", "run.py",
        lambda one: f"{_times(one['int8']['times_as_fast'])} as fast; {one['int8']['agreement']:.4f}",
    ),
    (
        "throughput", "cpu", "windows side by side: time beside CPU time over cores", "run.py",
        lambda one: _times(one["times_cpu_over_cores"]),
    ),
    (
        "throughput", "cores", "all cores beside one; eight files two at a time beside one by one", "run.py",
        lambda one: f"{_times(one['times_one_core'])}; {_times(one['parallelism_2_over_1'])}",
    ),
)  # fmt: skip


def rewrite(text: str) -> str:
    """Return the table's block with what the files say today."""
    lines = text.splitlines(keepends=True)
    for file, measure, title, script, say in ROWS:
        path = HERE / "results" / f"{file}.json"
        found = json.loads(path.read_text()) if path.is_file() else None
        if found is not None and measure:
            found = found.get("measures", found).get(measure)
        if found is None:
            continue
        row = f"| {title} | {say(found)} | `{script}` |\n"
        places = [place for place, line in enumerate(lines) if line.startswith(f"| {title} |")]
        if places:
            lines[places[0]] = row
        else:
            last = max(place for place, line in enumerate(lines) if line.startswith("|"))
            lines.insert(last + 1, row)
    return "".join(lines)


def main() -> None:
    """Rewrite the README, or say that it is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    before = README.read_text(encoding="utf-8")
    after = BLOCK.sub(lambda block: rewrite(block[0]), before)
    if options.check:
        sys.exit("README.md is stale: python benchmarks/readme.py" if after != before else 0)
    README.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
