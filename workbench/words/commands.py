"""Commands as people would type them."""

from __future__ import annotations

from shlex import quote

from workbench.notebooks.parameters import spell_value
from workbench.runs.run import Run


def spell_run(run: Run) -> str:
    """Return the command that makes a run again, with the parameters it had."""
    given = (f" -p {quote(f'{name}={spell_value(value)}')}" for name, value in run.parameters.items())
    return f"workbench run {quote(run.notebook)}{''.join(given)}"
