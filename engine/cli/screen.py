"""What a person sees while a job runs and when it has ended."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

if TYPE_CHECKING:  # a command that runs no job need not load what runs one
    from engine.output.answers import AnswerSummary, AnswerTally
    from engine.output.events import Event
    from engine.output.summary import RunSummary, Summary, Tally
    from engine.pipelines.course import Progress

BAR = 24  # characters of the longest bar in the table of states
LONGEST = 2000  # characters of a line of a message
ANSWER = 100  # characters of an answer that is shown
FIRST = 3  # answers that are shown
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
        self._first: Progress | None = None

    def __call__(self, progress: "Progress") -> None:
        if progress.place != self._place:
            if self._task is not None:
                self._bar.remove_task(self._task)
            title = f"{Path(progress.input).name} ({progress.place + 1}/{progress.inputs})"
            self._task = self._bar.add_task(title, total=progress.total, rate="")
            self._place, self._begun, self._first = progress.place, time.perf_counter(), progress
        seconds = time.perf_counter() - self._begun
        rate = _rate(self._first, progress, seconds) if seconds > 0.2 and self._first is not None else ""
        self._bar.update(self._task, completed=progress.done, total=progress.total, rate=rate)


class _Lines:
    def __init__(self) -> None:
        self._said = (-1, -1)

    def __call__(self, progress: "Progress") -> None:
        tenths = 10 * progress.done // max(1, progress.total)
        if (progress.place, tenths) != self._said and progress.done:
            self._said = (progress.place, tenths)
            total = f"{progress.done:,} of {progress.total:,} {progress.unit}{_failed(progress)}"
            click.echo(f"{printable(progress.input)} ({progress.place + 1}/{progress.inputs}): {total}", err=True)


def _rate(first: "Progress", now: "Progress", seconds: float) -> str:
    """Say how fast a job is: windows are counted as such, answers by their tokens."""
    if now.unit == "windows":
        return f"{(now.done - first.done) / seconds:,.0f} windows/s"
    return f"{(now.tokens - first.tokens) / seconds:,.0f} tokens/s{_failed(now)}"


def _failed(progress: "Progress") -> str:
    return f", {progress.failed:,} failed" if progress.failed else ""


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


def show_summary(summary: "RunSummary") -> None:
    """Print what a job did."""
    from engine.output.answers import AnswerSummary
    from engine.output.summary import Summary

    colour = {"completed": "green", "partial": "yellow"}.get(summary.status, "red")
    _row("status", click.style(summary.status, fg=colour, bold=True))
    if isinstance(summary, Summary):
        _show_windows(summary)
        _show_end(summary, summary.tally, f"{summary.windows_per_s:,.0f} windows/s" if summary.windows_per_s else "")
    elif isinstance(summary, AnswerSummary):
        _show_records(summary)
        if summary.folder is not None:
            _show_answers(Path(summary.folder) / file for file in summary.tally.files)
        _show_end(summary, summary.tally, f"{summary.tokens_per_s:,.0f} tokens/s" if summary.tokens_per_s else "")


def _show_windows(summary: "Summary") -> None:
    tally = summary.tally
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


def _show_records(summary: "AnswerSummary") -> None:
    tally = summary.tally
    resumed = f", {summary.resumed_records:,} of them from an earlier run" if summary.resumed_records else ""
    failed = f", {tally.failed:,} of them failed" if tally.failed else ""
    truncated = f", {tally.truncated:,} of them with a prompt that was cut" if tally.truncated else ""
    _row("records", f"{tally.records:,}{failed}{truncated}{resumed}")
    _row("tokens", f"{tally.completion_tokens:,} in answers, {tally.prompt_tokens:,} in prompts")


def _show_end(summary: "RunSummary", tally: "Tally | AnswerTally", speed: str) -> None:
    """Print what all summaries end with."""
    for failed in tally.failed_inputs[:SHOWN]:
        _row("failed", click.style(f"{printable(failed.message)} [{failed.code}]", fg="red"))
    if len(tally.failed_inputs) > SHOWN:
        _row("", f"... and {len(tally.failed_inputs) - SHOWN:,} more inputs")
    for warning in summary.warnings[:SHOWN]:
        _row("warning", click.style(printable(warning), fg="yellow"))
    if len(summary.warnings) > SHOWN:
        _row("", f"... and {len(summary.warnings) - SHOWN:,} more warnings")
    stages = ", ".join(f"{name} {seconds:.2f}" for name, seconds in summary.stage_s.items())
    _row("seconds", f"{summary.elapsed_s:.2f} in all; of all threads together: {stages}")
    if speed:
        _row("speed", speed)
    _row("device", summary.device)
    _row("model", summary.model)
    if summary.folder is not None:
        _row("results", f"{summary.folder}/results ({len(tally.files):,} files)")


def _show_answers(files: Iterable[Path]) -> None:
    shown = 0
    for file in files:
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                answer = json.loads(line)
                if answer["prediction"] is None:
                    continue
                text = " ".join(printable(answer["prediction"]).split())
                _row("" if shown else "answers", text if len(text) <= ANSWER else text[: ANSWER - 3] + "...")
                shown += 1
                if shown == FIRST:
                    return


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
