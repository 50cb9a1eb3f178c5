"""What the configuration models of all pipelines are made of: strict values, and sections that keep what they do not know."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strict=True, min_length=1)]
Character = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=1)]
Whole = Annotated[int, Field(strict=True)]
Switch = Annotated[bool, Field(strict=True)]


class Section(BaseModel):
    """A part of a configuration: frozen, unknown keys kept (`engine.jobs.request` reports them as ignored)."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
