"""The records that are asked about: their form, and what is wrong with one that has another.

Problems of a record are data: one bad record is one error line, whatever it holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from engine.models.language.prompt import Item, Record

READABLE = ("text",)  # the item types that our language models read
FORMATS = {"text": "plain", "image": "base64", "video": "base64"}
PARSE_ERROR = "parse error"  # of a line that is no JSON object
LONGEST_DETAIL = 500  # characters


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record has no answer: `error` as it stands in its line, `detail` for a person."""

    error: str
    detail: str


def _unicode(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        # An f-string in the message would be taken for a template of pydantic's own.
        raise PydanticCustomError("string_unicode", "Input should be Unicode text, without lone surrogates") from error
    return text


Words = Annotated[str, AfterValidator(_unicode)]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class ItemForm(_Form):
    """One of a record's `inputs`."""

    type: Literal["text", "image", "video"]
    format: Literal["plain", "base64"]
    data: Words
    extra: Any = None


class RecordForm(_Form):
    """One line of a JSONL file. Every field may be left out or null; fields that are not here are accepted and mean nothing."""

    system: Words | None = Field(None, description="The system turn.")
    instruction: Words | None = Field(None, description="Begins the user turn.")
    prompt: Words | None = Field(None, description="Ends the user turn.")
    inputs: list[ItemForm] | None = Field(None, description="What the record is about, between the two.")


def read_record(value: object) -> Record | Fault:
    """Check a record and return it as the model's prompt takes it, or what is wrong with it.

    The errors, in this order: `validation error: <field>: <what it should be>`, `unsupported input type: <type>`, and
    `validation error: ...` for a record without any text.
    """
    if not isinstance(value, Mapping):
        return _invalid(["a record should be an object"])
    try:
        form = RecordForm.model_validate(value)
    except ValidationError as error:
        found = [f"{_path(one['loc'])}{one['msg']}" for one in error.errors(include_url=False, include_input=False)]
        return _invalid(found)
    items = form.inputs or []
    found = [
        f"inputs.{place}.format: Input should be '{FORMATS[item.type]}' where type is '{item.type}'"
        for place, item in enumerate(items)
        if item.format != FORMATS[item.type]
    ]
    if found:
        return _invalid(found)
    for place, item in enumerate(items):
        if item.type not in READABLE:
            return Fault(f"unsupported input type: {item.type}", f"inputs.{place}: the model reads text only.")
    record = Record(
        system=form.system or "",
        instruction=form.instruction or "",
        prompt=form.prompt or "",
        items=tuple(Item(item.type, item.data) for item in items),
    )
    if not (record.system or record.instruction or record.prompt or any(item.data for item in items)):
        return _invalid(["one of system, instruction, prompt and inputs must hold a text that is not empty"])
    return record


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) + ": " if location else ""


def _invalid(found: list[str]) -> Fault:
    detail = "; ".join(found)
    return Fault(
        f"validation error: {found[0]}", detail if len(detail) <= LONGEST_DETAIL else detail[:LONGEST_DETAIL] + "..."
    )
