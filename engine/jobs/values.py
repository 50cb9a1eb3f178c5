"""What the values of a request may be: numbers that are numbers, and no bottomless nesting.

Keys that mean nothing here are kept and shown again, so that a value which no answer can hold would spoil every list that its job is in.
"""

import math
from collections.abc import Mapping
from typing import Any

from engine.errors import Problem, RequestError

DEEPEST = 64  # levels: far more than any request has, far fewer than any writer of JSON takes


def find_endless(document: Any) -> list[Problem]:
    """Return a problem for each number that JSON has no form for (NaN, 1e999).

    Raises
    ------
    RequestError
        The document is nested more than 64 levels deep.
    """
    if _is_sound(document):
        return []
    problems = []
    ahead: list[tuple[Any, str, int]] = [(document, "", 1)]
    while ahead:
        value, path, depth = ahead.pop()
        if isinstance(value, Mapping | list) and depth > DEEPEST:
            place = path.partition(".")[0].partition("[")[0]
            message = f"{place} is nested too deeply: the request may have {DEEPEST} levels."
            raise RequestError([Problem("INVALID_REQUEST", message, place)])
        if isinstance(value, Mapping):
            ahead += [(one, f"{path}.{key}" if path else str(key), depth + 1) for key, one in value.items()]
        elif isinstance(value, list):
            ahead += [(one, f"{path}[{place}]", depth + 1) for place, one in enumerate(value)]
        elif isinstance(value, float) and not math.isfinite(value):
            problems.append(Problem("invalid_parameter", f"{path} must be a number that is finite.", path))
    return problems


def _is_sound(document: Any) -> bool:
    """Tell whether there is nothing to find, level by level: requests name 100,000 files."""
    level = [document]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for value in level:
            if isinstance(value, Mapping):
                below += value.values()
            elif isinstance(value, list):
                below += value
            elif isinstance(value, float) and not math.isfinite(value):
                return False
        if not below:
            return True
        level = below
    return False  # perhaps: whoever looks closer sees
