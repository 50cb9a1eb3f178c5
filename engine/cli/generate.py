"""`engine generate`: an answer to every record of JSONL files."""

from pathlib import Path
from typing import Any

import click

from engine.cli.jobs import device_options, finish, guard
from engine.cli.screen import tell_event, watch


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--model", help="A model_variant; see `engine models list`. Default: the shipped language model.")
@click.option("--max-new-tokens", type=int, help="Longest answer, 1 to 4096 tokens.  [default: 256]")
@click.option("--temperature", type=float, help="0 takes the likeliest token each time.  [default: 0.7]")
@click.option("--top-k", type=int, help="Draw from the so many likeliest tokens.  [default: 20]")
@click.option("--top-p", type=float, help="Draw from tokens with this share of the probability.  [default: 0.8]")
@click.option("--repetition-penalty", type=float, help="Above 1: less of what was said.  [default: 1]")
@click.option("--greedy", is_flag=True, help="Take the likeliest token each time: no chance, no seed.")
@click.option("--seed", type=int, help="Of the draws. Default: another one for each job.")
@click.option("--batch-size", type=int, help="Records answered side by side. Default: what free memory takes.")
@click.option(
    "--on-truncation",
    default="truncate",
    show_default=True,
    help="A prompt over the token budget: truncate it, or fail its record.",
)
@click.option("--details", is_flag=True, help="Add finish_reason, prompt_tokens, completion_tokens and truncated.")
@click.option("--record", is_flag=True, help="Add the input record to each line.")
@click.option(
    "--output", type=click.Path(path_type=Path), help="Job folder. Default: beside the first file, named after it."
)
@device_options
def generate(files: tuple[str, ...], output: Path | None, verbose: bool, **options: Any) -> None:
    """Answer every record of FILES (JSONL, one record a line). The same command again goes on where it ended.

    \b
    {"system": "...", "instruction": "...", "prompt": "...",
     "inputs": [{"type": "text", "format": "plain", "data": "..."}]}
    """  # noqa: D301 - click wants the control character
    from engine.jobs import local
    from engine.jobs.answers import build_answer_request

    settings = {name: options.pop(name) for name in ("device", "threads", "restart")}
    request = build_answer_request(
        files,
        model_variant=options["model"],
        batch_size=options["batch_size"],
        generation={
            "do_sample": False if options["greedy"] else None,
            **{
                name: options[name]
                for name in ("max_new_tokens", "temperature", "top_k", "top_p", "repetition_penalty", "seed")
            },
        },
        on_truncation=options["on_truncation"],
        output={"details": options["details"], "record": options["record"]},
    )
    folder = output or local.answers_beside(Path(files[0]))
    with watch() as watcher:
        summary = guard(
            lambda: local.run(
                request, folder, on_progress=watcher, on_event=tell_event if verbose else None, **settings
            ),
            folder,
        )
    finish(summary)
