"""The `engine` command.

Exit codes: 0 done; 1 the job, one of its inputs or one of its records failed; 2 the request is wrong; 130 interrupted (the same command resumes).
"""

import atexit
import gc
import os
import sys
from typing import Any

import click

import engine
from engine.cli.screen import say_error
from engine.errors import EngineError, RequestError

COMMANDS = {
    "run": "engine.cli.jobs:run",
    "classify": "engine.cli.jobs:classify",
    "generate": "engine.cli.generate:generate",
    "demo": "engine.cli.demo:demo",
    "serve": "engine.cli.serve:serve",
    "keys": "engine.cli.serve:keys",
    "jobs": "engine.cli.remote:jobs",
    "files": "engine.cli.remote:files",
    "models": "engine.cli.models:models",
    "pipelines": "engine.cli.pipelines:pipelines",
    "doctor": "engine.cli.doctor:doctor",
}


class Commands(click.Group):
    """Loads a command's module when it is asked for, so that `engine --version` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands' names in order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        import importlib

        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(engine.__version__, prog_name="engine")
def engine_command() -> None:
    """Streaming inference for sensor data: CSVs in, one machine state per sliding window out; JSONL in, one answer per line out."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command; every expected error becomes a sentence and an exit code."""
    _spare_time()
    try:
        code = engine_command.main(args=arguments, prog_name="engine", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted. What was committed is kept: the same command goes on from there.", err=True)
        code = 130
    except RequestError as error:
        for problem in error.problems:
            say_error(str(problem))
        code = 2
    except EngineError as error:
        say_error(str(error))
        code = 1
    except BrokenPipeError:
        sys.stderr.close()
        code = 1
    except OSError as error:
        say_error(f"{error.filename or 'the system'}: {error.strerror or error}.")
        code = 1
    except MemoryError:
        say_error(
            "The memory is used up. Parquet results and embeddings are held until a part is whole: lower flush_every_n_iteration."
        )
        code = 1
    except Exception as error:  # the last net: a person gets a sentence, a developer the trace
        if sys.flags.dev_mode:
            raise
        say_error(f"This is a fault of the engine, not of your data: {type(error).__name__}: {error}.")
        click.echo("`python -X dev -m engine` with the same arguments says where; please report it.", err=True)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _spare_time() -> None:
    """Keep what a process of its own has no use for from costing time: a third of a small job's."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: what its threads do here is to wait by spinning
    gc.set_threshold(50_000, 20, 50)  # imports make many objects, and none of them is garbage
    atexit.register(gc.freeze)  # at the end neither
