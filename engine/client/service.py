"""Calls to a job service: files up, jobs, events, results down. Failures of the line are tried again, refusals are not."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from engine.errors import EngineError

ATTEMPTS = 4  # of a call that failed on the way, or in the server
FIRST_PAUSE_S = 0.25  # before the second; doubled each time
TIMEOUT_S = 60.0
PAGE = 1000
POLL_S = 0.5
FINAL = ("COMPLETED", "FAILED", "CANCELLED")

_PIECE_BYTES = 1 << 20


class ServiceError(EngineError):
    """The service refused a call, or could not be reached. `status` is the HTTP status, None without an answer."""

    def __init__(self, message: str, *, code: str, status: int | None = None, cure: str = "") -> None:
        super().__init__(message, code=code, cure=cure)
        self.status = status


class Client:
    """A service at an address, with a key.

    Parameters
    ----------
    url : str
        `http://127.0.0.1:8080`.
    key : str or None
        None for a server that asks for none.

    Raises
    ------
    ServiceError
        In every call: refused (with the service's own code and sentence), or not reached after `ATTEMPTS` tries.
    """

    def __init__(self, url: str, key: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=TIMEOUT_S)

    def upload(self, path: Path, name: str | None = None) -> dict[str, Any]:
        """Upload a file under its own name or another; one of that name is replaced."""

        def send() -> httpx.Response:
            with path.open("rb") as file:  # anew at each attempt
                parts = {"file": (name or path.name, file, "application/octet-stream")}
                return self._http.post("/v0.5/files", files=parts, timeout=None)

        return self._answer(send)

    def files(self) -> Iterator[dict[str, Any]]:
        """Yield the records of all files, newest first."""
        query: dict[str, Any] = {"limit": PAGE}
        while True:
            page = self._call("GET", "/files", query)
            yield from page["data"]
            if not page["has_more"]:
                return
            query["after"] = page["next_cursor"]

    def delete_file(self, name_or_uid: str) -> dict[str, Any]:
        """Delete a file."""
        return self._call("DELETE", f"/files/delete/{quote(name_or_uid, safe='')}")

    def create_job(
        self, request: Mapping[str, Any], *, dry_run: bool = False, key: str | None = None
    ) -> dict[str, Any]:
        """Create a job; with an idempotency key it is created once, however often this is called."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self._call(
            "POST",
            "/batch/jobs",
            {"dry_run": "true"} if dry_run else {},
            body=dict(request),
            headers=headers,
            again=key is not None,
        )

    def jobs(self, **filters: str) -> Iterator[dict[str, Any]]:
        """Yield jobs, newest first; filters as the service's: `status`, `q`, `pipeline_key`."""
        return self._pages("/batch/jobs", "jobs", filters)

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job."""
        return self._call("GET", _job(job_id))

    def cancel(self, job_id: str) -> dict[str, Any]:
        """Cancel a job."""
        return self._call("POST", f"{_job(job_id)}/cancel", again=False)

    def retry(self, job_id: str, *, restart: bool = False) -> dict[str, Any]:
        """Run a failed or cancelled job again."""
        return self._call("POST", f"{_job(job_id)}/retry", body={"restart": restart}, again=False)

    def delete_job(self, job_id: str) -> dict[str, Any]:
        """Delete a final job."""
        return self._call("DELETE", _job(job_id), again=False)

    def events(self, job_id: str, after_id: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the events behind one, oldest first."""
        while True:
            page = self._call("GET", f"{_job(job_id)}/events", {"after_id": after_id, "limit": PAGE})["events"]
            yield from page
            if len(page) < PAGE:
                return
            after_id = page[-1]["id"]

    def follow(self, job_id: str) -> Iterator[dict[str, Any]]:
        """Yield events as they happen, until the job is final."""
        last = 0
        while True:
            final = self.job(job_id)["status"] in FINAL  # before the events: none is missed
            for event in self.events(job_id, last):
                last = event["id"]
                yield event
            if final:
                return
            time.sleep(POLL_S)

    def wait(self, job_id: str) -> dict[str, Any]:
        """Return a job when it is final."""
        while (job := self.job(job_id))["status"] not in FINAL:
            time.sleep(POLL_S)
        return job

    def outputs(self, job_id: str) -> Iterator[dict[str, Any]]:
        """Yield a job's outputs in the order of their commits."""
        return self._pages(f"{_job(job_id)}/outputs", "outputs", {})

    def download(self, output: Mapping[str, Any], folder: Path) -> Path:
        """Download an output into a folder, where it appears whole; one that is there in full is not fetched again."""
        data = output["data"]
        path = folder / Path(data["filename"]).name
        if path.is_file() and path.stat().st_size == data["num_bytes"]:
            return path
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.tmp")
        for attempt in range(ATTEMPTS):
            try:
                self._fetch(data["ref"], draft)
                break
            except (httpx.TransportError, ServiceError) as error:
                refused = isinstance(error, ServiceError) and (error.status or 500) < 500
                if refused or attempt == ATTEMPTS - 1:
                    raise _unreachable(error) from error
                time.sleep(FIRST_PAUSE_S * 2**attempt)
        if draft.stat().st_size != data["num_bytes"]:
            size = draft.stat().st_size
            draft.unlink()
            message = f"{path.name} has {data['num_bytes']:,} bytes, but {size:,} arrived."
            raise ServiceError(message, code="download_incomplete", cure="Try again.")
        draft.replace(path)
        return path

    def close(self) -> None:
        """Close the connections. May be called again."""
        self._http.close()

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _fetch(self, ref: str, draft: Path) -> None:
        """Append to a draft what it lacks. The link needs no key, and gets none."""
        have = draft.stat().st_size if draft.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with httpx.stream("GET", ref, headers=headers, timeout=TIMEOUT_S) as answer:
            if answer.status_code == 416:  # it was whole already
                return
            if answer.is_error:
                answer.read()
                raise _refused(answer)
            with draft.open("ab" if answer.status_code == 206 else "wb") as file:
                for piece in answer.iter_bytes(_PIECE_BYTES):
                    file.write(piece)

    def _pages(self, path: str, name: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            page = self._call("GET", path, {**query, "offset": offset, "limit": PAGE})
            yield from page[name]
            offset += PAGE
            if offset >= page["total"]:
                return

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        again: bool = True,
    ) -> dict[str, Any]:
        def send() -> httpx.Response:
            return self._http.request(
                method, f"/v0.5{path}", params=dict(query or {}), json=body, headers=dict(headers or {})
            )

        return self._answer(send, again=again)

    def _answer(self, send: Any, *, again: bool = True) -> dict[str, Any]:
        """Return the JSON of an answer. `again`: what fails on the way may be sent again without doing it twice."""
        for attempt in range(ATTEMPTS if again else 1):
            if attempt:
                time.sleep(FIRST_PAUSE_S * 2 ** (attempt - 1))
            last = attempt == (ATTEMPTS if again else 1) - 1
            try:
                answer: httpx.Response = send()
            except httpx.TransportError as error:
                if last:
                    raise _unreachable(error) from error
                continue
            if answer.status_code < 500 or last:
                break
        if answer.is_error:
            raise _refused(answer)
        document: dict[str, Any] = answer.json()
        return document


def _job(job_id: str) -> str:
    return f"/batch/jobs/{quote(job_id, safe='')}"


def _refused(answer: httpx.Response) -> ServiceError:
    try:
        errors = answer.json()["errors"]
        sentences = [f"{one['message']} {one.get('suggestion', '')}".strip() for one in errors]
        return ServiceError("\n".join(sentences), code=errors[0]["code"], status=answer.status_code)
    except (ValueError, KeyError, TypeError, IndexError):
        message = f"{answer.request.url.host} answered {answer.status_code} without saying why."
        return ServiceError(message, code="service_error", status=answer.status_code)


def _unreachable(error: Exception) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    return ServiceError(
        f"The service cannot be reached: {str(error) or type(error).__name__}.",
        code="unreachable",
        cure="Is `engine serve` running? ENGINE_URL (or --url) says where.",
    )
