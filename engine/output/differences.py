"""What differs between two identities, value by value, so that a refused resume can say why."""

import json
from collections.abc import Iterator
from typing import Any

_SHOWN = 8


def differences(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
    """Name each JSON value that differs, with its dotted key: `config.window_size: 64 -> 128`."""
    before, after = dict(_flatten(old)), dict(_flatten(new))
    return tuple(
        f"{key}: {before.get(key, '(absent)')} -> {after.get(key, '(absent)')}"
        for key in dict.fromkeys((*before, *after))
        if before.get(key) != after.get(key)
    )


def listed(lines: tuple[str, ...]) -> str:
    """Return the first lines, indented, and how many more there are."""
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return "\n".join(f"  {line}" for line in (*lines[:_SHOWN], *more))


def _flatten(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flatten(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _flatten(inner, f"{path}[{index}]")
    else:
        yield path, json.dumps(value)
