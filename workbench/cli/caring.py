"""The commands that look after a project: lab, doctor."""

from __future__ import annotations

import click

from workbench.cli import records, terminal
from workbench.cli.options import JSON, open_bench


@click.command()
@click.option("--port", show_default="8888, or the next free one", type=click.IntRange(1, 65535), help="JupyterLab's.")
@click.option(
    "--mlflow-port", show_default="5000, or the next free one", type=click.IntRange(1, 65535), help="MLflow's."
)
def lab(port: int | None, mlflow_port: int | None) -> None:
    """Open JupyterLab and the MLflow page, both on loopback."""
    open_bench().lab(port=port, mlflow_port=mlflow_port, say=terminal.say)


@click.command()
@JSON
def doctor(as_json: bool) -> None:
    """Check what the workbench stands on and mend what can be mended."""
    symptoms = open_bench().examine()
    terminal.print_json(symptoms) if as_json else records.print_symptoms(symptoms)
    if not all(symptom.is_well for symptom in symptoms):
        raise click.exceptions.Exit(1)


COMMANDS = (lab, doctor)
