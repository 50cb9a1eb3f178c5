"""`engine doctor`: what is installed, what works, and what to do about what does not."""

import importlib
import importlib.metadata
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

import engine
from engine.cli.screen import printable
from engine.cli.serve import home_option

if TYPE_CHECKING:
    from engine.jobs.repair import Repaired

SHOWN = ("numpy", "numba", "polars", "pydantic", "zstandard")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `good` None says a fact, True or False passes judgement."""

    subject: str
    text: str
    good: bool | None = None


@click.command()
@click.option("--repair", is_flag=True, help="Make the job service's index again from its folders, and nothing else.")
@home_option
def doctor(repair: bool, home: Path | None) -> None:
    """Check the installation: libraries, device, compiled kernels, folders, name clashes, the job service's index.

    With --repair the index of the job service is set aside and made again from the folders beside it, which hold everything. No server
    may be running on them. Exit code 1: something in the folders cannot be read, and is named.
    """
    marks = {None: " ", True: click.style("✓", fg="green"), False: click.style("✗", fg="red")}
    sick = 0
    for finding in mend(home) if repair else examine(home):
        click.echo(f"{marks[finding.good]} {finding.subject:12} {printable(finding.text)}")
        sick += finding.good is False
    if sick:
        raise click.exceptions.Exit(1)


def mend(home: Path | None) -> Iterator[Finding]:
    """Make the index of a home again, and yield what was found on the way. Raises OutputError."""
    from engine.jobs.home import Home
    from engine.jobs.repair import repair

    place = Home.open(home)
    yield Finding("home", str(place.path))
    done = repair(place)
    yield _old_index(done)
    yield Finding("files", f"{done.after.files:,}", good=True)
    statuses = ", ".join(f"{count:,} {status}" for status, count in sorted(done.statuses.items()))
    yield Finding("jobs", f"{done.after.jobs:,}" + (f": {statuses}" if statuses else ""), good=True)
    yield Finding("uploads", f"{done.uploads:,} go on, {done.dropped_uploads:,} dropped", good=True)
    if done.swept is None:
        yield Finding("orphans", "nothing was removed: what is broken may need it")
    else:
        swept = done.swept
        text = f"{swept.orphans:,} contents that nothing is bound to removed ({swept.num_bytes:,} bytes)"
        yield Finding("orphans", f"{text}, {swept.cut_short:,} uploads that were cut short", good=True)
    for problem in done.broken:
        yield Finding("broken", problem, good=False)


def _old_index(done: "Repaired") -> Finding:
    if done.kept is None:
        return Finding("index", "there was none; it is made anew", good=True)
    knew = "could not be read"
    if done.before is not None:
        knew = f"knew {done.before.files:,} files and {done.before.jobs:,} jobs"
    return Finding("index", f"made again; the old one, which {knew}, is kept as {done.kept.name}", good=True)


def examine(home: Path | None = None) -> Iterator[Finding]:
    """Yield what was found, one check after the other."""
    yield Finding("engine", f"{engine.__version__} in {Path(engine.__file__).parent}")
    yield Finding("python", f"{platform.python_version()} on {platform.machine()}, {sys.executable}")
    for name in SHOWN:
        yield _version(name)
    yield from _runtime()
    yield from _faiss()
    yield _clash()
    yield from _kernels()
    yield _models()
    yield _index(home)


def _index(home: Path | None) -> Finding:
    """Look at the index of the job service, if there is one; a server may be running on it."""
    from engine.jobs.home import Home
    from engine.jobs.repair import count_rows
    from engine.models.catalog import default_home

    place = Home(home or default_home())
    if not place.database.is_file():
        return Finding("index", f"none in {place.path}: no job service has run there")
    counts = count_rows(place.database)
    if counts is None:
        return Finding("index", f"{place.database} cannot be read: `engine doctor --repair` makes it again", good=False)
    return Finding("index", f"{counts.files:,} files and {counts.jobs:,} jobs in {place.database}", good=True)


def _version(name: str) -> Finding:
    try:
        return Finding(name, importlib.metadata.version(name), good=True)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "is not installed: pip install 'sensor-state-engine[cpu]'", good=False)


def _runtime() -> Iterator[Finding]:
    from engine.errors import DeviceError
    from engine.models.session import resolve_device, runtime_report, usable_cores

    report = runtime_report()
    runtimes = ", ".join(f"{name} {version}" for name, version in report["runtimes"].items())
    yield Finding("runtime", report["problem"] or runtimes, good=not report["problem"])
    if report["providers"]:
        yield Finding("providers", ", ".join(report["providers"]))
    driver = report["driver"]
    yield Finding("gpu", ", ".join(driver["gpus"]) if driver["found"] else driver["problem"])
    yield Finding("cores", f"{usable_cores()} usable")
    for asked in ("cpu", "auto", "cuda"):
        try:
            yield Finding("device", f"{asked}: {resolve_device(asked).name}", good=True)
        except DeviceError as error:
            # A machine without a GPU is not ill; one that cannot even run on the CPU is.
            yield Finding("device", f"{asked}: {error}", good=None if asked == "cuda" else False)


def _faiss() -> Iterator[Finding]:
    names = [name for name in ("faiss-cpu", "faiss-gpu", "faiss-gpu-cuvs") if _installed(name)]
    try:
        faiss = importlib.import_module("faiss")
    except (ImportError, RuntimeError, OSError) as error:
        yield Finding("faiss", f"cannot be loaded: {error} (only --search faiss and GPUs need it)", good=False)
        return
    gpus = faiss.get_num_gpus() if hasattr(faiss, "get_num_gpus") else 0
    yield Finding("faiss", f"{', '.join(names) or 'unknown build'} {faiss.__version__}, {gpus} GPUs", good=True)


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _clash() -> Finding:
    kernels = importlib.import_module("kernels")
    ours = Path(engine.__file__).resolve().parent.parent / "kernels"
    found = Path(kernels.__file__ or "").resolve().parent
    if found != ours:
        text = f"the name is taken by {found}, ours is {ours}: another package or folder on the path hides it"
        return Finding("kernels", text, good=False)
    return Finding("kernels", str(found), good=True)


def _kernels() -> Iterator[Finding]:
    from engine.pipelines.warmup import warm_up
    from kernels import jit

    begun = time.perf_counter()
    compiled = warm_up()
    yield Finding("compiled", f"{compiled} kernels ready in {time.perf_counter() - begun:.1f} s", good=True)
    problem = jit.cache_problem()
    if problem:
        yield Finding(
            "cache", f"kernels are compiled anew in each process: {problem}. Set NUMBA_CACHE_DIR.", good=False
        )
    else:
        yield Finding("cache", f"kernels are kept in {jit.cache_folder()}", good=True)


def _models() -> Finding:
    from engine.models.catalog import Catalog

    catalog = Catalog()
    names = [entry.name for entry in catalog.list()]
    bad = [f"{name}: {problem}" for name in names for problem in catalog.verify(name)]
    return Finding("models", "; ".join(bad) if bad else f"{', '.join(names)} in order", good=not bad)
