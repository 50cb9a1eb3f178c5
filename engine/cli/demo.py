"""`engine demo`: the main job on a simulated plant, from nothing."""

import json
from pathlib import Path
from typing import Any

import click

from engine.cli.jobs import device_options, finish
from engine.cli.screen import printable, tell_event, watch

PREVIEW = 5  # result lines that are shown
PROMPTS, WRITTEN = "prompts.jsonl", 20  # of prompts: their file, how many it has,
ASKED, SHOWN = 3, 160  # how many are answered here, characters of each that are shown


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default="engine-demo")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="Of the plant.")
@click.option("--channels", type=click.IntRange(1, 1000), default=12, show_default=True, help="Sensors of the plant.")
@device_options
def demo(folder: Path, seed: int, channels: int, verbose: bool, **settings: Any) -> None:
    """Simulate a small plant with faults, label a few examples of each state, and classify two other recordings of it.

    Everything goes into FOLDER: the plant's files and job.json, and the job's results in FOLDER/job.
    """
    from engine.jobs import local
    from engine.plant import write_demo

    _refuse_others(folder)
    click.echo(f"Simulating a two-tank plant with {channels} sensors into {folder} ...", err=True)
    plant = write_demo(folder, seed=seed, channels=channels)
    shots = len(plant.shots)
    states = len({state for state, _ in plant.shots})
    recordings = " and ".join(path.name for path in plant.recordings)
    click.echo(f"{shots} example files of {states} states, each of one state only; {recordings} to classify.", err=True)
    settings["restart"] = True  # the plant's files were written anew
    with watch() as watcher:
        summary = local.run(plant.job, on_progress=watcher, on_event=tell_event if verbose else None, **settings)
    first = Path(summary.folder or "") / summary.tally.files[0]
    click.echo(f"\n{first}")
    with first.open(encoding="utf-8") as lines:
        for _, line in zip(range(PREVIEW), lines, strict=False):
            click.echo(f"    {line}", nl=False)
    click.echo("    ...\n")
    finish(summary)
    click.echo()
    _ask(folder, seed)
    click.echo("The same job from its request:  " + click.style(f"engine run {plant.job}", bold=True))
    own = "engine classify PLANT.csv --shot idle=IDLE.csv --shot run=RUN.csv"
    click.echo("The same on your own files:     " + click.style(own, bold=True))
    asked = f"engine generate {folder / PROMPTS}"
    click.echo("All answers to the prompts:     " + click.style(asked, bold=True))


def _refuse_others(folder: Path) -> None:
    """Refuse a folder that holds anything but an earlier demo: its files would be written over."""
    from engine.errors import OutputError
    from engine.plant.demo import JOB_NAME

    if not folder.is_dir() or not any(folder.iterdir()):
        return
    try:
        request = json.loads((folder / "job.json").read_bytes())
        earlier = isinstance(request, dict) and request.get("name") == JOB_NAME
    except (OSError, ValueError):
        earlier = False
    if not earlier:
        raise OutputError(
            f"{folder} holds other files; nothing was touched.", cure="Name a folder that is new or empty."
        )


def _ask(folder: Path, seed: int) -> None:
    """Write a few prompts about other machines, and show what the shipped language model answers to the first."""
    import engine
    from engine.plant.activities import compose

    records = [compose(seed, index).record for index in range(WRITTEN)]
    lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (folder / PROMPTS).write_text("".join(lines), encoding="utf-8")
    greedy = {"do_sample": False, "max_new_tokens": 96}
    click.echo(
        f"{folder / PROMPTS}, answered by the shipped language model (ours, small, not always right; these are of the kind it knows):"
    )
    for record, answer in zip(records, engine.generate(records[:ASKED], generation=greedy), strict=False):
        texts = (
            record.get("instruction", ""),
            *(one["data"] for one in record.get("inputs", ())),
            record.get("prompt", ""),
        )
        said = " ".join(" ".join(texts).split())
        click.echo(f"    {said[:SHOWN]}{'...' if len(said) > SHOWN else ''}")
        click.echo(f"    > {printable(answer.prediction or '')}\n")
