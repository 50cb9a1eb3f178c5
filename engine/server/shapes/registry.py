"""Pipelines as the server answers them."""

from typing import Annotated, Literal

from pydantic import Field

from engine.pipelines.registry import Mode
from engine.server.shapes.basis import Count, OrgId, Page, Shape, Time, Values, an_id


class InputPort(Shape):
    """Where a pipeline takes files."""

    name: str
    description: str
    mode: Mode
    distribute: Literal["scatter", "replicate"]
    required: bool
    tracked: bool


class OutputPort(Shape):
    """Where a pipeline puts files."""

    name: str
    description: str


class _PipelineFields(Shape):
    id: Annotated[str, an_id("ppl")]
    pipeline_key: str
    pipeline_version: str
    config_schema: Values = Field(description="JSON Schema by component.")
    inputs: dict[str, InputPort]
    outputs: dict[str, OutputPort]


class RetryPolicy(Shape):
    """How often a job may lose its worker."""

    max_preemptions: Count


class Pipeline(_PipelineFields):
    """What a job can run."""

    name: str
    description: str
    pipeline_type: Literal["batch", "training"]
    components: dict[str, Annotated[str, an_id("cmp")]]
    default_config: Values
    user_config_schema: Values = Field(description="JSON Schema by component.")
    edges: list[Values]
    retry_policy: RetryPolicy
    visibility: Literal["platform", "org"]
    org_id: OrgId
    status: Literal["draft", "published", "deactivated", "deleted"]
    created_at: Time
    updated_at: Time


class PipelinePage(Page):
    """Pipelines."""

    pipelines: list[Pipeline]


class PipelineSchema(_PipelineFields):
    """What a pipeline takes."""

    user_schema: Values = Field(description="JSON Schema by component.")
