"""Files and uploads as the server answers them."""

from typing import Annotated, Literal

from pydantic import Field

from engine.server.shapes.basis import Count, FileId, FileUid, Link, Shape, Time, Values, an_id


class AcceptedFile(Shape):
    """The answer to an upload, or to a deletion."""

    is_valid: bool
    file_id: FileId
    file_uid: FileUid


class File(Shape):
    """What is known of a file."""

    file_id: FileId
    file_uid: FileUid
    is_valid: bool
    file_type: str
    num_bytes: Count
    file_status: str
    file_attributes: Values | None = Field(description="Columns of a table, size of a picture.")
    ingested: bool
    file_index: int | None
    file_tags: list[str] | None


class FilePage(Shape):
    """Files, newest first."""

    data: list[File]
    has_more: bool
    next_cursor: FileUid | None
    prev_cursor: FileUid | None


class FileInfo(Shape):
    """How much there is."""

    num_files: Count
    num_bytes: Count
    num_ingested: Count
    last_updated: float | None = Field(description="A Unix time.")


class PartLink(Shape):
    """Where the bytes of a part go, with PUT."""

    part_number: Annotated[int, Field(ge=1)]
    url: Link
    offset: Count
    length: Annotated[int, Field(ge=1)]
    expires_at: Time


class Upload(Shape):
    """An upload in parts that has begun."""

    upload_id: Annotated[str, an_id("upl")]
    file_uid: FileUid
    file_name: str
    total_bytes: Count
    strategy: Literal["simple", "multipart"]
    num_parts: Annotated[int, Field(ge=1)] = Field(description="Of the whole file.")
    part_size: Count
    is_resume: bool
    integrity_algorithm: Literal["crc32c"]
    expires_at: Time
    parts: list[PartLink] = Field(description="Those that are not checkpointed.")


class PartLinks(Shape):
    """Fresh links of parts, in the order asked for."""

    parts: list[PartLink]


class Checkpointed(Shape):
    """How many parts of an upload are known to be there."""

    num_checkpointed: Count


class CompletedFile(Shape):
    """A file that came in parts."""

    file_uid: FileUid
    file_name: str
    num_bytes: Count
    file_status: Literal["Registered"]
    file_attributes: Values


class AbortedUpload(Shape):
    """The answer to giving up an upload."""

    upload_id: Annotated[str, an_id("upl")]
    aborted: Literal[True]
