"""What this machine offers to a model: the cores that may be used, the NVIDIA driver, the installed runtime.

Nothing here imports a runtime; `engine.models.session` opens sessions and so decides what really runs.
"""

import ctypes
import math
import os
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Literal

from engine.errors import DeviceError

RUNTIMES = (  # distributions that all install the import package `onnxruntime`, over each other
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-directml",
    "onnxruntime-openvino",
    "onnxruntime-qnn",
    "onnxruntime-rocm",
    "onnxruntime-migraphx",
    "onnxruntime-training",
    "onnxruntime-silicon",
    "ort-nightly",
    "ort-nightly-gpu",
)
COMPANIONS = ("numpy", "numba", "polars", "faiss-cpu", "faiss-gpu", "faiss-gpu-cuvs")


@dataclass(frozen=True, slots=True)
class Device:
    """Where a model runs.

    Attributes
    ----------
    kind : "cpu" or "cuda"
    name : str
        For people: `cpu (2 threads)`, or the GPU's own name.
    note : str
        Why a GPU that answers was not taken, or empty.
    """

    kind: Literal["cpu", "cuda"]
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Driver:
    """What the NVIDIA driver says of itself. `problem` is empty when it offers at least one GPU."""

    loads: bool
    gpus: tuple[str, ...]
    problem: str


def usable_cores(root: Path = Path("/")) -> int:
    """Return how many cores this process may keep busy, at least 1.

    The CPU affinity and the quotas of all enclosing control groups (v2 `cpu.max`, v1 `cpu.cfs_quota_us`) count; a quota of
    1.5 cores gives 2. `root` is where `proc` and `sys` are looked for.
    """
    cores = float(len(os.sched_getaffinity(0)))
    for quota in _cgroup_quotas(root):
        cores = min(cores, quota)
    return max(1, math.ceil(cores - 1e-9))


def query_driver() -> Driver:
    """Ask the NVIDIA driver for its GPUs. Costs a failed library load where there is none."""
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return Driver(loads=False, gpus=(), problem="no NVIDIA driver answers (libcuda.so.1 cannot be loaded)")
    status = library.cuInit(0)
    if status != 0:
        return Driver(loads=True, gpus=(), problem=f"the NVIDIA driver offers no GPU (cuInit returned {status})")
    count = ctypes.c_int(0)
    library.cuDeviceGetCount(ctypes.byref(count))
    names = []
    for number in range(count.value):
        name = ctypes.create_string_buffer(256)
        library.cuDeviceGetName(name, len(name), number)
        names.append(name.value.decode("utf-8", "replace"))
    return Driver(loads=True, gpus=tuple(names), problem="" if names else "the NVIDIA driver offers no GPU")


def installed_runtimes() -> dict[str, str]:
    """Return the installed distributions of ONNX Runtime and their versions."""
    return _installed(RUNTIMES)


def installed_companions() -> dict[str, str]:
    """Return the installed versions of the other libraries that decide results and speed."""
    return _installed(COMPANIONS)


def check_runtime(installed: dict[str, str]) -> None:
    """Refuse to go on without exactly one distribution of ONNX Runtime.

    Raises
    ------
    DeviceError
        None is installed, or two: they share one folder, so each has overwritten files of the other.
    """
    if not installed:
        raise DeviceError(
            "ONNX Runtime is not installed, so no model can run.",
            code="runtime_missing",
            cure="Install it with: pip install 'sensor-state-engine[cpu]'",
        )
    if len(installed) > 1:
        names = sorted(installed)
        extra = "gpu" if any(name.endswith("-gpu") for name in names) else "cpu"
        raise DeviceError(
            f"{' and '.join(f'{name} {installed[name]}' for name in names)} are installed together;"
            " they overwrite each other's files.",
            code="runtime_clash",
            cure=f"Remove both and install one: pip uninstall -y {' '.join(names)}"
            f" && pip install 'sensor-state-engine[{extra}]'",
        )


def _installed(names: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _cgroup_quotas(root: Path) -> list[float]:
    """Return the quota in cores of every control group around this process that has one."""
    quotas = []
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, controllers, place = line.split(":", 2)
        if number == "0" and not controllers:
            for folder in _upwards(root / "sys/fs/cgroup", place):
                limit = _read(folder / "cpu.max").split()
                if len(limit) == 2 and limit[0] != "max":
                    quotas.append(int(limit[0]) / int(limit[1]))
        elif "cpu" in controllers.split(","):
            for folder in _upwards(root / "sys/fs/cgroup/cpu", place):
                quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
                if quota and period and int(quota) > 0:
                    quotas.append(int(quota) / int(period))
    return quotas


def _upwards(mount: Path, place: str) -> list[Path]:
    """Return the folders of a control group and of all those around it. In a container only the mount itself may exist."""
    parts = [part for part in PurePosixPath(place).parts if part not in ("/", "..")]
    return [mount.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1)]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
