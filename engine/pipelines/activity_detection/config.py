"""The configuration of activity detection: every key, its default and its rule, in one place.

Validation, the JSON Schema of the registry and the resolved parameters of a job all come from these models. Keys that are not
here are accepted, kept and reported as ignored (`engine.jobs.request`).
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from engine.pipelines.section import Section, Switch, Text, Whole

OnTruncation = Literal["truncate", "fail"]
Number = Annotated[float, Field(strict=True)]


class GenerationConfig(Section):
    """How an answer's tokens are chosen, one by one."""

    do_sample: Switch = Field(True, description="False takes the likeliest token each time: no chance, no seed.")
    max_new_tokens: Annotated[Whole, Field(ge=1, le=4096)] = Field(256, description="Longest answer.")
    temperature: Annotated[Number, Field(ge=0)] = Field(0.7, description="0 is as do_sample false.")
    top_k: Annotated[Whole, Field(ge=1)] = Field(20, description="Tokens that a draw may take: the likeliest ones.")
    top_p: Annotated[Number, Field(gt=0, le=1)] = Field(0.8, description="Their share of the probability.")
    repetition_penalty: Annotated[Number, Field(gt=0)] = Field(1.0, description="Above 1: less of what was said.")
    seed: Annotated[Whole, Field(ge=0, lt=2**63)] | None = Field(
        None, description="Null: drawn, and kept with the job. Each record draws from seed, input and line."
    )


class AnswerOptions(Section):
    """What a result line holds beside its number and the prediction."""

    details: Switch = Field(
        False, description="Adds finish_reason, prompt_tokens, completion_tokens and truncated; null where it failed."
    )
    record: Switch = Field(False, description="Adds the input record.")


class ActivityConfig(Section):
    """`parameters.worker.config` of activity-detection."""

    model_variant: Text = "newton/c:2.5.1-8b-base"
    max_video_frames: Annotated[Whole, Field(ge=1, le=64)] = 32
    batch_size: Annotated[Whole, Field(ge=1)] | None = Field(
        None, description="Records answered side by side, where memory takes as many. Null: as many as it takes."
    )
    generation: GenerationConfig = Field(default_factory=GenerationConfig)  # type: ignore[arg-type]
    on_truncation: OnTruncation = Field(
        "truncate", description="What becomes of a prompt over the token budget: cut, or an error of the record."
    )
    flush_every_n_iteration: Annotated[Whole, Field(ge=1)] | None = Field(
        None, description="Batches per result file. Null: one file per input."
    )
    output: AnswerOptions = Field(default_factory=AnswerOptions)  # type: ignore[arg-type]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.flush_every_n_iteration is not None and self.batch_size is None:
            raise ValueError("flush_every_n_iteration counts batches, so batch_size must be a number too")
        return self

    @property
    def lines_per_part(self) -> int | None:
        """Lines of a full result file, None for one file per input."""
        if self.flush_every_n_iteration is None or self.batch_size is None:
            return None
        return self.batch_size * self.flush_every_n_iteration
