"""How many answers fit side by side into what is free, and what is free."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models.device import Device
from engine.models.language import memory
from engine.models.language.memory import choose_slots

CPU = Device("cpu", "cpu")
CUDA = Device("cuda", "a GPU")


@given(
    free=st.none() | st.integers(0, 1 << 40),
    size=st.integers(1, 1 << 32),
    most=st.integers(1, 1000),
    device=st.sampled_from([CPU, CUDA]),
)
def test_slots_fit_into_half_of_what_is_free(free, size, most, device):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(memory, "slot_bytes", lambda _, capacity: size * capacity)
        patched.setattr(memory, "free_bytes", lambda _: None)
        slots = choose_slots(None, 3, device, free, most)
        assert 1 <= slots <= most
        assert slots <= (32 if device.kind == "cpu" else 64)
        if free is not None and slots > 1:
            assert slots * 3 * size <= free / 2
        more = choose_slots(None, 3, device, free, most + 1)
        assert slots <= more <= slots + 1
        if free is not None and more == slots < min(most + 1, 32):
            assert (slots + 1) * 3 * size > free / 2


def host(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


MEMINFO = {"proc/meminfo": "MemTotal: 2000 kB\nMemAvailable:    1000 kB\n"}
GROUP = "sys/fs/cgroup/job"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (MEMINFO, 1000 << 10),
        ({}, None),
        (MEMINFO | {"proc/self/cgroup": "0::/job\n", f"{GROUP}/memory.max": "max\n"}, 1000 << 10),
        (
            MEMINFO
            | {
                "proc/self/cgroup": "0::/job/inner\n",
                f"{GROUP}/memory.max": "5000\n",
                f"{GROUP}/memory.current": "4000\n",
                f"{GROUP}/memory.stat": "anon 100\ninactive_file 300\n",
            },
            1300,
        ),
        (
            MEMINFO
            | {
                "proc/self/cgroup": "4:cpu,memory:/gone\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "700\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "900\n",
            },
            0,
        ),
    ],
)
def test_free_memory_is_what_the_tightest_group_leaves(tmp_path, files, expected):
    assert memory._free_on_host(host(tmp_path, files)) == expected


def test_this_machine_has_free_memory():
    assert memory.free_bytes(CPU) > 1 << 20
