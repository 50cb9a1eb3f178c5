"""`engine demo`: the main job on a simulated plant, from nothing."""

from pathlib import Path
from typing import Any

import click

from engine.cli.jobs import device_options, finish
from engine.cli.screen import tell_event, watch

PREVIEW = 5  # result lines that are shown


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
    click.echo("\nThe same job from its request:  " + click.style(f"engine run {plant.job}", bold=True))
    own = "engine classify PLANT.csv --shot idle=IDLE.csv --shot run=RUN.csv"
    click.echo("The same on your own files:     " + click.style(own, bold=True))
