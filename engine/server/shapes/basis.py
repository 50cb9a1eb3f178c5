"""What all answers of the server are made of: ids, times, errors, pages."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field


def an_id(prefix: str) -> Any:
    """Return the field of an id."""
    return Field(pattern=f"^{prefix}_[0-9a-hjkmnp-tv-z]{{26}}$")


def absent(told: str) -> Any:
    """Return a field that an answer may leave out, but never has as null."""
    return Field(None, description=told, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


Time: TypeAlias = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$",
        description="A time in UTC, with six decimals.",
        examples=["2026-11-23T09:00:00.120450Z"],
    ),
]
Count: TypeAlias = Annotated[int, Field(ge=0)]
JobId: TypeAlias = Annotated[str, an_id("job")]
InputId: TypeAlias = Annotated[str, an_id("inp")]
OrgId: TypeAlias = Annotated[str, an_id("org")]
FileUid: TypeAlias = Annotated[str, an_id("fil")]
FileId: TypeAlias = Annotated[str, Field(description="The file's name.")]
Link: TypeAlias = Annotated[str, Field(description="An absolute link that needs no key.")]
Values: TypeAlias = dict[str, Any]


class Shape(BaseModel):
    """An object that has these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class Problem(Shape):
    """One thing that went wrong."""

    code: str = Field(description="For programs.", examples=["invalid_parameter"])
    message: str = Field(description="A sentence for a person.")
    error_uid: Annotated[str, an_id("err")]
    suggestion: str = absent("What to do about it.")


class Error(Problem):
    """Every error but 401: all problems, and the first of them on top."""

    errors: list[Problem] = Field(min_length=1)


class NoKey(Shape):
    """No key came, or one that is not known."""

    detail: str
    errors: list[Problem] = Field(min_length=1, max_length=1)


class Page(Shape):
    total: Count = Field(description="The length of the whole list.")
    offset: Count
    limit: Annotated[int, Field(ge=1, le=10_000)]


class JobsPage(Page):
    job_id: JobId


class Disk(Shape):
    """The disk of the server: what is free, what of it stays so, and what running jobs will still write."""

    free_bytes: int
    reserve_bytes: int
    promised_bytes: int


class Health(Shape):
    """That the server answers; `disk_short`: uploads are refused and jobs wait."""

    status: Literal["ok", "disk_short"]
    version: str
    disk: Disk
