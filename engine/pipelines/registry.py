"""The pipelines that can be run: their keys, ports and configuration models."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from engine.pipelines.activity_detection.config import ActivityConfig
from engine.pipelines.machine_state.config import MachineStateConfig

Mode = Literal["plain_file_list", "n_shot_file_list", "checkpoint"]


@dataclass(frozen=True, slots=True)
class InputPort:
    """Where a pipeline takes files: `required` must have at least one, `tracked` ones are processed and reported one by one."""

    name: str
    description: str
    mode: Mode = "plain_file_list"
    required: bool = False
    tracked: bool = False


@dataclass(frozen=True, slots=True)
class OutputPort:
    """Where a pipeline puts files."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline of the registry. Components have one name here: `worker`.

    `legacy` maps former places of configuration keys to their present ones, as dotted paths.
    """

    key: str
    version: str
    pipeline_type: Literal["batch", "training"]
    name: str
    description: str
    config: type[BaseModel]
    inputs: tuple[InputPort, ...]
    outputs: tuple[OutputPort, ...]
    legacy: dict[str, str]

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of `parameters.worker.config`: all keys, additional properties allowed."""
        return self.config.model_json_schema()

    def default_config(self) -> dict[str, Any]:
        """Return `parameters` as they are without a request."""
        return {"worker": {"parallelism": 1, "config": self.config().model_dump(mode="json")}}


PIPELINES: dict[str, Pipeline] = {
    pipeline.key: pipeline
    for pipeline in (
        Pipeline(
            key="machine-state-classification",
            version="1.1.1",
            pipeline_type="batch",
            name="Machine state classification",
            description="Predicts one class for every sliding window of sensor CSVs from a few labelled example files.",
            config=MachineStateConfig,
            inputs=(
                InputPort("worker.inference", "Files to classify.", required=True, tracked=True),
                InputPort(
                    "worker.n_shots",
                    "Labelled example files; metadata.class is the label.",
                    mode="n_shot_file_list",
                    required=True,
                ),
                InputPort(
                    "worker.fine_tune_checkpoint", "A trained checkpoint in place of n-shots.", mode="checkpoint"
                ),
                InputPort("worker.labels", "Truth of inference files; metadata.for names the inference file."),
            ),
            outputs=(
                OutputPort("worker.results", "One prediction per window."),
                OutputPort("worker.embeddings", "Window vectors, when output.embeddings is set."),
            ),
            legacy={
                "data_columns": "reader_config.data_columns",
                "timestamp_column": "reader_config.timestamp_column",
            },
        ),
        Pipeline(
            key="activity-detection",
            version="0.0.20",
            pipeline_type="batch",
            name="Activity detection",
            description="Answers every record of JSONL files in words, with a language model.",
            config=ActivityConfig,
            inputs=(InputPort("worker.data", "JSONL files, one record a line.", required=True, tracked=True),),
            outputs=(OutputPort("worker.result", "One answer per line."),),
            legacy={},
        ),
    )
}
