"""Did the notebook run from top to bottom?"""

from __future__ import annotations

from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.notebooks.execution import Execution
from workbench.policies.policy import Policy
from workbench.runs.run import RunState

_LIMIT = "FINISHED, every code cell once, in order, without error"


def run_finished(evidence: Evidence, policy: Policy) -> Finding:  # noqa: ARG001 - every check has this shape
    """Pass when the whole notebook was executed and the kernel confirmed the end; a draft run never passes."""
    identity, execution = evidence.identity, evidence.execution
    value = f"{identity.run_state}, {execution.executed_cells} of {execution.code_cells} cells"
    problem = _find_problem(identity.run_state, identity.draft, execution)
    if problem:
        reason = f"{problem} Run the notebook again with `workbench run` and nominate the run that finishes."
        return Finding("run_finished", Status.FAIL, value, _LIMIT, reason)
    reason = "The notebook ran from the first cell to the last without an error."
    return Finding("run_finished", Status.PASS, value, _LIMIT, reason)


def _find_problem(state: str, draft: bool, execution: Execution) -> str | None:
    if draft:
        return "This is a draft run: a person executed the cells by hand, in an order nobody recorded."
    if state != RunState.FINISHED:
        return f"The run ended as {state}. {_find_execution_problem(execution) or ''}".rstrip()
    return _find_execution_problem(execution)


def _find_execution_problem(execution: Execution) -> str | None:
    if execution.error is not None:
        cell = "A cell" if execution.failed_cell is None else f"Cell {execution.failed_cell}"
        return f"{cell} failed: {execution.error.rstrip('.')}."
    if execution.code_cells == 0:
        return "The notebook has no code cell, so nothing ran."
    if execution.executed_cells != execution.code_cells:
        return f"{execution.executed_cells} of {execution.code_cells} code cells were executed."
    if not execution.in_order:
        return "The cells were not executed in order."
    return None if execution.is_clean else "The kernel died before it confirmed that the last cell was done."
