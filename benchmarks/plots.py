"""Draws how windows each second depend on every size of a job: `run.py --save` calls it, in the rivals' environment.

PYTHON benchmarks/plots.py benchmarks/results/throughput.json FOLDER
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

TITLES = {
    "channels": "channels",
    "window": "window (rows)",
    "step": "step (rows)",
    "library": "library (vectors)",
    "rows": "recording (rows)",
    "threads": "threads",
}


def main() -> None:
    """Draw one picture of six plots."""
    result = json.loads(Path(sys.argv[1]).read_text())
    found = result["measures"]["scaling"]
    figure, axes = plt.subplots(2, 3, figsize=(13, 7.5), layout="constrained")
    for axis, (name, title) in zip(axes.flat, TITLES.items(), strict=True):
        sizes, rates = zip(*found[name], strict=True)
        axis.plot(sizes, rates, "o-")
        axis.set_xscale("log", base=10 if name in ("rows", "library") else 2)
        axis.set_yscale("log")
        axis.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=30 if name in ("rows", "library") else 0)
        axis.set_ylim(min(rates) / 1.6, max(rates) * 1.6)
        axis.margins(x=0.12)
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.xaxis.set_minor_formatter(NullFormatter())
        for size, rate in zip(sizes, rates, strict=True):
            axis.annotate(f"{rate:,.0f}", (size, rate), (0, 7), textcoords="offset points", ha="center", fontsize=8)
        axis.set_xlabel(title)
        axis.set_ylabel("windows/s")
        axis.grid(alpha=0.3)
    machine = result["machine"]
    figure.suptitle(
        f"Windows each second; otherwise {result['channels']} channels, window {result['window']}, step 1, "
        f"{result['neighbours']} neighbours ({machine['processor']}, {machine['cores']} cores)"
    )
    figure.savefig(Path(sys.argv[2]) / "scaling.png", dpi=110)


if __name__ == "__main__":
    main()
