#!/usr/bin/env python3
"""Make or refresh the project's `.venv` and print the path of its Python; and environments of their own for scripts (`enter`).

    python3 scripts/environment.py [EXTRA ...]

Needs nothing but Python: any `python3` may start it; the environment gets the newest supported one on the PATH. The GPU packages
are chosen only where an NVIDIA driver answers, and it is new enough for them. What is there already is kept: a stamp of the extras,
of pyproject.toml and of the Python decides. Two calls at a time wait for each other.
"""

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
SUPPORTED = ((3, 11), (3, 12), (3, 13))
CUDA_DRIVER = 13000  # what the onnxruntime-gpu wheels are built for


def say(text: str) -> None:
    """Tell the person, leaving standard output to the path."""
    print(text, file=sys.stderr, flush=True)


def find_python() -> str:
    """Return a supported Python: this one, or the newest on the PATH that starts."""
    if sys.version_info[:2] in SUPPORTED:
        return sys.executable
    for major, minor in reversed(SUPPORTED):
        path = shutil.which(f"python{major}.{minor}")
        if path and subprocess.run([path, "-c", "import venv"], capture_output=True, check=False).returncode == 0:
            return path
    sys.exit(
        f"No Python 3.11, 3.12 or 3.13 found; this one is {sys.version.split()[0]}. Install one of them and try again."
    )


def choose_runtime() -> str:
    """Return `gpu` where an NVIDIA driver answers and is new enough, else `cpu`."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "cpu"
    version, devices = ctypes.c_int(), ctypes.c_int()
    answers = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(devices)) == 0 and devices.value > 0
    if not answers or driver.cuDriverGetVersion(ctypes.byref(version)) != 0:
        return "cpu"
    if version.value < CUDA_DRIVER:
        say(f"The NVIDIA driver supports CUDA {version.value // 1000}, the GPU packages need 13: using the CPU.")
        return "cpu"
    return "gpu"


def refresh(extras: list[str], python: str) -> None:
    """Create the environment if need be and install the project with these extras."""
    stamp = VENV / ("stamp-" + "-".join(extras))
    facts = "\n".join([python, *extras, (ROOT / "pyproject.toml").read_text(encoding="utf-8")])
    digest = hashlib.sha256(facts.encode()).hexdigest()
    inside = VENV / "bin" / "python"
    if inside.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return
    if not inside.exists():
        say(f"Creating {VENV.name} with {python} ...")
        subprocess.run([python, "-m", "venv", "--clear", str(VENV)], check=True, stdout=sys.stderr)
        subprocess.run([inside, "-m", "pip", "install", "--quiet", "--upgrade", "pip"], check=True, stdout=sys.stderr)
    say(f"Installing the project with {', '.join(extras)} (the first time takes a minute) ...")
    target = f"{ROOT}[{','.join(extras)}]"
    command = [inside, "-m", "pip", "install", "--quiet", "--editable", target]
    if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
        sys.exit("The packages could not be installed; pip's words are above.")
    stamp.write_text(digest, encoding="utf-8")


def fill(folder: Path, packages: tuple[str, ...]) -> Path:
    """Make an environment, filled by pip, unless it is there as wanted; return its Python."""
    python, stamp = folder / "bin" / "python", folder / "packages.txt"
    wanted = "\n".join(packages)
    if not (stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted):
        say(f"Installing {', '.join(packages)} into {folder} ...")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--upgrade", "pip"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return python


def enter(folder: Path, packages: tuple[str, ...], needed: tuple[str, ...]) -> None:
    """Start the calling script again in an environment of its own, unless what it needs can be imported here.

    Parameters
    ----------
    folder : Path
        The environment, made and filled the first time.
    packages : tuple of str
        What pip installs there.
    needed : tuple of str
        Modules that have to be found.
    """
    if all(importlib.util.find_spec(name) is not None for name in needed):
        return
    if Path(sys.prefix).resolve() == folder.resolve():
        sys.exit(f"{folder} is incomplete. Remove it and run this again.")
    python = fill(folder, packages)
    os.execv(python, [str(python), *sys.argv])


def main() -> None:
    """Bring the environment up to date under a lock, then print its Python."""
    extras = [choose_runtime(), *sys.argv[1:]]
    lock = os.open(ROOT / ".venv.lock", os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.flock(lock, fcntl.LOCK_EX)
    refresh(extras, find_python())
    print(VENV / "bin" / "python")


if __name__ == "__main__":
    main()
