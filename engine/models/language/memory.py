"""How much memory is free where a model runs, and how many answers side by side fit into it."""

import ctypes
from pathlib import Path, PurePosixPath

from engine.models.device import Device
from engine.models.language.decoder import slot_bytes
from engine.models.language.graph import DecoderGraph

MOST_SLOTS = {"cpu": 32, "cuda": 64}  # beyond that a step takes longer by as much as it does more
SHARE = 0.5  # of what is free; the rest is for the runtime's own buffers, and for others


def choose_slots(graph: DecoderGraph, capacity: int, device: Device, free: int | None, most: int) -> int:
    """Return how many answers to write side by side: at least 1, at most `most`, what half of the free memory takes.

    Parameters
    ----------
    graph : DecoderGraph
    capacity : int
        Tokens that each holds.
    device : Device
    free : int or None
        Free bytes there; None asks the machine.
    most : int
        As many are wanted.
    """
    free = free_bytes(device) if free is None else free
    fitting = MOST_SLOTS[device.kind]
    if free is not None:
        fitting = min(fitting, int(free * SHARE) // max(1, slot_bytes(graph, capacity)))
    return max(1, min(most, fitting))


def free_bytes(device: Device) -> int | None:
    """Return the free memory of a device in bytes, None where nothing tells it."""
    return _free_on_gpu() if device.kind == "cuda" else _free_on_host(Path("/"))


def _free_on_host(root: Path) -> int | None:
    """Return what Linux calls available, or less where a control group around this process leaves less."""
    frees = [int(words[1]) << 10 for words in _words(root / "proc/meminfo") if words[0] == "MemAvailable:"]
    for words in _words(root / "proc/self/cgroup"):
        number, controllers, place = words[0].split(":", 2)
        if number == "0" and not controllers:
            frees += _left_in(root / "sys/fs/cgroup", place, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            frees += _left_in(root / "sys/fs/cgroup/memory", place, *names)
    return max(0, min(frees)) if frees else None


def _left_in(mount: Path, place: str, limit: str, usage: str, cache: str) -> list[int]:
    """Return what each control group upwards leaves below its limit; files in the cache make way. In a container only the mount exists."""
    left = []
    parts = [part for part in PurePosixPath(place).parts if part not in ("/", "..")]
    for folder in (mount.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1)):
        numbers = [words[0] for name in (limit, usage) for words in _words(folder / name)]
        if len(numbers) == 2 and all(number.isdecimal() for number in numbers):  # "max" is no limit
            cached = [int(words[1]) for words in _words(folder / "memory.stat") if words[0] == cache]
            left.append(int(numbers[0]) - int(numbers[1]) + sum(cached))
    return left


def _words(path: Path) -> list[list[str]]:
    """Return the words of each line that has any; nothing where the file cannot be read."""
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return []
    return [line.split() for line in text.splitlines() if line.strip()]


def _free_on_gpu() -> int | None:
    """Return the free memory of the first GPU, by its driver."""
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    device, context = ctypes.c_int(0), ctypes.c_void_p()
    free, total = ctypes.c_size_t(0), ctypes.c_size_t(0)
    if library.cuInit(0) or library.cuDeviceGet(ctypes.byref(device), 0):
        return None
    if library.cuDevicePrimaryCtxRetain(ctypes.byref(context), device):  # the one that the runtime uses
        return None
    try:
        if library.cuCtxPushCurrent_v2(context):
            return None
        failed = library.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total))
        library.cuCtxPopCurrent_v2(ctypes.byref(context))
    finally:
        library.cuDevicePrimaryCtxRelease_v2(device)
    return None if failed else int(free.value)
