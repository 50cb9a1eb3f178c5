"""`engine models`: the encoders and language models that a job can name."""

from pathlib import Path
from typing import Any

import click

from engine.cli.jobs import example_options, read_examples
from engine.errors import ModelError
from engine.models.manifest import ModelEntry

WORTH_KEEPING = 0.95  # share of labels that a twin leaves as they were


@click.group()
def models() -> None:
    """List, add, check and remove encoders and language models."""


@models.command("list")
def list_models() -> None:
    """List the models, and the names that lead to ours."""
    from engine.models.catalog import Catalog

    catalog = Catalog()
    for entry in catalog.list():
        click.echo(f"{click.style(entry.name, bold=True)}  {_describe(entry)}")
        if entry.aliases:
            click.echo(f"    serves: {', '.join(entry.aliases)}")
    for name, problem in catalog.broken().items():
        click.echo(f"{click.style(name, fg='red', bold=True)}  cannot be used: {problem}")


@models.command()
@click.argument("name")
def show(name: str) -> None:
    """Print a model's description, model.json, and where it lies."""
    from engine.models.catalog import Catalog

    entry = Catalog().entry(name)
    click.echo(f"{entry.folder}", err=True)
    click.echo(entry.manifest.model_dump_json(indent=2, exclude_none=True))


@models.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--name", help="The model_type or model_variant it will have. Default: the name of SOURCE.")
@click.option("--input", help="The graph's input that takes the readings.")
@click.option("--mask", help="The graph's input that tells readings from padding.")
@click.option("--layout", type=click.Choice(["univariate", "multivariate"]), help="One channel at a time, or all.")
@click.option(
    "--axes", type=click.Choice(["NCT", "NTC", "NT"]), help="Order of the signal's axes: batch, channels, time."
)
@click.option("--channels", type=click.IntRange(1), help="The number of channels a multivariate model takes.")
@click.option("--length", type=click.IntRange(1), help="Rows that the graph sees; shorter windows are padded.")
@click.option("--min-window", type=click.IntRange(2), help="Shortest window it takes.")
@click.option("--max-window", type=click.IntRange(2), help="Longest window it takes.")
@click.option("--output", help="The graph's output that gives the vectors.")
@click.option("--output-axes", type=click.Choice(["ND", "NTD", "NDT"]), help="Order of that output's axes.")
@click.option("--pooling", type=click.Choice(["last", "mean"]), help="How positions become one vector.")
@click.option("--padding", type=click.Choice(["left", "right"]), help="Side of the zeros beside a short window.")
@click.option("--mask-marks", type=click.Choice(["readings", "padding"]), help="What a 1 in the mask stands for.")
@click.option(
    "--normalization",
    type=click.Choice(["none", "shots", "file", "window"]),
    help="What it was trained with; taken unless a job names another.",
)
@click.option(
    "--context", type=click.IntRange(16), help="Tokens a language model holds, where its own files do not say so."
)
@click.option(
    "--stop",
    type=click.IntRange(0),
    multiple=True,
    help="Number of a token that ends its answers, likewise; repeatable.",
)
@click.option("--licence", help="Kept with the model.")
@click.option("--provenance", help="Whose weights these are; kept with the model and told with every result.")
@click.option("--replace", is_flag=True, help="Take the place of a model of this name.")
def add(source: Path, name: str | None, **options: Any) -> None:
    """Add an ONNX encoder or language model: SOURCE is a graph, or a folder with one.

    The graph is inspected and run; what it takes and gives is inferred and tried. The options are for what it leaves open. A
    language model is a decoder with its tokenizer.json, as onnxruntime-genai's model builder and optimum write them.
    """
    from engine.models.catalog import Catalog, Hints, LanguageHints

    kept = {key: options.pop(key) for key in ("normalization", "licence", "provenance", "replace")}
    of_language = LanguageHints(options.pop("context"), options.pop("stop"))
    of_encoder = Hints(**options)
    if of_language != LanguageHints() and of_encoder != Hints():
        raise click.UsageError("--context and --stop are about language models, the other options about encoders.")
    hints = of_encoder if of_language == LanguageHints() else of_language
    default = source.resolve().name if source.is_dir() else source.stem
    entry = Catalog().add(source, name=name or default, hints=hints, **kept)
    click.echo(f"Added {click.style(entry.name, bold=True)}: {_describe(entry)}")


@models.command()
@click.argument("model")
@click.option("--name", help="Of the twin. Default: MODEL-int8.")
@click.option("--replace", is_flag=True, help="Take the place of a model of this name.")
@example_options
def quantize(model: str, name: str | None, shots: tuple[str, ...], replace: bool, **options: Any) -> None:
    """Add the int8 twin of an encoder that was added, for CPUs, and tell what it costs on the last third of the shots.

    Eight-bit whole numbers run convolutions and dense layers some times faster. Ranges come from the first two thirds of the shots, cut and
    scaled as the jobs that it is meant for.

    \b
    engine models quantize my_encoder --shot idle=idle.csv --shot run=run.csv --window 64
    """  # noqa: D301 - click wants the control character
    from engine.jobs import local

    examples = read_examples(shots, options)
    found = local.quantize(examples, name=name, replace=replace, model=model, **options)
    click.echo(f"Added {click.style(found.model.name, bold=True)}: {_describe(found.model)}")
    click.echo(f"     speed  {found.times_as_fast:.1f} times {model}'s, on one thread of this machine")
    if not found.asked:
        click.echo("   measure  the shots are too short to say what it costs")
        return
    click.echo(f"   vectors  off by {found.error:.1%} of their spread")
    click.echo(
        f"    labels  {found.agreement:.1%} of {found.asked:,} windows as before; right: {found.accuracy:.1%},"
        f" before {found.accuracy_before:.1%}"
    )
    if found.agreement < WORTH_KEEPING:
        click.secho(
            f"warning: too many labels change. Keep {model}; or, if readings are raw, let them be scaled before (--normalization shots).",
            fg="yellow",
            err=True,
        )


@models.command()
@click.argument("name")
def verify(name: str) -> None:
    """Check a model's files against their digests and run its trial again."""
    from engine.models.catalog import Catalog

    problems = Catalog().verify(name)
    if problems:
        raise ModelError(" ".join(problems))
    click.echo(f"{name} is in order.")


@models.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove a model that was added."""
    from engine.models.catalog import Catalog

    Catalog().remove(name)
    click.echo(f"Removed {name}.")


def _describe(entry: ModelEntry) -> str:
    manifest = entry.manifest
    graph, language = manifest.windowed, manifest.language
    if language is not None:
        shape = f"{language.context_length:,} tokens of context, a vocabulary of {language.vocab_size:,}"
    elif graph is None:
        shape = "any number of channels, windows of 2 to 1,024 rows; run once over the series"
    else:
        channels = (
            "one channel at a time" if graph.layout == "univariate" else f"{graph.channels or 'any number of'} channels"
        )
        shape = (
            f"{channels}, windows of {graph.min_window} to {graph.max_window:,} rows, {graph.embedding_size} numbers"
        )
    return f"{manifest.kind}, {shape}. {manifest.provenance} ({manifest.licence})"
