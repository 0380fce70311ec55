"""Do small disturbances leave the answers as they are, and large ones at least numbers?"""

from __future__ import annotations

from workbench.checks._limits import fact_unknown, read_limits
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.evidence.measures.robustness import RobustnessFact, Scenario
from workbench.policies.policy import Policy

_NOISE = "noise"

LIMITS = ("largest_drop",)


def robust(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when small noise costs at most `largest_drop` of the metric and every disturbed row gets a number or is refused."""
    limits = read_limits(policy, "robust", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    largest = limits["largest_drop"]
    limit = f"noise costs at most {largest:g}, every answer a number"
    fact = evidence.robustness
    if fact is None or not fact.scenarios or fact.rows < 1:
        return fact_unknown("robust", limit, "The model was not asked about disturbed rows.")
    return _judge(fact, largest, limit)


def _judge(fact: RobustnessFact, largest: float, limit: str) -> Finding:
    value = ", ".join(_describe(each) for each in fact.scenarios)
    broken = [each for each in fact.scenarios if each.error is not None or each.not_finite != 0]
    if broken:
        names = ", ".join(_place(each) for each in broken)
        reason = f"The model does not answer rows that keep its contract with a number: {names}. Handle them in the pipeline."
        return Finding("robust", Status.FAIL, value, limit, f"{reason} Then run again.")
    noise = next((each for each in fact.scenarios if each.name == _NOISE), None)
    if noise is not None and noise.drop is None:
        return fact_unknown("robust", limit, "What noise does to the metric could not be measured.")
    # Written so that NaN is above every limit.
    if noise is not None and noise.drop is not None and not noise.drop <= largest:
        reason = f"Noise of a tenth of a standard deviation costs {noise.drop:.3g} {fact.metric}. Use a smoother model."
        return Finding("robust", Status.FAIL, value, limit, f"{reason} Then run again.")
    return Finding(
        "robust", Status.PASS, value, limit, "Disturbed rows get answers that are numbers, and noise costs little."
    )


def _describe(each: Scenario) -> str:
    where = f" ({each.worst_column})" if each.worst_column else ""
    return f"{each.name}{where} {'no metric' if each.drop is None else f'{-each.drop:+.3g}'}"


def _place(each: Scenario) -> str:
    column = f" in {each.worst_column}" if each.worst_column else ""
    return f"{each.name}{column} ({each.error or f'{each.not_finite} answers'})"
