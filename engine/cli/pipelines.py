"""`engine pipelines`: what can be run, and with which configuration."""

import json

import click

from engine.errors import Problem, RequestError
from engine.pipelines.registry import PIPELINES


@click.group(invoke_without_command=True)
@click.pass_context
def pipelines(context: click.Context) -> None:
    """List the pipelines, or show one."""
    if context.invoked_subcommand is None:
        for pipeline in PIPELINES.values():
            click.echo(f"{click.style(pipeline.key, bold=True)} {pipeline.version}  {pipeline.description}")


@pipelines.command()
@click.argument("key")
def show(key: str) -> None:
    """Print a pipeline's ports, defaults and configuration schema as JSON."""
    pipeline = PIPELINES.get(key)
    if pipeline is None:
        message = f"pipeline_key {key!r} not found in registry."
        raise RequestError([Problem("INVALID_REQUEST", message, "", f"Known pipelines: {', '.join(PIPELINES)}.")])
    document = {
        "pipeline_key": pipeline.key,
        "pipeline_version": pipeline.version,
        "pipeline_type": pipeline.pipeline_type,
        "name": pipeline.name,
        "description": pipeline.description,
        "inputs": {
            port.name: {
                "description": port.description,
                "mode": port.mode,
                "distribute": "scatter" if port.tracked else "replicate",
                "required": port.required,
                "tracked": port.tracked,
            }
            for port in pipeline.inputs
        },
        "outputs": {port.name: {"description": port.description} for port in pipeline.outputs},
        "default_config": pipeline.default_config(),
        "config_schema": {"worker": pipeline.schema()},
    }
    click.echo(json.dumps(document, indent=2))
