"""`engine jobs` and `engine files`: a job service from the command line."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.screen import printable

if TYPE_CHECKING:
    from engine.client import Client

DEFAULT_URL = "http://127.0.0.1:8080"


def service_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command a client of the service that its options or the environment name."""

    @click.option("--url", envvar="ENGINE_URL", default=DEFAULT_URL, show_default=True, help="$ENGINE_URL.")
    @click.option("--key", envvar="ENGINE_KEY", help="$ENGINE_KEY.")
    @wraps(command)
    def connected(url: str, key: str | None, **options: Any) -> Any:
        from engine.client import Client

        with Client(url, key) as client:
            return command(client, **options)

    return connected


@click.group()
def jobs() -> None:
    """Jobs of a job service (`engine serve`, or the platform)."""


@jobs.command()
@click.argument("request", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--upload", is_flag=True, help="Upload the request's files first, from beside it.")
@click.option("--dry-run", is_flag=True, help="Check it, and print what it would become.")
@click.option("--wait", is_flag=True, help="Print events until the job is final.")
@service_options
def create(client: "Client", request: Path, *, upload: bool, dry_run: bool, wait: bool) -> None:
    """Create a job from REQUEST, the body of POST /batch/jobs."""
    try:
        body = json.loads(request.read_bytes())
    except ValueError as error:
        raise click.UsageError(f"{request} is not JSON: {error}.") from None
    if upload:
        body = _upload_inputs(client, body, request.parent)
    made = client.create_job(body, dry_run=dry_run)
    if dry_run:
        click.echo(json.dumps(made, indent=2))
        return
    click.echo(made["id"])
    if wait:
        _end(client, made["id"])


@jobs.command("list")
@click.option("--status", help="Only those in this state.")
@click.option("-q", help="Only those whose name, id or pipeline has this in it.")
@service_options
def list_jobs(client: "Client", status: str | None, q: str | None) -> None:
    """List jobs, newest first."""
    given = {name: value for name, value in (("status", status), ("q", q)) if value}
    with _table("id", "status", "inputs", "records", "created", "name") as row:
        for job in client.jobs(**given):
            counts = job["input_progress"]
            records = job.get("engine", {}).get("records", {}).get("total", "")
            row(
                job["id"],
                job["status"],
                f"{counts['completed']}/{sum(counts.values())}"
                + (f" ({counts['failed']} failed)" if counts["failed"] else ""),
                f"{records:,}" if isinstance(records, int) else "",
                job["created_at"][:19],
                job["name"],
            )


@jobs.command()
@click.argument("job_id")
@service_options
def show(client: "Client", job_id: str) -> None:
    """Print a job as JSON."""
    click.echo(json.dumps(client.job(job_id), indent=2))


@jobs.command()
@click.argument("job_id")
@click.option("-f", "--follow", is_flag=True, help="Go on until the job is final.")
@service_options
def events(client: "Client", job_id: str, *, follow: bool) -> None:
    """Print a job's events, oldest first."""
    for event in client.follow(job_id) if follow else client.events(job_id):
        _tell(event)


@jobs.command()
@click.argument("job_id")
@service_options
def cancel(client: "Client", job_id: str) -> None:
    """Cancel a job."""
    click.echo(f"{job_id} is {client.cancel(job_id)['status']}.")


@jobs.command()
@click.argument("job_id")
@click.option("--restart", is_flag=True, help="From nothing, not from where it ended.")
@service_options
def retry(client: "Client", job_id: str, *, restart: bool) -> None:
    """Run a failed or cancelled job again."""
    click.echo(f"{job_id} is {client.retry(job_id, restart=restart)['status']}.")


@jobs.command()
@click.argument("job_id")
@service_options
def delete(client: "Client", job_id: str) -> None:
    """Delete a final job with its outputs."""
    client.delete_job(job_id)
    click.echo(f"Deleted {job_id}.")


@jobs.command()
@click.argument("job_id")
@service_options
def outputs(client: "Client", job_id: str) -> None:
    """List a job's outputs."""
    with _table("port", "bytes", "file") as row:
        for output in client.outputs(job_id):
            row(output["port_name"], f"{output['data']['num_bytes']:,}", output["data"]["filename"])


@jobs.command()
@click.argument("job_id")
@click.option("--output", type=click.Path(path_type=Path), help="Folder. Default: named after the job.")
@service_options
def download(client: "Client", job_id: str, output: Path | None) -> None:
    """Download a job's outputs; what is there already is not fetched again."""
    folder = output or Path(job_id)
    count = 0
    for one in client.outputs(job_id):
        click.echo(printable(str(client.download(one, folder))))
        count += 1
    click.echo(f"{count} outputs in {folder}", err=True)


@click.group()
def files() -> None:
    """Files of a job service."""


@files.command("upload")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@service_options
def upload_files(client: "Client", paths: tuple[Path, ...]) -> None:
    """Upload files under their own names."""
    for path in paths:
        made = client.upload(path)
        click.echo(f"{made['file_uid']}\t{printable(made['file_id'])}")


@files.command("list")
@service_options
def list_files(client: "Client") -> None:
    """List files, newest first."""
    with _table("uid", "bytes", "type", "name") as row:
        for file in client.files():
            row(file["file_uid"], f"{file['num_bytes']:,}", file["file_type"], file["file_id"])


@files.command("delete")
@click.argument("name")
@service_options
def delete_file(client: "Client", name: str) -> None:
    """Delete a file by its name or uid."""
    gone = client.delete_file(name)
    click.echo(f"Deleted {printable(gone['file_id'])}.")


def _upload_inputs(client: "Client", body: Any, folder: Path) -> Any:
    """Upload the files that a request names as paths; return the request with their names."""
    try:
        ports = {port: entries if isinstance(entries, list) else [entries] for port, entries in body["inputs"].items()}
        paths = {entry["file_id"]: folder / entry["file_id"] for entries in ports.values() for entry in entries}
        names = {given: path.name for given, path in paths.items()}
    except (KeyError, TypeError, AttributeError):
        raise click.UsageError("The request has no inputs with file_id to upload.") from None
    if len(set(names.values())) < len(names):
        raise click.UsageError("Two of the request's files have the same name; upload them by hand under other names.")
    for path in paths.values():
        client.upload(path)
    bound = {
        port: [
            {
                **entry,
                "file_id": names[entry["file_id"]],
                **({"metadata": _renamed(entry["metadata"], names)} if "metadata" in entry else {}),
            }
            for entry in entries
        ]
        for port, entries in ports.items()
    }
    return {**body, "inputs": bound}


def _renamed(metadata: Any, names: dict[str, str]) -> Any:
    """Return an input's metadata with the file that it is `for` by its new name."""
    if isinstance(metadata, dict) and metadata.get("for") in names:
        return {**metadata, "for": names[metadata["for"]]}
    return metadata


def _end(client: "Client", job_id: str) -> None:
    for event in client.follow(job_id):
        _tell(event)
    if client.job(job_id)["status"] != "COMPLETED":
        raise click.exceptions.Exit(1)


def _tell(event: dict[str, Any]) -> None:
    colour = {"WARN": "yellow", "ERROR": "red", "FAILED": "red", "SUCCESS": "green"}.get(event["level"])
    level = click.style(f"{event['level']:8}", fg=colour)
    click.echo(f"{event['created_at'][11:19]} {level}{printable(event['message'])}")


@contextmanager
def _table(*names: str) -> Iterator[Callable[..., None]]:
    """Give a function that takes the cells of a row; the table is printed at the end."""
    rows: list[tuple[str, ...]] = []
    yield lambda *cells: rows.append(tuple(printable(cell) for cell in cells))
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    for place, row in enumerate((names, *rows)):
        text = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.secho(text, bold=place == 0)
