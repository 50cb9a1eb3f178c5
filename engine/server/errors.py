"""Every error that the server answers: one form, whatever went wrong and wherever."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from engine.errors import DiskFull, EngineError, Problem, RequestError
from engine.jobs.file_facts import FileRefused
from engine.jobs.ids import new_id
from engine.jobs.records import Conflict, NotFound
from engine.jobs.room import NoRoom
from engine.jobs.signing import SignatureRefused
from engine.server.description import methods_of

log = logging.getLogger("engine.server")

LONGEST_MESSAGE = 2000  # characters: a client shows it to a person

_BY_STATUS = {404: "NOT_FOUND", 405: "method_not_allowed", 413: "payload_too_large"}


class Unauthorized(EngineError):
    """No key, or one that is not known."""

    def __init__(self) -> None:
        super().__init__("Invalid access with key: api_key_not_found", code="unauthorized")


class TooLarge(EngineError):
    """A body that is larger than any that makes sense."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit:,} bytes.", code="payload_too_large")


def body_of(problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the body of an error: the list of all problems, and the first of them on top."""
    errors = []
    for problem in problems:
        error = {"code": problem.code, "message": _unicode(problem.message), "error_uid": new_id("err")}
        if problem.suggestion:
            error["suggestion"] = _unicode(problem.suggestion)
        errors.append(error)
    return {"errors": errors, **errors[0]}


def answer(status: int, problems: Sequence[Problem], headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the response of an error."""
    body = body_of(problems)
    if status == 401:
        body = {"detail": problems[0].message, "errors": body["errors"]}
    return JSONResponse(body, status, dict(headers or {}))


def status_of(error: EngineError) -> int:
    """Return the HTTP status that an error has."""
    match error:
        case RequestError():
            return 400
        case FileRefused():
            return error.status
        case Unauthorized():
            return 401
        case SignatureRefused():
            return 403
        case NotFound():
            return 404
        case Conflict():
            return 409
        case TooLarge():
            return 413
        case DiskFull() | NoRoom():
            return 503
    return 500


def install(app: FastAPI) -> None:
    """Let an application answer its errors in this form."""

    async def expected(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, EngineError)
        status = status_of(error)
        if status == 503:
            problem = Problem("unavailable", "There is no room on the server's disk.", "", "Try again later.")
            if isinstance(error, NoRoom):  # it has the numbers, and no place on this machine
                problem = Problem(error.code, error.message, "", error.cure)
            return answer(status, [problem], {"Retry-After": "30"})
        if status == 500:  # its message may name a place on this machine
            log.error("%s %s: %s", request.method, request.url.path, error)
            return answer(status, [Problem("internal_error", "The server could not do this.")])
        problems = error.problems if isinstance(error, RequestError) else None
        return answer(status, problems or [Problem(error.code, error.message, "", error.cure)])

    async def refused(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers or {})
        if error.status_code == 405 and (methods := methods_of(app.openapi(), request.url.path)):
            headers["Allow"] = ", ".join(methods)  # the router knows those of one route only
        code = _BY_STATUS.get(error.status_code, "INVALID_REQUEST")
        message = {404: "There is nothing at this path.", 405: "This path does not take this method."}.get(
            error.status_code, str(error.detail)
        )
        return answer(error.status_code, [Problem(code, message)], headers)

    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s", request.method, request.url.path, exc_info=error)
        return answer(500, [Problem("internal_error", "The server could not do this.")])

    async def gone(_: Request, __: Exception) -> Response:
        return Response(status_code=400)  # nobody reads it: the client hung up in the middle of its body

    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(EngineError, expected)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(Exception, unexpected)


def _unicode(text: str) -> str:
    """Return a text that can be sent, whatever a client wrote into it."""
    return text[:LONGEST_MESSAGE].encode(errors="backslashreplace").decode()
