#!/usr/bin/env python3
"""Export a PyTorch encoder to `encoder.onnx`, ready for `engine models add`.

    scripts/export_encoder.py my_models.py:build --checkpoint weights.pt --shape 1x512 --mask int64 --out exported/
    engine models add exported/ --name my-encoder

The module is named as FILE.py:ATTRIBUTE or package.module:ATTRIBUTE, a class or a function that returns a `torch.nn.Module`;
a program saved by `torch.export.save` (.pt2) will do too. Its `forward` takes the readings first, (batch, channels, rows) or
whatever `--shape` says behind the batch, and then the mask, (batch, rows), if there is one.

PyTorch is no dependency of the engine. Where it is not installed, the script makes an environment of its own for it
(`--environment`) and starts again in there; the second time this costs nothing. What was exported is run by ONNX Runtime and
compared with PyTorch, for three batch sizes, before the script says that it is done.
"""

import argparse
import importlib
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from environment import enter

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("torch>=2.9", "onnx>=1.23", "onnxscript>=0.5", "onnxruntime>=1.31.1", "numpy>=2.4")
OPSET = 18
SINGLE_FILE_WEIGHTS = 400_000_000  # more do not fit the 2 GiB that one ONNX file may have
TOLERANCE = 1e-3  # relative to the largest value: the runtimes sum in different orders


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return the command line's options."""
    lines = (__doc__ or "").splitlines()
    parser = argparse.ArgumentParser(
        description=lines[0], epilog="\n".join(lines[1:]), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="FILE.py:ATTRIBUTE, package.module:ATTRIBUTE, or a .pt2 program")
    parser.add_argument(
        "--shape", required=True, type=parse_shape, help="one window without the batch: 1x512, 9x256, 512"
    )
    parser.add_argument("--out", required=True, type=Path, help="folder for encoder.onnx")
    parser.add_argument("--arguments", default={}, type=json.loads, help="keyword arguments of ATTRIBUTE, as JSON")
    parser.add_argument("--checkpoint", type=Path, help="state dict to load into the module")
    parser.add_argument("--checkpoint-key", default="", help="where the state dict lies in the checkpoint: state_dict")
    parser.add_argument("--mask", choices=["int64", "bool", "float32"], help="pass a mask of this type, 1 for readings")
    parser.add_argument("--output", default="", help="key or attribute of forward's result; all of it by default")
    parser.add_argument("--batch", type=int, help="fix the batch; any size by default")
    parser.add_argument("--any-length", action="store_true", help="leave the number of rows, the last of --shape, open")
    parser.add_argument(
        "--environment",
        type=Path,
        default=REPOSITORY / ".venv-export",
        help="where PyTorch is installed if it has to be",
    )
    return parser.parse_args(arguments)


def parse_shape(text: str) -> tuple[int, ...]:
    """Return `1x512` as (1, 512)."""
    sizes = tuple(int(size) for size in text.split("x"))
    if len(sizes) > 2 or min(sizes) < 1:
        raise argparse.ArgumentTypeError(f"expected ROWS or CHANNELSxROWS, got {text}")
    return sizes


def load_attribute(name: str) -> Any:
    """Return what FILE.py:ATTRIBUTE or package.module:ATTRIBUTE names."""
    place, _, attribute = name.rpartition(":")
    if not place:
        raise SystemExit(f"{name} names no attribute. Write FILE.py:ATTRIBUTE or package.module:ATTRIBUTE.")
    if place.endswith(".py"):
        path = Path(place).resolve()
        if not path.is_file():
            raise SystemExit(f"There is no file {place}.")
        sys.path.insert(0, str(path.parent))
        place = path.stem
    module = importlib.import_module(place)
    if not hasattr(module, attribute):
        raise SystemExit(f"{place} has no {attribute}.")
    return getattr(module, attribute)


def load_module(options: argparse.Namespace) -> Any:
    """Return the module in evaluation mode, with its weights."""
    import torch

    if options.model.endswith(".pt2"):
        return torch.export.load(options.model).module()
    module = load_attribute(options.model)(**options.arguments)
    if not isinstance(module, torch.nn.Module):
        raise SystemExit(f"{options.model} gives a {type(module).__name__}, not a torch.nn.Module.")
    if options.checkpoint:
        state = torch.load(options.checkpoint, map_location="cpu", weights_only=True)  # never unpickles code
        for key in filter(None, options.checkpoint_key.split(".")):
            state = state[key]
        module.load_state_dict(state)
    return module.eval().float()


def choose_result(module: Any, key: str) -> Any:
    """Wrap a module whose forward returns a mapping or an object, so that it returns one tensor of it."""
    import torch

    class Chosen(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = module

        def forward(self, *inputs: Any) -> Any:
            result = self.inner(*inputs)
            return result[key] if hasattr(result, "keys") else getattr(result, key)

    return Chosen().eval()


def make_inputs(options: argparse.Namespace, batch: int, *, half_masked: bool = False) -> tuple[Any, ...]:
    """Return random readings and, where there is one, a mask."""
    import torch

    torch.manual_seed(batch)
    readings = torch.randn(batch, *options.shape)
    if not options.mask:
        return (readings,)
    mask = torch.ones(batch, options.shape[-1], dtype=getattr(torch, options.mask))
    if half_masked:
        mask[:, mask.shape[1] // 2 :] = 0
    return readings, mask


def export(module: Any, options: argparse.Namespace) -> Path:
    """Write the graph and return its path."""
    import torch

    options.out.mkdir(parents=True, exist_ok=True)
    path: Path = options.out / "encoder.onnx"
    free: dict[int, Any] = {} if options.batch else {0: torch.export.Dim.DYNAMIC}
    rows = {len(options.shape): torch.export.Dim.DYNAMIC} if options.any_length else {}
    shapes = [free | rows]
    if options.mask:
        shapes.append(free | ({1: torch.export.Dim.DYNAMIC} if options.any_length else {}))
    torch.onnx.export(
        module,
        make_inputs(options, options.batch or 2),
        str(path),
        input_names=["values", "mask"] if options.mask else ["values"],
        output_names=["embedding"] if options.output else None,
        dynamic_shapes=tuple(shapes),
        opset_version=OPSET,
        dynamo=True,
        external_data=sum(p.numel() for p in module.parameters()) > SINGLE_FILE_WEIGHTS,
    )
    return path


def compare(module: Any, path: Path, options: argparse.Namespace) -> float:
    """Return the largest difference between PyTorch and ONNX Runtime, relative to the largest value."""
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [node.name for node in session.get_inputs()]
    worst = 0.0
    for batch in (options.batch,) if options.batch else (1, 2, 5):
        for half_masked in (False, True) if options.mask else (False,):
            inputs = make_inputs(options, batch, half_masked=half_masked)
            with torch.no_grad():
                result = module(*inputs)
            expected = result if isinstance(result, torch.Tensor) else next(iter(_tensors(result)))
            feeds = {name: value.numpy() for name, value in zip(names, inputs, strict=True)}
            found = session.run(None, feeds)[0]
            scale = max(float(expected.abs().max()), 1e-30)
            worst = max(worst, float((torch.from_numpy(found) - expected).abs().max()) / scale)
    return worst


def _tensors(result: Any) -> list[Any]:
    return list(result.values() if hasattr(result, "values") else result)


def main() -> None:
    """Export, compare, and say what to do next."""
    options = parse_arguments(sys.argv[1:])
    enter(options.environment, PACKAGES, ("torch", "onnxscript"))
    module = load_module(options)
    if options.output:
        module = choose_result(module, options.output)
    path = export(module, options)
    difference = compare(module, path, options)
    if difference > TOLERANCE:
        raise SystemExit(f"{path} differs from PyTorch by {difference:.1e} of the largest value, so it is not usable.")
    print(f"{path}: equal to PyTorch within {difference:.1e} of the largest value.")
    print(f"Add it with: engine models add {options.out} --name NAME")


if __name__ == "__main__":
    main()
