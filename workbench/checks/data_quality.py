"""Are the tables whole: little missing, few rows twice, no column that says nothing?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.checks._limits import fact_unknown, read_limits
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.policies.policy import Policy
from workbench.runs.tables import ColumnProfile, TableProfile

LIMITS = ("most_missing_share", "most_duplicate_share", "most_constant_columns")


def data_quality(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when every table keeps the limits on the missing share of a column, the share of duplicated rows, constant columns."""
    limits = read_limits(policy, "data_quality", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    missing, duplicate, constant = (limits[key] for key in LIMITS)
    limit = (
        f"at most {missing:.3g} of a column missing, {duplicate:.3g} of the rows twice, {constant:g} constant columns"
    )
    profiles = evidence.profiles
    if not profiles:
        return fact_unknown("data_quality", limit, "Nobody counted what the tables hold.")
    uncounted = [table.name for table in profiles if not table.columns or table.rows < 1]
    if uncounted:
        reason = (
            f"The columns of {', '.join(uncounted)} were not counted. Run the notebook again and nominate that run."
        )
        return Finding("data_quality", Status.UNKNOWN, "not counted", limit, reason)
    return _judge(profiles, limits, limit)


def _judge(profiles: Sequence[TableProfile], limits: Mapping[str, float], limit: str) -> Finding:
    value = "; ".join(_describe(table) for table in profiles)
    problems = [problem for table in profiles for problem in _find_problems(table, limits)]
    if problems:
        reason = f"{' '.join(problems)} Repair the data where it is loaded, or say why it has to be so, and run again."
        return Finding("data_quality", Status.FAIL, value, limit, reason)
    return Finding(
        "data_quality", Status.PASS, value, limit, "Every table keeps the limits on what is missing or twice."
    )


def _describe(table: TableProfile) -> str:
    worst = max((column.missing for column in table.columns or ()), default=0)
    constant = len(_constant(table.columns or ()))
    return f"{table.role}: {worst / table.rows:.3g} missing, {table.duplicates / table.rows:.3g} twice, {constant} constant"


def _constant(columns: Sequence[ColumnProfile]) -> list[str]:
    return [column.name for column in columns if column.distinct <= 1]


def _find_problems(table: TableProfile, limits: Mapping[str, float]) -> list[str]:
    columns, problems = table.columns or (), []
    gaps = [column.name for column in columns if not 0 <= column.missing / table.rows <= limits["most_missing_share"]]
    if gaps:
        problems.append(f"{table.name}: too much is missing in {_name(gaps)}.")
    if not 0 <= table.duplicates / table.rows <= limits["most_duplicate_share"]:
        problems.append(f"{table.name}: {table.duplicates:,} of {table.rows:,} rows stand there more than once.")
    constant = _constant(columns)
    if len(constant) > limits["most_constant_columns"]:
        problems.append(f"{table.name}: {_name(constant)} never changes.")
    return problems


def _name(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"
