"""What a person sees while a job runs and when it has ended."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

if TYPE_CHECKING:  # a command that runs no job need not load what runs one
    from engine.output.events import Event
    from engine.output.summary import Summary
    from engine.pipelines.machine_state.job import Progress

BAR = 24  # characters of the longest bar in the table of states
LONGEST = 2000  # characters of a line of a message
SHOWN = 12  # states, warnings or failed inputs that are listed; the rest is counted


class Watcher(Protocol):
    """Takes progress while a job runs."""

    def __call__(self, progress: "Progress") -> None: ...


@contextmanager
def watch() -> Iterator[Watcher]:
    """Show progress on standard error: a bar with rate and remaining time on a terminal, a line per tenth elsewhere."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar)


class _Bar:
    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task: Any = None
        self._place = -1
        self._begun = 0.0
        self._first = 0

    def __call__(self, progress: "Progress") -> None:
        if progress.place != self._place:
            if self._task is not None:
                self._bar.remove_task(self._task)
            title = f"{Path(progress.input).name} ({progress.place + 1}/{progress.inputs})"
            self._task = self._bar.add_task(title, total=progress.windows_total, rate="")
            self._place, self._begun, self._first = progress.place, time.perf_counter(), progress.windows
        seconds = time.perf_counter() - self._begun
        rate = f"{(progress.windows - self._first) / seconds:,.0f} windows/s" if seconds > 0.2 else ""
        self._bar.update(self._task, completed=progress.windows, total=progress.windows_total, rate=rate)


class _Lines:
    def __init__(self) -> None:
        self._said = (-1, -1)

    def __call__(self, progress: "Progress") -> None:
        tenths = 10 * progress.windows // max(1, progress.windows_total)
        if (progress.place, tenths) != self._said and progress.windows:
            self._said = (progress.place, tenths)
            total = f"{progress.windows:,} of {progress.windows_total:,} windows"
            click.echo(f"{printable(progress.input)} ({progress.place + 1}/{progress.inputs}): {total}", err=True)


def say_error(message: str) -> None:
    """Print what went wrong on standard error."""
    click.secho(f"error: {printable(message)}", fg="red", err=True)


def printable(text: str) -> str:
    """Return a text that is safe on a terminal: what files say may hold control characters, and be long."""
    lines = (line if len(line) <= LONGEST else line[:LONGEST] + "..." for line in text.split("\n"))
    return "\n".join(
        "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line) for line in lines
    )


def tell_event(event: "Event") -> None:
    """Print an event on standard error, as `--verbose` asks."""
    click.echo(f"{event.created_at[11:19]} {event.level:7} {printable(event.message)}", err=True)


def show_summary(summary: "Summary") -> None:
    """Print what a job did."""
    tally = summary.tally
    colour = {"completed": "green", "partial": "yellow"}.get(summary.status, "red")
    _row("status", click.style(summary.status, fg=colour, bold=True))
    resumed = f", {summary.resumed_windows:,} of them from an earlier run" if summary.resumed_windows else ""
    invalid = f", {tally.invalid:,} of them INVALID_STATE" if tally.invalid else ""
    _row("windows", f"{tally.windows:,}{invalid}{resumed}")
    _show_states(tally.counts, tally.windows)
    if tally.mean_confidence is not None:
        _row(
            "agreement",
            f"{tally.mean_confidence:.3f} on average (the share of the neighbours that voted for the winner)",
        )
    _show_scores(summary)
    if summary.repaired_cells:
        _row("repaired", f"{summary.repaired_cells:,} missing or infinite cells")
    if summary.gaps:
        _row("gaps", f"{summary.gaps:,} in time")
    for failed in tally.failed_inputs[:SHOWN]:
        _row("failed", click.style(f"{printable(failed.message)} [{failed.code}]", fg="red"))
    if len(tally.failed_inputs) > SHOWN:
        _row("", f"... and {len(tally.failed_inputs) - SHOWN:,} more inputs")
    for warning in summary.warnings[:SHOWN]:
        _row("warning", click.style(printable(warning), fg="yellow"))
    if len(summary.warnings) > SHOWN:
        _row("", f"... and {len(summary.warnings) - SHOWN:,} more warnings")
    stages = ", ".join(f"{name} {seconds:.2f}" for name, seconds in summary.stage_s.items())
    _row("seconds", f"{summary.elapsed_s:.2f} in all; stages side by side: {stages}")
    if summary.windows_per_s:
        _row("speed", f"{summary.windows_per_s:,.0f} windows/s")
    _row("device", summary.device)
    _row("model", summary.model)
    if summary.folder is not None:
        _row("results", f"{summary.folder}/results ({len(tally.files):,} files)")


def _show_states(counts: dict[str, int], windows: int) -> None:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ranked = [(printable(name).replace("\n", "\\n"), count) for name, count in ranked]
    width = max((len(name) for name, _ in ranked[:SHOWN]), default=0)
    for place, (name, count) in enumerate(ranked[:SHOWN]):
        share = count / max(1, windows)
        bar = "█" * round(BAR * count / max(1, ranked[0][1])) or "▏"
        _row(
            "states" if not place else "", f"{name:{width}}  {count:>10,}  {share:6.1%}  {click.style(bar, fg='cyan')}"
        )
    if len(ranked) > SHOWN:
        _row("", f"... and {len(ranked) - SHOWN:,} more states")


def _show_scores(summary: "Summary") -> None:
    scores = summary.evaluation
    if scores is None:
        return
    if scores.accuracy is None or scores.macro_f1 is None or scores.majority_baseline is None:
        _row("truth", "no window has a label")
        return
    left_out = f", {scores.excluded:,} left out" if scores.excluded else ""
    _row(
        "truth",
        f"accuracy {scores.accuracy:.3f}, macro-F1 {scores.macro_f1:.3f}; always answering the most frequent state: "
        f"{scores.majority_baseline:.3f} ({scores.windows:,} windows{left_out})",
    )


def _row(title: str, text: str) -> None:
    click.echo(f"{click.style(f'{title:>10}', bold=True)}  {text}")
