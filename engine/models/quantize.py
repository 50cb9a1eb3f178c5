"""An encoder's twin in eight bits: whole numbers where the graph multiplies, by the ranges that the user's own windows showed.

ONNX Runtime's static quantisation: weights symmetrically, one range a filter; what flows between them by the least and the greatest value
seen. A processor without VNNI adds products of eight bits into sixteen and can overflow, so there weights get seven bits.
"""

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import ModelError
from engine.models.device import Device
from engine.models.manifest import ModelEntry, digest, write_manifest
from engine.models.session import QUIET, Array, Bound, Buffer, Session

MOST = 64  # batches of a recording that ranges are taken from
MULTIPLY = ["Conv", "ConvTranspose", "Gemm", "MatMul"]  # sums, which masks of -1e9 are added to, stay as they are
OPSET = 13  # from which on one range a filter can be told
WARNINGS = 2  # what the runtime says unless it is told otherwise
Feed = dict[str, Array]


class Listener:
    """Opens sessions and keeps what they are fed: evenly chosen batches, at most `MOST` since the last `take`. For one thread."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._feeds: list[tuple[int, Feed]] = []
        self._count, self._every = 0, 1

    def open(self, path: Path, *, device: Device, threads: int = 1, spin: bool = False) -> Session:
        """Open a session that is listened to, as `Session` does."""
        return _Session(self, path, device=device, threads=threads, spin=spin)

    def hear(self, inputs: Mapping[str, Array | Buffer]) -> None:
        """Note one batch."""
        if self._count % self._every == 0:
            self._feeds.append((self._count, {name: _copy(memory) for name, memory in inputs.items()}))
        self._count += 1
        if len(self._feeds) > MOST:
            self._feeds = self._feeds[::2]
            self._every *= 2

    def take(self, share: float = 1.0) -> list[Feed]:
        """Return the batches kept of the first `share` of all that were heard, and forget everything."""
        taken = [feed for place, feed in self._feeds if place < share * self._count]
        self._begin()
        return taken


class _Session(Session):
    def __init__(self, listener: Listener, path: Path, *, device: Device, threads: int, spin: bool) -> None:
        super().__init__(path, device=device, threads=threads, spin=spin)
        self._listener = listener

    def bind(self, inputs: Mapping[str, Array | Buffer], outputs: Mapping[str, Array | Buffer]) -> Bound:
        return _Bound(self._listener, self, inputs, outputs)


class _Bound(Bound):
    def __init__(
        self,
        listener: Listener,
        session: Session,
        inputs: Mapping[str, Array | Buffer],
        outputs: Mapping[str, Array | Buffer],
    ) -> None:
        super().__init__(session, inputs, outputs)
        self._listener, self._heard = listener, dict(inputs)

    def run(self) -> None:
        self._listener.hear(self._heard)
        super().run()


def check_quantizable(entry: ModelEntry) -> None:
    """Raise ModelError where a model has no int8 twin, is one, or what makes one is not installed."""
    windowed = entry.manifest.windowed
    if windowed is None:
        raise ModelError(
            f"{entry.name} is run over the series, not over windows; only encoders of windows are quantised.",
            cure="Name a model that was added with `engine models add`.",
        )
    session = Session(entry.folder / windowed.file, device=Device("cpu", "cpu"))
    dtype = next(info.dtype for info in session.inputs if info.name == windowed.input)
    if dtype != "float32":
        raise ModelError(f"{entry.name} takes {dtype}; only encoders of float32 are quantised.")
    _load_tools()
    kinds = _kinds(_load_graph(entry.folder / windowed.file, weights=False))
    if any("QuantizeLinear" in kind or kind.startswith("QLinear") or kind.endswith("Integer") for kind in kinds):
        raise ModelError(f"{entry.name} is quantised already.")
    if not kinds.intersection(MULTIPLY):
        raise ModelError(f"{entry.name} has no convolution and no matrix product: there is nothing to quantise.")


@contextlib.contextmanager
def quantized(entry: ModelEntry, feeds: Sequence[Feed]) -> Iterator[Path]:
    """Make a model's int8 twin in a folder of its own, ready for `Catalog.add`, and remove it afterwards.

    Parameters
    ----------
    entry : ModelEntry
        That `check_quantizable` has nothing against.
    feeds : sequence of name -> array
        Batches as the graph is fed with them, at least one: values beyond what they show are cut off.

    Raises
    ------
    ModelError
        The graph cannot be quantised.
    """
    windowed = entry.manifest.windowed
    assert windowed is not None
    assert feeds
    exact = _has_vnni()
    with tempfile.TemporaryDirectory(prefix="engine-quantize-") as name:
        folder = Path(name)
        made = folder / "made"
        made.mkdir()
        target = made / Path(windowed.file).name
        _quantize(entry.folder / windowed.file, folder, target, feeds, reduce_range=not exact)
        readings = np.concatenate([feed[windowed.input].reshape(-1) for feed in feeds])
        processors = "processors with VNNI" if exact else "any processor"
        manifest = entry.manifest.model_copy(
            update={
                "provenance": f"{entry.manifest.provenance}; int8 for {processors}",
                "windowed": windowed.model_copy(
                    update={
                        "file": target.name,
                        "usual_level": float(readings.mean(dtype=np.float64)),
                        "usual_spread": float(readings.std(dtype=np.float64)) or 1.0,
                    }
                ),
                "sha256": {target.name: digest(target)},
                "size_bytes": {target.name: target.stat().st_size},
            }
        )
        write_manifest(made, manifest)
        yield made


def _quantize(source: Path, folder: Path, target: Path, feeds: Sequence[Feed], *, reduce_range: bool) -> None:
    """Write the int8 twin of a graph to `target`; `folder` takes what lies between."""
    import onnx
    from onnx.version_converter import convert_version

    tools = _load_tools()

    class Reader(tools.CalibrationDataReader):  # type: ignore[misc, name-defined] # untyped
        def __init__(self) -> None:
            self._feeds = iter(feeds)

        def get_next(self) -> Feed | None:
            return next(self._feeds, None)

    whole, prepared = str(folder / "whole.onnx"), str(folder / "prepared.onnx")
    try:
        with _quiet():
            graph = _load_graph(source)
            if next((one.version for one in graph.opset_import if one.domain in ("", "ai.onnx")), OPSET) < OPSET:
                graph = convert_version(graph, OPSET)
            onnx.save_model(graph, whole)  # in one file: the tools would look for weights beside their own copies
            tools.quant_pre_process(whole, prepared, skip_symbolic_shape=True)
            tools.quantize_static(
                prepared,
                str(target),
                Reader(),
                op_types_to_quantize=MULTIPLY,
                quant_format=tools.QuantFormat.QDQ,
                per_channel=True,
                reduce_range=reduce_range,
                weight_type=tools.QuantType.QInt8,
                activation_type=tools.QuantType.QUInt8,
            )
            done = "DequantizeLinear" in _kinds(_load_graph(target, weights=False))
    except Exception as error:  # whatever their tools find in a foreign graph
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"{source.name} cannot be quantised: {reason or type(error).__name__}") from error
    if not done:
        raise ModelError(f"{source.name} has no product with weights of its own: there is nothing to quantise.")


def _load_graph(path: Path, *, weights: bool = True) -> Any:
    import onnx

    return onnx.load(str(path), load_external_data=weights)


def _kinds(model: Any) -> set[str]:
    return {node.op_type for node in model.graph.node}


def _load_tools() -> Any:
    try:
        import onnx  # noqa: F401 - the tools need it, and say so less plainly
        from onnxruntime import quantization
        from onnxruntime.quantization.shape_inference import quant_pre_process
    except ImportError as error:
        raise ModelError(
            f"Quantisation needs the package onnx: {error}.", cure="pip install 'sensor-state-engine[quantize]'"
        ) from error
    quantization.quant_pre_process = quant_pre_process
    return quantization


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the tools and their sessions say from the terminal: what matters is raised."""
    import onnxruntime

    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    onnxruntime.set_default_logger_severity(QUIET)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        onnxruntime.set_default_logger_severity(WARNINGS)
        logging.disable(before)


def _has_vnni() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "vnni" in flags or "asimddp" in flags


def _copy(memory: Array | Buffer) -> Array:
    content: Array = (memory.to_host() if isinstance(memory, Buffer) else memory).copy()
    return content
