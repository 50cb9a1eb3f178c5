"""Sessions: bound buffers, shared sessions, clear refusals, and the truth about the device."""

import ctypes
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from encoders import convolution, foreign, transformer

from engine.errors import DeviceError, ModelError, OutOfMemory
from engine.models.device import Device, check_runtime, installed_runtimes, query_driver, usable_cores
from engine.models.session import Buffer, Session, resolve_device, runtime_report

CPU = Device("cpu", "cpu")


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    return convolution(tmp_path / "encoder.onnx")


def test_tells_what_the_graph_declares(graph):
    session = Session(graph, device=CPU)
    (signal,), (vector,) = session.inputs, session.outputs
    assert (signal.name, signal.shape, signal.dtype) == ("values", ("batch", 3, "rows"), "float32")
    assert (vector.name, vector.shape, vector.dtype) == ("embedding", ("batch", 6), "float32")
    assert session.device == CPU


def test_a_bound_run_reads_and_writes_the_callers_buffers_in_place(graph):
    session = Session(graph, device=CPU)
    signal, vectors = np.zeros((4, 3, 32), dtype=np.float32), np.zeros((4, 6), dtype=np.float32)
    bound = session.bind({"values": signal}, {"embedding": vectors})
    address = vectors.ctypes.data
    for seed in range(3):
        signal[:] = np.random.default_rng(seed).standard_normal(signal.shape)
        bound.run()
        assert vectors.ctypes.data == address
        assert np.array_equal(vectors, session.run({"values": signal.copy()})[0])


def test_parts_of_a_buffer_can_be_bound(graph):
    session = Session(graph, device=CPU)
    signal = np.random.default_rng(0).standard_normal((6, 3, 32)).astype(np.float32)
    vectors = np.full((6, 6), -7.0, dtype=np.float32)
    session.bind({"values": signal[2:4]}, {"embedding": vectors[2:4]}).run()
    assert np.array_equal(vectors[2:4], session.run({"values": signal[2:4]})[0])
    assert (vectors[[0, 1, 4, 5]] == -7.0).all()


def test_threads_share_a_session(graph):
    session = Session(graph, device=CPU)
    signals = np.random.default_rng(0).standard_normal((4, 50, 8, 3, 32)).astype(np.float32)
    results = np.zeros((4, 50, 8, 6), dtype=np.float32)

    def work(lane: int) -> None:
        signal, vectors = np.zeros((8, 3, 32), dtype=np.float32), np.zeros((8, 6), dtype=np.float32)
        bound = session.bind({"values": signal}, {"embedding": vectors})
        for turn in range(50):
            signal[:] = signals[lane, turn]
            bound.run()
            results[lane, turn] = vectors

    threads = [threading.Thread(target=work, args=(lane,)) for lane in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for lane in range(4):
        for turn in range(50):
            assert np.array_equal(results[lane, turn], session.run({"values": signals[lane, turn]})[0])


def test_buffers_are_zeroed_memory_of_the_device_that_runs_read_and_overwrite(graph):
    session = Session(graph, device=CPU)
    signal, vectors = session.buffer((4, 3, 32), "float32"), session.buffer((4, 6), "float32")
    assert not signal.array.any()
    signal.array[:] = np.random.default_rng(0).standard_normal(signal.shape)
    session.bind({"values": signal.view(2)}, {"embedding": vectors.view(1)}).run()
    assert np.array_equal(vectors.array[1:2], session.run({"values": signal.array[2:3]})[0])
    assert not vectors.array[[0, 2, 3]].any()
    wider = session.buffer((4, 8), "float32", vectors.to_host())
    assert np.array_equal(wider.array[:, :6], vectors.array)
    assert not wider.array[:, 6:].any()


class Recorder:
    """Stands in for a session and its binding on a GPU that is not there; like the runtime, copies host inputs when bound."""

    def __init__(self):
        self.bound, self.seen, self.order = {}, [], []

    def io_binding(self):
        return self

    def bind_input(self, name, place, number, dtype, shape, pointer):
        self.order.append(name)
        kind = ctypes.c_char * (int(np.prod(shape)) * np.dtype(dtype).itemsize)
        self.bound[name] = (place, kind.from_address(pointer).raw if place == "cpu" else pointer)

    def bind_output(self, name, place, number, dtype, shape, pointer):
        self.bound[name] = (place, pointer)

    def synchronize_inputs(self):
        self.order.append("inputs are there")

    def run_with_iobinding(self, binding):
        self.order.append("run")
        self.seen.append(dict(self.bound))

    def synchronize_outputs(self):
        self.order.append("outputs are there")


def test_on_a_gpu_every_run_sees_the_arrays_as_they_are_then_and_buffers_are_not_copied(graph):
    session = Session(graph, device=CPU)
    session._session, session.device = Recorder(), Device("cuda", "a GPU that is not there")
    signal, vectors = np.zeros((2, 3, 32), dtype=np.float32), Buffer((2, 6), "float32", 4096, None, None)
    bound = session.bind({"values": signal}, {"embedding": vectors.view(1)})
    for turn in (1, 2):
        signal[:] = turn
        bound.run()
    first, second = session._session.seen
    assert first["embedding"] == second["embedding"] == ("cuda", 4096 + 6 * 4)
    assert first["values"] == ("cpu", np.full((2, 3, 32), 1, np.float32).tobytes())
    assert second["values"] == ("cpu", np.full((2, 3, 32), 2, np.float32).tobytes())
    assert session._session.order[1:] == ["values", "inputs are there", "run", "outputs are there"] * 2


@pytest.mark.parametrize(
    "said",
    [
        "Failed to allocate memory for requested buffer of size 7",
        "std::bad_alloc",
        "CUDA failure 2: out of memory ; GPU=0",
        "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED",
        "Available memory of 5 is smaller than requested bytes of 7",
    ],
)
def test_memory_that_runs_out_is_told_apart_from_a_broken_graph(graph, said, monkeypatch):
    session = Session(graph, device=CPU)
    signal, vectors = np.zeros((2, 3, 32), dtype=np.float32), np.zeros((2, 6), dtype=np.float32)
    bound = session.bind({"values": signal}, {"embedding": vectors})

    def fail(*given):
        raise RuntimeError(f"[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : {said}")

    monkeypatch.setattr(session, "_session", SimpleNamespace(run=fail, run_with_iobinding=fail))
    for run in (bound.run, lambda: session.run({"values": signal})):
        with pytest.raises(OutOfMemory, match=r"encoder\.onnx does not fit into memory") as caught:
            run()
        assert caught.value.code == "out_of_memory"


def test_memory_that_no_machine_has(graph, tmp_path):
    session = Session(graph, device=CPU)
    with pytest.raises(OutOfMemory):
        session.buffer((2**20, 2**30), "float32")
    nodes = [onnx.helper.make_node("Expand", ["one", "shape"], ["many"])]
    inputs = [("one", onnx.TensorProto.FLOAT, [1]), ("shape", onnx.TensorProto.INT64, [2])]
    huge = onnx.helper.make_graph(
        nodes,
        "huge",
        [onnx.helper.make_tensor_value_info(*each) for each in inputs],
        [onnx.helper.make_tensor_value_info("many", onnx.TensorProto.FLOAT, ["a", "b"])],
    )
    model = onnx.helper.make_model(huge, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "huge.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(OutOfMemory, match="huge"):
        Session(path, device=CPU).run({"one": np.ones(1, np.float32), "shape": np.array([2**22, 2**22])})


def test_refuses_buffers_that_do_not_fit(graph):
    session = Session(graph, device=CPU)
    signal, vectors = np.zeros((2, 3, 32), dtype=np.float32), np.zeros((2, 6), dtype=np.float32)
    with pytest.raises(ModelError, match="'values' holds float32, not float64"):
        session.bind({"values": signal.astype(np.float64)}, {"embedding": vectors})
    with pytest.raises(ModelError, match=r"has no 'vector'; it has: embedding\. Correct the name"):
        session.bind({"values": signal}, {"vector": vectors})
    for wrong in (np.zeros((2, 5), dtype=np.float32), np.zeros((3, 6), dtype=np.float32)):
        with pytest.raises(ModelError, match="does not run"):
            session.bind({"values": signal}, {"embedding": wrong}).run()


def test_a_run_that_fails_says_why_in_one_line(graph):
    with pytest.raises(ModelError, match=r"^encoder.onnx does not run: .*values.*Got: 2 Expected: 3\.$") as caught:
        Session(graph, device=CPU).run({"values": np.zeros((1, 2, 32), dtype=np.float32)})
    assert "ONNXRuntimeError" not in str(caught.value)


def damage(path: Path, kind: str) -> None:
    whole = path.read_bytes()
    if kind == "missing":
        path.unlink()
    elif kind == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("not a graph\n" * 50)
    elif kind == "foreign":
        foreign(path)
    elif kind == "newer":
        model = onnx.load(path)
        model.ir_version = 99
        path.write_bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "There is no model file .*encoder.onnx"),
        ("truncated", "is not an ONNX model, or it is truncated"),
        ("empty", "is not an ONNX model, or it is truncated"),
        ("text", "is not an ONNX model, or it is truncated"),
        ("foreign", "uses the operator my.ops:Foo, which ONNX Runtime does not have"),
        ("newer", "exported for a newer ONNX Runtime"),
    ],
)
def test_a_broken_file_is_refused_in_plain_words(graph, kind, message, capfd):
    damage(graph, kind)
    with pytest.raises(ModelError, match=message) as caught:
        Session(graph, device=CPU)
    assert "ONNXRuntimeError" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_weights_beside_the_graph(tmp_path):
    graph = transformer(tmp_path / "encoder.onnx", weights_file="weights.bin")
    Session(graph, device=CPU)
    weights = (tmp_path / "weights.bin").read_bytes()
    (tmp_path / "weights.bin").write_bytes(weights[:100])
    with pytest.raises(ModelError, match="keeps its weights in a file that is truncated"):
        Session(graph, device=CPU)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ModelError, match=r"keeps its weights in weights\.bin, which is not beside it") as caught:
        Session(graph, device=CPU)
    assert caught.value.code == "weights_missing"


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/hostname"])
def test_weights_outside_the_folder_are_refused(tmp_path, location):
    (tmp_path / "inner").mkdir()
    graph = transformer(tmp_path / "inner" / "encoder.onnx", weights_file="weights.bin")
    (tmp_path / "inner" / "weights.bin").rename(tmp_path / "weights.bin")
    model = onnx.load(graph, load_external_data=False)
    for tensor in model.graph.initializer:
        for item in tensor.external_data:
            if item.key == "location":
                item.value = location
    graph.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="points to weights outside its own folder"):
        Session(graph, device=CPU)


def test_the_processor_is_always_there():
    device = resolve_device("cpu")
    assert device.kind == "cpu"
    assert device.name.startswith(f"cpu ({usable_cores()} thread")


def test_cuda_runs_or_says_why_not():
    driver = query_driver()
    if driver.gpus and "CUDAExecutionProvider" in runtime_report()["providers"]:
        assert resolve_device("cuda") == resolve_device("auto") == Device("cuda", driver.gpus[0])
        return
    reason = (
        re.escape(driver.gpus[0]) if driver.gpus else r"device cuda was asked for, but .*\. Install the NVIDIA driver"
    )
    with pytest.raises(DeviceError, match=reason):
        resolve_device("cuda")
    device = resolve_device("auto")
    assert device.kind == "cpu"
    assert bool(device.note) == bool(driver.gpus)


def test_a_session_never_falls_back(graph):
    if query_driver().gpus:
        pytest.skip("there is a GPU to run on")
    with pytest.raises(DeviceError):
        Session(graph, device=Device("cuda", "a GPU that is not there"))


def test_an_unknown_device_is_refused():
    with pytest.raises(DeviceError, match="device must be auto, cpu or cuda; got 'tpu'"):
        resolve_device("tpu")


def install(folder: Path, name: str, version: str) -> None:
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def test_two_runtimes_at_once_are_refused(tmp_path, monkeypatch):
    here = installed_runtimes()
    other = "onnxruntime-directml"
    install(tmp_path, other, "1.24.4")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert installed_runtimes() == here | {other: "1.24.4"}
    with pytest.raises(DeviceError, match="are installed together") as caught:
        resolve_device("auto")
    assert caught.value.code == "runtime_clash"
    assert other in caught.value.cure
    assert "pip uninstall -y" in caught.value.cure
    assert "are installed together" in runtime_report()["problem"]


def test_a_missing_runtime_names_the_package_to_install():
    with pytest.raises(DeviceError, match=r"pip install 'sensor-state-engine\[cpu\]'") as caught:
        check_runtime({})
    assert caught.value.code == "runtime_missing"


def test_the_report_is_plain_data():
    report = runtime_report()
    assert report["runtimes"] == installed_runtimes()
    assert "CPUExecutionProvider" in report["providers"]
    assert report["device"]["kind"] in ("cpu", "cuda")
    assert report["problem"] == ""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_quota_of_this_group_or_of_one_around_it_limits_the_cores(tmp_path):
    write(tmp_path / "proc/self/cgroup", "0::/slice/service\n")
    write(tmp_path / "sys/fs/cgroup/slice/service/cpu.max", "max 100000\n")
    everything = usable_cores(tmp_path)
    write(tmp_path / "sys/fs/cgroup/slice/cpu.max", "100000 100000\n")
    assert usable_cores(tmp_path) == 1
    write(tmp_path / "sys/fs/cgroup/slice/cpu.max", "25000 100000\n")
    assert usable_cores(tmp_path) == 1
    write(tmp_path / "sys/fs/cgroup/slice/cpu.max", "150000 100000\n")
    assert usable_cores(tmp_path) == min(everything, 2)


def test_a_quota_of_the_first_version_limits_the_cores(tmp_path):
    write(tmp_path / "proc/self/cgroup", "4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n")
    everything = usable_cores(tmp_path)
    # In a container the group's own folder is the root of the mount.
    write(tmp_path / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
    write(tmp_path / "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    assert usable_cores(tmp_path) == everything
    write(tmp_path / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "80000\n")
    assert usable_cores(tmp_path) == 1


def test_without_control_groups_the_affinity_decides(tmp_path):
    assert usable_cores(tmp_path) == len(os.sched_getaffinity(0))


def test_importing_the_models_loads_no_runtime():
    code = (
        "import sys, engine.models.session, engine.models.catalog, engine.models.encoder\n"
        "print([name for name in ('onnxruntime', 'numba', 'faiss', 'polars') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
