"""The only place that opens ONNX Runtime sessions: provider, threads, bound buffers, and the truth about the device.

A session runs on exactly the device it was asked for or raises; nothing falls back silently. Results are the same bits for the
same shapes on the same machine: convolution algorithms are not chosen by timing, TF32 is off, and threads do not spin unless asked to.
"""

import functools
import importlib.util
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import DeviceError, ModelError, OutOfMemory
from engine.models.device import (
    Device,
    check_runtime,
    installed_companions,
    installed_runtimes,
    query_driver,
    usable_cores,
)

__all__ = ["Bound", "Buffer", "Device", "Session", "TensorInfo", "resolve_device", "runtime_report", "usable_cores"]

Array = npt.NDArray[Any]

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
CUDA_OPTIONS = {
    "use_tf32": "0",  # on by default: ten bits of mantissa
    "cudnn_conv_algo_search": "HEURISTIC",  # the default picks by timing, so that bits change from run to run
}
QUIET = 4  # only fatal messages reach the terminal: what is an error here is raised, and said once
PROBE = Path(__file__).parent / "builtin" / "multiscale" / "filters_2.onnx"  # a convolution: cuDNN has to load
_NO_MEMORY = re.compile(
    r"Failed to allocate memory|bad_alloc|bad allocation|out of memory|CUDA_ERROR_OUT_OF_MEMORY|ALLOC_FAILED|Available memory of",
    re.IGNORECASE,
)
DTYPES = {  # ONNX Runtime's names of tensor types -> NumPy's
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
}


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """An input or output as its graph declares it: a free dimension is a name or None, an unknown `dtype` the graph's own word."""

    name: str
    shape: tuple[int | str | None, ...]
    dtype: str


class Buffer:
    """Zeroed memory where a session runs: NumPy's on a CPU, the runtime's own on CUDA, so that runs need not copy it.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    array : numpy array or None
        The memory itself; None on CUDA.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: Any, pointer: int, owner: Any, array: Array | None, *, whole: bool = True
    ) -> None:
        """Describe memory that `owner` keeps; callers use `Session.buffer`."""
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.array = array
        self.pointer = pointer
        self._owner, self._is_whole = owner, whole

    def view(self, index: int) -> "Buffer":
        """Return the part at one index of the first axis, as a batch of one; no copy."""
        shape = (1, *self.shape[1:])
        return self.shaped(shape, index * math.prod(shape))

    def shaped(self, shape: tuple[int, ...], first: int = 0) -> "Buffer":
        """Return numbers from the `first` on in another shape; no copy."""
        size = math.prod(shape)
        assert 0 <= first <= first + size <= math.prod(self.shape)
        array = None if self.array is None else self.array.reshape(-1)[first : first + size].reshape(shape)
        return Buffer(shape, self.dtype, self.pointer + first * self.dtype.itemsize, self._owner, array, whole=False)

    def fill(self, content: Array) -> None:
        """Overwrite all of it, which is no part of another, with an array of its own shape and type."""
        assert self._is_whole
        assert content.shape == self.shape
        assert content.dtype == self.dtype
        if self.array is None:
            self._owner.update_inplace(np.ascontiguousarray(content))
        else:
            np.copyto(self.array, content)

    def to_host(self) -> Array:
        """Return the content, copied where it is on another device; there it is no part of another."""
        if self.array is None:
            assert self._is_whole
            content: Array = self._owner.numpy()
            return content
        return self.array


class Session:
    """One graph, ready to run.

    Several Python threads may share a session, each with buffers of its own (`bind`); the GIL is released while it runs.

    Parameters
    ----------
    path : Path
        The graph; files with its weights are looked for beside it.
    device : Device
        Where it has to run.
    threads : int
        Threads inside one run. 1 for graphs that several callers run at once: that scales better than threads inside.
    spin : bool
        Let these threads wait for their next piece of work by spinning for a moment, rather than at once by sleeping. For graphs of many
        small operators that run one after the other, as a decoder's steps do.

    Attributes
    ----------
    inputs, outputs : tuple[TensorInfo, ...]
    device : Device
        Where it really runs.

    Raises
    ------
    ModelError
        The file is missing, truncated, no graph, or needs what the runtime does not have.
    DeviceError
        The runtime is not installed, or does not run on this device.
    """

    def __init__(self, path: Path, *, device: Device, threads: int = 1, spin: bool = False) -> None:
        runtime = _load_runtime()
        if not path.is_file():
            raise ModelError(f"There is no model file {path}.", code="model_missing")
        options = runtime.SessionOptions()
        options.log_severity_level = QUIET
        options.intra_op_num_threads = max(1, threads)
        options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spin)))
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        providers: list[Any] = [CPU]
        if device.kind == "cuda":
            if CUDA not in runtime.get_available_providers():
                raise DeviceError(f"{path.name} cannot run on CUDA: the installed ONNX Runtime is built for CPUs.")
            providers = [(CUDA, CUDA_OPTIONS), CPU]
        try:
            self._session = runtime.InferenceSession(str(path), options, providers=providers, enable_fallback=0)
        except Exception as error:
            if not _is_of_runtime(error):
                raise
            _raise_memory(path, error)
            message, code = _explain_opening(path, str(error))
            raise ModelError(message, code=code) from None
        first = self._session.get_providers()[0]
        if device.kind == "cuda" and first != CUDA:
            raise DeviceError(f"{path.name} was to run on CUDA, but ONNX Runtime took {first}.")
        self.device = device
        self.inputs = tuple(_info(node) for node in self._session.get_inputs())
        self.outputs = tuple(_info(node) for node in self._session.get_outputs())
        self._path = path

    def run(self, feeds: Mapping[str, Array], outputs: Sequence[str] | None = None) -> list[Array]:
        """Run once on any shapes and return new arrays, in the order of `outputs` (all of them when None).

        Raises
        ------
        ModelError
            The graph does not run on these inputs.
        """
        try:
            results: list[Array] = self._session.run(outputs, dict(feeds))
        except Exception as error:
            if not _is_of_runtime(error):
                raise
            _raise_memory(self._path, error)
            raise ModelError(f"{self._path.name} does not run: {_sentence(str(error))}", code="model_run") from None
        return results

    def buffer(self, shape: tuple[int, ...], dtype: str, content: Array | None = None) -> Buffer:
        """Return memory where this session runs: zeros, or `content` in its beginning along every axis.

        Raises
        ------
        OutOfMemory
            There is not so much.
        """
        try:
            values = np.zeros(shape, dtype)
            if content is not None:
                values[tuple(slice(0, size) for size in content.shape)] = content
            if self.device.kind == "cpu":
                return Buffer(shape, dtype, values.ctypes.data, values, values)
            owner = _load_runtime().OrtValue.ortvalue_from_numpy(values, "cuda", 0)
        except MemoryError:
            raise _memory_ran_out(self._path) from None
        except Exception as error:
            if not _is_of_runtime(error):
                raise
            _raise_memory(self._path, error)
            raise ModelError(f"{self._path.name}: {_sentence(str(error))}", code="model_run") from None
        return Buffer(shape, dtype, owner.data_ptr(), owner, None)

    def bind(self, inputs: Mapping[str, Array | Buffer], outputs: Mapping[str, Array | Buffer]) -> "Bound":
        """Tie memory to the graph, so that a run reads `inputs` and overwrites `outputs` in place.

        Parameters
        ----------
        inputs, outputs : name -> array or buffer
            Of the graph's types, arrays C-contiguous; kept by the result. On CUDA, arrays stay in the machine's memory and are
            copied by the runtime, buffers are where they are needed. One may be both an input and an output.

        Raises
        ------
        ModelError
            A name is not the graph's, or a buffer has another type.
        """
        return Bound(self, inputs, outputs)


class Bound:
    """A session with its input and output buffers. One thread at a time may run it; a run costs 3 us beyond the graph."""

    def __init__(
        self, session: Session, inputs: Mapping[str, Array | Buffer], outputs: Mapping[str, Array | Buffer]
    ) -> None:
        self._session = session
        self._arrays = (dict(inputs), dict(outputs))  # keeps the memory alive
        self._binding = session._session.io_binding()  # noqa: SLF001 - one class in two parts
        for known, given, bind in (
            (session.inputs, inputs, self._binding.bind_input),
            (session.outputs, outputs, self._binding.bind_output),
        ):
            for name, memory in given.items():
                _check_buffer(session._path, known, name, memory)  # noqa: SLF001
                self._tie(bind, name, memory)
        # The runtime copies an input from the machine's memory to the GPU when it is bound, not when the graph runs.
        self._stale = {
            name: memory
            for name, memory in inputs.items()
            if session.device.kind == "cuda" and not isinstance(memory, Buffer)
        }

    def run(self) -> None:
        """Run the graph: the output buffers hold the results when it returns.

        Raises
        ------
        ModelError
            The graph does not run on these shapes.
        """
        session = self._session
        try:
            for name, memory in self._stale.items():
                self._tie(self._binding.bind_input, name, memory)
            if self._stale:
                self._binding.synchronize_inputs()
            session._session.run_with_iobinding(self._binding)  # noqa: SLF001
            if session.device.kind == "cuda":
                self._binding.synchronize_outputs()
        except Exception as error:
            if not _is_of_runtime(error):
                raise
            _raise_memory(session._path, error)  # noqa: SLF001
            name = session._path.name  # noqa: SLF001
            raise ModelError(f"{name} does not run: {_sentence(str(error))}", code="model_run") from None

    def _tie(self, bind: Callable[..., None], name: str, memory: Array | Buffer) -> None:
        if isinstance(memory, Buffer):
            place, pointer = self._session.device.kind, memory.pointer
        else:
            place, pointer = "cpu", memory.ctypes.data
        bind(name, place, 0, memory.dtype.type, memory.shape, pointer)


def resolve_device(asked: str) -> Device:
    """Decide where models run, by trying.

    `auto` takes the first GPU when a session really runs there and the CPU otherwise; why a GPU that answers was not taken is
    the device's `note`. Costs a small session on CUDA (a second or two where there is a GPU), nothing elsewhere.

    Raises
    ------
    DeviceError
        `cuda` was asked for and does not run, with the reason and the cure; or the word is unknown.
    """
    if asked not in ("auto", "cpu", "cuda"):
        raise DeviceError(f"device must be auto, cpu or cuda; got {asked!r}.", code="invalid_parameter")
    check_runtime(installed_runtimes())
    cores = usable_cores()
    cpu = Device("cpu", f"cpu ({cores} thread{'s' if cores > 1 else ''})")
    if asked == "cpu":
        return cpu
    driver = query_driver()
    if not driver.gpus:
        if asked == "auto":
            return cpu
        raise DeviceError(
            f"device cuda was asked for, but {driver.problem}.",
            cure="Install the NVIDIA driver, or use device auto or cpu.",
        )
    gpu = Device("cuda", driver.gpus[0])
    try:
        _probe(gpu)
    except (DeviceError, ModelError) as error:
        reason = f"{gpu.name} answers, but no session runs on it: {error}"
        if asked == "auto":
            return Device(cpu.kind, cpu.name, note=reason)
        raise DeviceError(
            reason,
            cure=f"Install the CUDA build: pip uninstall -y {' '.join(installed_runtimes())} faiss-cpu"
            " && pip install 'sensor-state-engine[gpu]'",
        ) from error
    return gpu


def runtime_report() -> dict[str, Any]:
    """Return what is installed and what it can use, as plain data; a problem is told, not raised."""
    installed = installed_runtimes()
    driver = query_driver()
    report: dict[str, Any] = {
        "runtimes": installed,
        "libraries": installed_companions(),
        "cores": usable_cores(),
        "driver": {"found": driver.loads, "gpus": list(driver.gpus), "problem": driver.problem},
        "providers": [],
        "problem": "",
    }
    try:
        report["providers"] = list(_load_runtime().get_available_providers())
        device = resolve_device("auto")
        report["device"] = {"kind": device.kind, "name": device.name, "note": device.note}
    except DeviceError as error:
        report["problem"] = str(error)
    return report


@functools.cache
def _load_runtime() -> Any:
    """Import ONNX Runtime once, and the CUDA libraries where a driver is there to use them."""
    check_runtime(installed_runtimes())
    try:
        import onnxruntime
    except ImportError as error:
        raise _broken_runtime(str(error)) from error
    if not hasattr(onnxruntime, "get_available_providers"):  # what is left when one of two distributions was removed
        raise _broken_runtime("its files are incomplete")
    # Without the NVIDIA wheels, or without a driver, preload_dlls prints what it cannot find.
    if CUDA in onnxruntime.get_available_providers() and query_driver().gpus and importlib.util.find_spec("nvidia"):
        onnxruntime.preload_dlls()
    return onnxruntime


def _broken_runtime(reason: str) -> DeviceError:
    names = " ".join(installed_runtimes())
    return DeviceError(
        f"The installed ONNX Runtime ({names}) does not load: {reason}.",
        code="runtime_broken",
        cure=f"Reinstall it: pip install --force-reinstall --no-deps {names}",
    )


def _probe(device: Device) -> None:
    """Run a small convolution on the device, or raise what keeps it from running."""
    session = Session(PROBE, device=device)
    session.run({session.inputs[0].name: np.zeros((1, 1, 16), dtype=np.float32)})


def _info(node: Any) -> TensorInfo:
    return TensorInfo(node.name, tuple(node.shape), DTYPES.get(node.type, node.type))


def _check_buffer(path: Path, known: tuple[TensorInfo, ...], name: str, array: Array | Buffer) -> None:
    for info in known:
        if info.name == name:
            if info.dtype != array.dtype.name:
                raise ModelError(f"{path.name}: '{name}' holds {info.dtype}, not {array.dtype.name}.")
            assert isinstance(array, Buffer) or array.flags.c_contiguous
            return
    names = ", ".join(info.name for info in known)
    raise ModelError(f"{path.name} has no '{name}'; it has: {names}.", cure="Correct the name in model.json.")


def _raise_memory(path: Path, error: Exception) -> None:
    """Raise OutOfMemory where that is what the runtime says."""
    if _NO_MEMORY.search(str(error)):
        raise _memory_ran_out(path) from None


def _memory_ran_out(path: Path) -> OutOfMemory:
    return OutOfMemory(
        f"{path.name} does not fit into memory.", cure="Free some, or take a smaller batch_size or a smaller model."
    )


def _is_of_runtime(error: Exception) -> bool:
    """Tell whether ONNX Runtime raised it; its errors have no common class, only a module."""
    return type(error).__module__.startswith("onnxruntime") or isinstance(error, ValueError | RuntimeError)


def _explain_opening(path: Path, text: str) -> tuple[str, str]:
    """Say in one sentence why a graph does not open, and the error's code."""
    operator = re.search(r"Fatal error: (\S+?)(?:\(-?\d+\))? is not a registered", text)
    missing = re.search(r'External data path does not exist: "([^"]+)"', text)
    reason = f"does not open: {_sentence(text)}"
    if "INVALID_PROTOBUF" in text or "No graph was found" in text:
        reason = "is not an ONNX model, or it is truncated."
    elif missing:
        return f"{path.name} keeps its weights in {Path(missing[1]).name}, which is not beside it.", "weights_missing"
    elif "out of bounds or can not be read in full" in text:
        reason = "keeps its weights in a file that is truncated."
    elif "escapes model directory" in text or "Absolute path not allowed" in text:
        reason = "points to weights outside its own folder, which is refused."
    elif operator:
        reason = f"uses the operator {operator[1]}, which ONNX Runtime does not have; custom operators are not loaded."
    elif "only *guarantees* support" in text or "Unsupported model IR version" in text:
        reason = "was exported for a newer ONNX Runtime than the installed one."
    return f"{path.name} {reason}", "invalid_model"


def _sentence(text: str) -> str:
    """Reduce a runtime's message to what is wrong, on one line."""
    text = text.rsplit("Status Message: ", maxsplit=1)[-1]
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text)
    text = " ".join(text.replace("Please fix either the inputs/outputs or the model.", "").split())
    return text[:300].rstrip(".") + "."
