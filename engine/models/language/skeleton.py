"""Run a chat template once, apart: a program that reads a template from its standard input and writes what it renders.

A template comes from whoever made the model, and it is a program: it may loop for ever, ask for gigabytes, or try to leave Jinja's
sandbox. So it is run in a process of its own, with limits on time and memory that the system keeps, without the caller's
environment, and unable to open any file. This file is that process; `engine.models.language.template` starts it by its path. It
imports nothing of the engine.

Input is a JSON object: `source`, `variables`, and `chats`, a list of lists of messages. Output is a JSON object: either `chats`, for
each one what was rendered (`text`) or why the template refuses it (`refused`), or `failure`, what is wrong with the template as a
whole.
"""

import json
import resource
import sys
import time
from datetime import datetime
from typing import Any

import jinja2
import jinja2.debug  # jinja2 imports it when something fails, which is too late here
import jinja2.ext
import jinja2.nodes
import jinja2.parser
import jinja2.sandbox

CPU_S = 2
MEMORY_BYTES = 512 << 20  # address space; jinja2 needs a tenth of it
RENDERED_LENGTH = 1 << 20  # characters, of a chat with short messages
WARM_UP = "{{ '\\n' ~ [1] | tojson }}{{ raise_exception('') }}"


class Generation(jinja2.ext.Extension):
    """`{% generation %}` marks an assistant's words for training; here it means nothing."""

    tags = {"generation"}  # noqa: RUF012 - jinja2's form

    def parse(self, parser: jinja2.parser.Parser) -> list[jinja2.nodes.Node]:
        """Return the nodes between the tags."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def environment() -> jinja2.sandbox.ImmutableSandboxedEnvironment:
    """Return what Hugging Face's `apply_chat_template` gives to templates."""
    made = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    made.filters["tojson"] = to_json
    made.globals["raise_exception"] = refuse
    made.globals["strftime_now"] = lambda form: datetime.now().strftime(form)  # noqa: DTZ005 - local time, as there
    return made


def to_json(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    """Return JSON that is not escaped for HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def refuse(message: str) -> None:
    """Refuse a chat, from within the template."""
    raise jinja2.TemplateError(message)


def render(source: str, variables: dict[str, Any], chats: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """Render each chat; return the output of this program."""
    rendered = []
    try:
        template = environment().from_string(source)
        for messages in chats:
            try:
                rendered.append({"text": _join(template.generate(messages=messages, **variables))})
            except (MemoryError, RecursionError):
                raise
            except Exception as error:  # noqa: BLE001 - a template can raise anything
                rendered.append({"refused": _describe(error)})
    except jinja2.TemplateSyntaxError as error:
        return {"failure": f"line {error.lineno}: {error.message}"}
    except MemoryError:
        return {"failure": "it needs too much memory"}
    except RecursionError:
        return {"failure": "it calls itself without end"}
    except Exception as error:  # noqa: BLE001 - and a compiler that is given nonsense, too
        return {"failure": _describe(error)}
    return {"chats": rendered}


def main() -> None:
    """Read, set the limits, render, write."""
    request = json.load(sys.stdin)
    time.localtime()  # reads the time zone's file, while files can be opened
    render(WARM_UP, {}, [[]])  # and this imports what jinja2 imports late
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + CPU_S
    for kind, limit in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_NOFILE, 0),  # what is open stays so
        (resource.RLIMIT_CORE, 0),
    ):
        most = resource.getrlimit(kind)[1]
        allowed = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.setrlimit(kind, (allowed, allowed))
    json.dump(render(request["source"], request["variables"], request["chats"]), sys.stdout)


def _join(parts: Any) -> str:
    """Join what a template renders, piece by piece, up to a limit."""
    kept: list[str] = []
    length = 0
    for part in parts:
        kept.append(part)
        length += len(part)
        if length > RENDERED_LENGTH:
            message = f"it writes more than {RENDERED_LENGTH:,} characters around two short messages"
            raise OverflowError(message)
    return "".join(kept)


def _describe(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:500]


if __name__ == "__main__":
    main()
