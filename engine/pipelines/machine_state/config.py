"""The configuration of machine-state classification: every key, its default and its rule, in one place.

Validation, the JSON Schema of the registry and the resolved parameters of a job all come from these models. Keys that are not
here are accepted, kept and reported as ignored (`engine.jobs.request`).
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from engine.pipelines.section import Character, Section, Switch, Text, Whole

Normalization = Literal["none", "shots", "file", "window"]
MissingValues = Literal["ffill", "fail", "invalid"]
GapPolicy = Literal["ignore", "mark", "skip"]
LabelRule = Literal["first", "last", "majority", "pure"]
OutputFormat = Literal["csv", "jsonl", "parquet"]


class ReaderConfig(Section):
    """How an input file is read and cut into windows."""

    data_columns: Annotated[list[Text], Field(min_length=1)] | None = Field(
        None,
        description="Ordered channels; null takes all columns of the first inference file but timestamp and label.",
    )
    timestamp_column: Text | None = Field(
        "timestamp", description="Copied as text. Not named and not in the file: row numbers from 0."
    )
    window_size: Annotated[Whole, Field(ge=2, le=1024)] = Field(64, description="Rows per window.")
    step_size: Annotated[Whole, Field(ge=1)] = Field(1, description="Rows from one window's start to the next.")
    separator: Character = Field(",", description="Between the fields of a CSV file.")
    decimal: Character = Field(".", description="Between whole and fraction of a number.")
    null_values: list[Annotated[str, StringConstraints(strict=True)]] = Field(
        default_factory=list, description="Texts that count as a missing cell."
    )

    @field_validator("separator")
    @classmethod
    def _check_separator(cls, mark: str) -> str:
        if not mark.isascii() or mark.isalnum() or mark in '"\r\n':
            raise ValueError(f"it must be an ASCII character, no letter, digit, quote or line end; got {mark!r}")
        return mark

    @field_validator("decimal")
    @classmethod
    def _check_decimal(cls, mark: str) -> str:
        if mark.isalnum() or mark in '+-"\r\n \t':
            raise ValueError(f"it must be a character that cannot be part of a number otherwise; got {mark!r}")
        return mark

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.separator == self.decimal != ",":  # decimal commas in quotes, between commas, are common
            raise ValueError("separator and decimal must differ")
        doubled = sorted({name for name in self.data_columns or [] if (self.data_columns or []).count(name) > 1})
        if doubled:
            raise ValueError(f"data_columns names {', '.join(doubled)} more than once")
        if self.timestamp_column in (self.data_columns or []):
            raise ValueError(f"timestamp_column {self.timestamp_column!r} is also one of data_columns")
        if self.timestamp_column == "Prediction":
            raise ValueError("timestamp_column must not be 'Prediction', the name of the result's own column")
        return self


class ClassifierConfig(Section):
    """How the nearest references vote."""

    n_neighbors: Annotated[Whole, Field(ge=1)] = 5
    metric: Literal["euclidean", "l2", "cosine", "manhattan", "l1"] = "euclidean"
    weights: Literal["uniform", "distance"] = "uniform"
    normalize_embeddings: Switch = Field(False, description="Scale each window vector to length 1 before the vote.")


class OutputConfig(Section):
    """What a result file holds beside timestamp and prediction."""

    format: OutputFormat = "csv"
    row_index: Switch = Field(False, description="Adds start_row, the 0-based row of the window's start.")
    window_bounds: Switch = Field(False, description="Adds start_timestamp and finish_timestamp.")
    probabilities: Switch = Field(False, description="Adds p_<class>, the share of the vote's weight.")
    embeddings: Switch = Field(False, description="Writes the window vectors as Parquet files of their own.")


class EvaluationConfig(Section):
    """Where the truth is, when it is known."""

    label_column: Text | None = Field(None, description="In each inference file, or in its file on worker.labels.")
    label_rule: LabelRule = Field("first", description="The label of a window whose rows differ.")


class MachineStateConfig(Section):
    """`parameters.worker.config` of machine-state-classification."""

    model_type: Text = "omega_1_4_base"
    batch_size: Annotated[Whole, Field(ge=1)] = Field(32, description="Sets the flush arithmetic only.")
    reader_config: ReaderConfig = Field(default_factory=ReaderConfig)  # type: ignore[arg-type]
    classifier_config: ClassifierConfig = Field(default_factory=ClassifierConfig)  # type: ignore[arg-type]
    flush_every_n_iteration: Annotated[Whole, Field(ge=1)] = Field(150, description="Batches per result file.")
    normalization: Normalization | None = Field(None, description="Null: the model's own, else shots.")
    missing_values: MissingValues = "ffill"
    gap_policy: GapPolicy = "ignore"
    max_gap: Annotated[float, Field(gt=0, strict=True)] | None = Field(
        None,
        description="Seconds (the timestamps' own unit where they are numbers); null is 5 times the median of the file's first 10,000 steps.",
    )
    output: OutputConfig = Field(default_factory=OutputConfig)  # type: ignore[arg-type]
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)  # type: ignore[arg-type]

    @property
    def rows_per_part(self) -> int:
        """Lines of a full result file."""
        return self.batch_size * self.flush_every_n_iteration
