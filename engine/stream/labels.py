"""A recording whose true labels stand in a file of their own, joined by row."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest

from engine.errors import InputError
from engine.stream.repair import Recording
from engine.stream.scan import Chunk

ROWS = 8192  # of both files at a time, so that their chunks match


class LabelledRecording:
    """A recording and the labels of its rows.

    Parameters
    ----------
    recording
        Without labels of its own.
    labels
        With labels; as many rows as the recording.
    """

    def __init__(self, recording: Recording, labels: Recording) -> None:
        self._recording = recording
        self._labels = labels
        self.name = recording.name
        self.data_columns = recording.data_columns
        self.timestamp_name = recording.timestamp_name
        self.line_word = recording.line_word

    def chunks(self, rows: int | None = None) -> Iterator[Chunk]:
        """Yield the recording's chunks with labels.

        Raises
        ------
        InputError
            `label_count` when the two files differ in rows; the rows that both have are delivered first.
        """
        size = rows or ROWS
        both = zip_longest(self._recording.chunks(size), self._labels.chunks(size))
        for chunk, truth in both:
            count = 0 if chunk is None else chunk.values.shape[1]
            labelled = 0 if truth is None or truth.labels is None else len(truth.labels)
            common = min(count, labelled)
            if chunk is not None and truth is not None and truth.labels is not None and common:
                yield replace(
                    chunk,
                    values=chunk.values[:, :common],
                    timestamps=None if chunk.timestamps is None else chunk.timestamps[:common],
                    labels=truth.labels[:common],
                )
            if count != labelled:
                shorter, longer = (self.name, self._labels.name) if count < labelled else (self._labels.name, self.name)
                raise InputError(
                    f"{shorter} has fewer rows than {longer}: labels are joined row by row.",
                    code="label_count",
                    file=self._labels.name,
                    cure="Give a label file with one row for each row of the recording.",
                )

    def line_of(self, row: int) -> int:
        """Return the recording's line of a row."""
        return self._recording.line_of(row)
