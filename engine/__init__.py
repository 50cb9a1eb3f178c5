"""Streaming inference for sensor data.

    import engine

    result = engine.classify("plant.csv", shots={"idle": "idle.csv", "run": "run.csv"}, window=64)
    result.predictions["plant.csv"]        # a Polars frame: timestamp, Prediction

    for answer in engine.generate(["Pressure falls while the pump runs. What is going on?"]):
        print(answer.prediction)

The import is cheap: numba, Polars, ONNX Runtime and FAISS are loaded when they are first needed.
"""

from typing import TYPE_CHECKING, Any

from engine.errors import (
    DeviceError,
    DiskFull,
    EngineError,
    FolderInUse,
    FolderOfAnotherJob,
    InputError,
    JobFailed,
    ModelError,
    OutputError,
    Problem,
    RequestError,
)

if TYPE_CHECKING:
    from engine.jobs.answers import generate
    from engine.jobs.local import Classification, classify, quantize, run
    from engine.jobs.results import read_results
    from engine.output.answers import AnswerSummary
    from engine.output.summary import Summary
    from engine.pipelines.activity_detection.answers import Answer
    from engine.pipelines.course import Progress
    from engine.pipelines.machine_state.estimator import StateClassifier

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "AnswerSummary",
    "Classification",
    "DeviceError",
    "DiskFull",
    "EngineError",
    "FolderInUse",
    "FolderOfAnotherJob",
    "InputError",
    "JobFailed",
    "ModelError",
    "OutputError",
    "Problem",
    "Progress",
    "RequestError",
    "StateClassifier",
    "Summary",
    "__version__",
    "classify",
    "generate",
    "quantize",
    "read_results",
    "run",
]

_LAZY = {
    "Answer": "engine.pipelines.activity_detection.answers",
    "AnswerSummary": "engine.output.answers",
    "Classification": "engine.jobs.local",
    "classify": "engine.jobs.local",
    "generate": "engine.jobs.answers",
    "quantize": "engine.jobs.local",
    "read_results": "engine.jobs.results",
    "run": "engine.jobs.local",
    "Progress": "engine.pipelines.course",
    "StateClassifier": "engine.pipelines.machine_state.estimator",
    "Summary": "engine.output.summary",
}


def __getattr__(name: str) -> Any:
    """Load the rest of the public names on first use."""
    import importlib

    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
