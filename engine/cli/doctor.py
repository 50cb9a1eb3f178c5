"""`engine doctor`: what is installed, what works, and what to do about what does not."""

import importlib
import importlib.metadata
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

import engine

SHOWN = ("numpy", "numba", "polars", "pydantic", "zstandard")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `good` None says a fact, True or False passes judgement."""

    subject: str
    text: str
    good: bool | None = None


@click.command()
def doctor() -> None:
    """Check the installation: libraries, device, compiled kernels, folders, name clashes."""
    marks = {None: " ", True: click.style("✓", fg="green"), False: click.style("✗", fg="red")}
    sick = 0
    for finding in examine():
        click.echo(f"{marks[finding.good]} {finding.subject:12} {finding.text}")
        sick += finding.good is False
    if sick:
        raise click.exceptions.Exit(1)


def examine() -> Iterator[Finding]:
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
