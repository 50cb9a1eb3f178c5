"""`engine serve` and `engine keys`: the job service, and who may use it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from engine.jobs.room import Reserve
    from engine.server.run import Ready

home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="ENGINE_HOME",
    help="Folder of files, jobs and keys. Default: $ENGINE_HOME, or the user's data folder.",
)


def _read_reserve(_: click.Context, __: click.Parameter, text: str | None) -> "Reserve | None":
    from engine.jobs.room import Reserve

    try:
        return None if text is None else Reserve.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


FIRST_JOB = """
A first job, from three CSV files with a header line:

  export ENGINE_URL={address}{key}
  for file in line7.csv idle.csv run.csv; do
    curl -sS -H "Authorization: Bearer $ENGINE_KEY" -F "file=@$file" $ENGINE_URL/v0.5/files; echo
  done
  curl -sS -H "Authorization: Bearer $ENGINE_KEY" $ENGINE_URL/v0.5/batch/jobs -d '{{
    "name": "line7-states", "pipeline_type": "batch", "pipeline_key": "machine-state-classification",
    "inputs": {{"worker.inference": [{{"file_id": "line7.csv"}}],
               "worker.n_shots": [{{"file_id": "idle.csv", "metadata": {{"class": "idle"}}}},
                                  {{"file_id": "run.csv", "metadata": {{"class": "run"}}}}]}}}}'
  curl -sS -H "Authorization: Bearer $ENGINE_KEY" $ENGINE_URL/v0.5/batch/jobs              # status
  curl -sS -H "Authorization: Bearer $ENGINE_KEY" $ENGINE_URL/v0.5/batch/jobs/JOB/outputs  # links
"""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Jobs at a time.")
@click.option("--threads", type=click.IntRange(1), help="Of each job. Default: the cores this process may use.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--public-url", help="What links begin with. Default: the host that a request came to.")
@click.option("--no-auth", is_flag=True, help="Take requests without a key; on this machine's own address only.")
@click.option(
    "--reserve",
    envvar="ENGINE_RESERVE",
    callback=_read_reserve,
    help="Free space of the disk that uploads and jobs leave alone: 5GB, 3%, 0 for none. Default: 2 %, from 1 GB to 20 GB.",
)
@home_option
def serve(**options: Any) -> None:
    """Serve jobs over HTTP, wire-compatible with the platform's batch API. Ctrl-C ends it; jobs go on at the next start."""
    from engine.server.run import serve as run_server

    run_server(on_ready=_greet, **options)
    click.echo("Stopped. Jobs that were not final go on at the next start.", err=True)


def _greet(ready: "Ready") -> None:
    click.echo(f"Serving on {click.style(ready.address, bold=True)}, home {ready.home}. API page: {ready.address}/docs")
    if ready.key is not None:
        click.echo(f"Key (shown once; `engine keys create` makes more): {click.style(ready.key, bold=True)}")
    key = "" if ready.key is None else f" ENGINE_KEY={ready.key}"
    click.echo(FIRST_JOB.format(address=ready.address, key=key))


@click.group()
def keys() -> None:
    """Keys of the job service. A running server obeys at once."""


@keys.command()
@click.option("--name", default="key", show_default=True, help="What it is for.")
@home_option
def create(name: str, home: Path | None) -> None:
    """Make a key and print it, this once."""
    key, text = _access(home).create_key(name)
    click.echo(f"{key.id}\t{text}")


@keys.command("list")
@home_option
def list_keys(home: Path | None) -> None:
    """List keys: id, beginning, when it was made, name."""
    from engine.cli.screen import printable

    for key in _access(home).all_keys():
        state = f"revoked {key.revoked_at}" if key.revoked_at else "valid"
        click.echo(f"{key.id}\t{key.hint}...\t{key.created_at}\t{state}\t{printable(key.name)}")


@keys.command()
@click.argument("key_id")
@home_option
def revoke(key_id: str, home: Path | None) -> None:
    """Refuse a key from now on."""
    try:
        _access(home).revoke(key_id)
    except LookupError:
        raise click.UsageError(f"There is no key {key_id!r}; `engine keys list` shows what there is.") from None
    click.echo(f"Revoked {key_id}.")


def _access(home: Path | None) -> Any:
    from engine.jobs.access import Access
    from engine.jobs.home import Home

    return Access(Home.open(home))
