"""Every error that the engine raises, in one tree.

    EngineError                     code, message, cure; `str()` is the sentence for a person
    ├── RequestError                the request is wrong: every problem at once, before any work          (exit code 2)
    ├── InputError                  one input file cannot be used: file, line, column, value
    ├── ModelError                  a model folder or graph is broken, missing or of another shape
    │   └── OutOfMemory             a model or its buffers do not fit into memory
    ├── DeviceError                 the asked device is not there, or the installed runtime cannot run
    ├── OutputError                 the output folder cannot take the job
    │   ├── FolderInUse             another process is writing it
    │   ├── FolderOfAnotherJob      it holds the results of something else; the differences are named
    │   └── DiskFull                the disk (or a size limit) refused bytes
    └── JobFailed                   no input of the job gave a result; carries each input's error

A problem of one record or window is data, not an exception. Codes are those of the wire reference (`invalid_cell`,
`missing_column`, ...): programs match on `error.code`, people read `str(error)`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request: where, what, and what to do about it."""

    code: str
    message: str
    where: str = ""  # dotted path into the request, "" for the whole of it
    suggestion: str = ""

    def __str__(self) -> str:
        """Return the sentence for a person."""
        return f"{self.message} {self.suggestion}".rstrip()


class EngineError(Exception):
    """Anything that the engine refuses or cannot do. Catch this one to catch them all."""

    def __init__(self, message: str, *, code: str, cure: str = "") -> None:
        super().__init__(f"{message} {cure}".rstrip())
        self.code = code
        self.message = message
        self.cure = cure


class RequestError(EngineError):
    """The request cannot be run. `problems` lists everything found, not only the first."""

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__("\n".join(str(problem) for problem in self.problems), code=first.code)


class InputError(EngineError):
    """One input file cannot be used.

    `file` is its name as the caller gave it, `line` the 1-based physical line (None when it is not about a line), `column` the
    column's name and `value` the offending text.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        file: str,
        line: int | None = None,
        column: str | None = None,
        value: str | None = None,
        cure: str = "",
    ) -> None:
        super().__init__(message, code=code, cure=cure)
        self.file = file
        self.line = line
        self.column = column
        self.value = value


class ModelError(EngineError):
    """A model folder or its graph is broken, missing, or does not fit the job."""

    def __init__(self, message: str, *, code: str = "invalid_model", cure: str = "") -> None:
        super().__init__(message, code=code, cure=cure)


class OutOfMemory(ModelError):
    """A model, or the buffers that it needs, do not fit into the device's memory. Fewer slots or a smaller capacity may."""

    def __init__(self, message: str, *, cure: str = "") -> None:
        super().__init__(message, code="out_of_memory", cure=cure)


class DeviceError(EngineError):
    """The asked device is not there, or the installed runtime cannot run."""

    def __init__(self, message: str, *, code: str = "device_unavailable", cure: str = "") -> None:
        super().__init__(message, code=code, cure=cure)


class OutputError(EngineError):
    """The output folder cannot take the job."""

    def __init__(self, message: str, *, code: str = "output_error", cure: str = "") -> None:
        super().__init__(message, code=code, cure=cure)


class FolderInUse(OutputError):
    """Another process holds the lock of this output folder."""

    def __init__(self, message: str, *, cure: str = "") -> None:
        super().__init__(message, code="folder_in_use", cure=cure)


class FolderOfAnotherJob(OutputError):
    """The folder holds another job's results. `differences` names what differs, one line each."""

    def __init__(self, message: str, *, differences: tuple[str, ...] = (), cure: str = "") -> None:
        super().__init__(message, code="folder_of_another_job", cure=cure)
        self.differences = differences


class DiskFull(OutputError):
    """The disk, or a file size limit, refused bytes. What was committed before stays valid and resumable."""

    def __init__(self, message: str, *, cure: str = "") -> None:
        super().__init__(message, code="disk_full", cure=cure)


class JobFailed(EngineError):
    """No input of the job gave a result. `errors` holds one error for each failed input, in request order."""

    def __init__(self, message: str, *, errors: tuple[EngineError, ...] = ()) -> None:
        super().__init__(message, code=errors[0].code if errors else "job_failed")
        self.errors = errors
