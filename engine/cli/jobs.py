"""`engine run` and `engine classify`: jobs from a request file, or from files and options."""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.screen import printable, say_error, show_summary, tell_event, watch
from engine.errors import JobFailed

if TYPE_CHECKING:
    from engine.output.summary import RunSummary


search_option = click.option(
    "--search",
    type=click.Choice(["auto", "exact", "faiss"]),
    default="auto",
    show_default=True,
    help="Who finds the neighbours; the results are the same.",
)


def device_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say where and how a job runs."""
    for option in reversed(
        (
            click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True),
            click.option("--threads", type=click.IntRange(1), help="Default: the cores this process may use."),
            click.option("--restart", is_flag=True, help="Discard what an earlier run left in the output folder."),
            click.option("-v", "--verbose", is_flag=True, help="Print events as they happen."),
        )
    ):
        command = option(command)
    return command


def example_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what shows which state, and how files are read and cut."""
    for option in reversed(
        (
            click.option(
                "--shot",
                "shots",
                multiple=True,
                required=True,
                metavar="LABEL=FILE",
                help="A file that shows one state throughout. Several, and several per label.",
            ),
            click.option("--window", type=int, default=64, show_default=True, help="Rows per window, 2 to 1024."),
            click.option(
                "--step",
                type=int,
                default=1,
                show_default=True,
                help="Rows from one window's start to the next, in the shots too.",
            ),
            click.option("--columns", help="Channels, separated by commas. Default: all but timestamp and label."),
            click.option("--neighbors", type=int, default=5, show_default=True),
            click.option("--metric", default="euclidean", show_default=True, help="euclidean, cosine or manhattan."),
            click.option("--weights", default="uniform", show_default=True, help="uniform or distance."),
            click.option(
                "--normalize-embeddings", is_flag=True, help="Scale each window vector to length 1 before the vote."
            ),
            click.option("--normalization", help="shots, none, file or window. Default: the model's own, else shots."),
            click.option(
                "--separator", default=",", show_default=True, help="Between the fields of a CSV; `\\t` for a tab."
            ),
            click.option("--decimal", default=".", show_default=True, help="Between whole and fraction of a number."),
            click.option("--null-value", "null_values", multiple=True, help="A text that means: no value. Several."),
        )
    ):
        command = option(command)
    return command


def read_examples(shots: Iterable[str], options: dict[str, Any]) -> dict[str, list[str]]:
    """Return the files of each label, and make of options what the library takes."""
    if options["columns"] is not None:
        names = next(csv.reader([options["columns"]], skipinitialspace=True)) or [""]
        options["columns"] = [name.strip() for name in names]
    options["separator"] = options["separator"].replace("\\t", "\t")
    examples: dict[str, list[str]] = {}
    for label, file in _pairs(shots, "--shot", "LABEL=FILE"):
        examples.setdefault(label, []).append(file)
    return examples


@click.command()
@click.argument("job", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="Job folder. Default: beside JOB, named after it.")
@click.option("--dry-run", is_flag=True, help="Check request and files, print the resolved request, run nothing.")
@search_option
@device_options
def run(job: Path, output: Path | None, dry_run: bool, verbose: bool, **settings: Any) -> None:
    """Run a job request, the body of POST /batch/jobs. The same command again goes on where it ended.

    A file_id in JOB is a path relative to JOB's folder.
    """
    from engine.jobs import local

    if dry_run:
        plan = local.prepare(job)
        click.echo(plan.to_json(), nl=False)
        for path in plan.request.ignored:
            hint = plan.request.hints.get(path)
            click.secho(
                printable(f"ignored: {path}") + (f" (did you mean {hint}?)" if hint else ""), fg="yellow", err=True
            )
        for _, warning in plan.warnings:
            click.secho(printable(f"warning: {warning}"), fg="yellow", err=True)
        return
    folder = output or local.default_output(job)
    with watch() as watcher:
        summary = guard(
            lambda: local.run(job, folder, on_progress=watcher, on_event=tell_event if verbose else None, **settings),
            folder,
        )
    finish(summary)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@example_options
@click.option("--timestamp-column", help="Default: `timestamp` where there is one, else row numbers.")
@click.option("--model", default="omega_1_4_base", show_default=True, help="A model_type; see `engine models list`.")
@click.option("--missing-values", default="ffill", show_default=True, help="ffill, fail or invalid.")
@click.option(
    "--gap-policy", default="ignore", show_default=True, help="ignore, mark or skip windows across time gaps."
)
@click.option(
    "--max-gap", type=float, help="Seconds (numeric timestamps: their own unit). Default: 5 times the usual step."
)
@click.option("--format", "output_format", default="csv", show_default=True, help="csv, jsonl or parquet.")
@click.option("--row-index", is_flag=True, help="Add start_row.")
@click.option("--window-bounds", is_flag=True, help="Add start_timestamp and finish_timestamp.")
@click.option("--probabilities", is_flag=True, help="Add p_<class>, each class's share of the vote.")
@click.option("--embeddings", is_flag=True, help="Write the window vectors too, as Parquet.")
@click.option("--label-column", help="Column with the true state; scores the predictions.")
@click.option("--label-rule", default="first", show_default=True, help="first, last, majority or pure.")
@click.option(
    "--labels", multiple=True, metavar="FILE=LABELS", help="A label file for one of FILES, joined row by row."
)
@click.option("--parallelism", type=int, default=1, show_default=True, help="Files side by side, at most.")
@click.option("--output", type=click.Path(path_type=Path), default="classified", show_default=True, help="Job folder.")
@search_option
@device_options
def classify(
    files: tuple[str, ...], shots: tuple[str, ...], labels: tuple[str, ...], output: Path, verbose: bool, **options: Any
) -> None:
    """Classify every sliding window of FILES by labelled example files. The same command again goes on where it ended.

    \b
    engine classify plant.csv --shot idle=idle.csv --shot run=run.csv --window 64
    """  # noqa: D301 - click wants the control character
    from engine.jobs import local

    examples = read_examples(shots, options)
    truth = dict(_pairs(labels, "--labels", "FILE=LABELS"))
    settings = {name: options.pop(name) for name in ("device", "threads", "search", "restart")}
    request = local.build_request(files, examples, labels=truth, **options)
    with watch() as watcher:
        summary = guard(
            lambda: local.run(
                request, output, on_progress=watcher, on_event=tell_event if verbose else None, **settings
            ),
            output,
        )
    finish(summary)


def _pairs(values: Iterable[str], option: str, form: str) -> Iterable[tuple[str, str]]:
    for value in values:
        name, separator, file = value.partition("=")
        if not separator or not name or not file:
            raise click.UsageError(f"{option} takes {form}; got {value!r}.")
        yield name, file


def guard(job: Callable[[], "RunSummary"], folder: Path) -> "RunSummary":
    """Run a job; say where the summary of a failed one lies."""
    try:
        return job()
    except JobFailed as error:
        for one in error.errors[1:10]:
            say_error(str(one))
        click.echo(f"Details: {folder / 'summary.json'}", err=True)
        raise


def finish(summary: "RunSummary") -> None:
    """Show a summary and end with its exit code: 1 when an input or a record failed."""
    show_summary(summary)
    if summary.status != "completed":
        raise click.exceptions.Exit(1)
