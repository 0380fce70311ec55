"""Runs the proofs and writes tests/soak/REPORT.md: `python -m tests.soak [NAME]... [--small]`; exits with 1 when one fails."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from tests.soak import (
    boosters,
    called_better,
    executor_kills,
    forgeries,
    hogs,
    hostile_models,
    hostile_outputs,
    hostile_paths,
    injection,
    kernel_kills,
    ledger_faults,
    parallel_runs,
    promoters,
    promotion_kills,
    random_models,
    rollback,
    secrets_kept,
    silent_failures,
    tampering,
    zoo,
)
from tests.soak.proof import Proof

REPORT = Path(__file__).with_name("REPORT.md")
ROOT = Path(__file__).resolve().parents[2]
_SHOWN = 20


@dataclass(frozen=True)
class Plan:
    """A proof and how much is tried: in a few minutes, and in full. What is counted, each proof says itself."""

    prove: Callable[[int], Proof]
    small: int
    full: int


# One file a proof, in the order in which they are run.
PROOFS: Mapping[str, Plan] = {
    "kernel_kills": Plan(kernel_kills.prove, small=8, full=100),
    "executor_kills": Plan(executor_kills.prove, small=4, full=100),
    "silent_failures": Plan(silent_failures.prove, small=1, full=2),
    "hogs": Plan(hogs.prove, small=len(hogs.HOGS), full=2 * len(hogs.HOGS)),
    "injection": Plan(injection.prove, small=150, full=2_000),
    "secrets_kept": Plan(secrets_kept.prove, small=20, full=200),
    "hostile_models": Plan(hostile_models.prove, small=8, full=len(hostile_models.corpus())),
    "hostile_outputs": Plan(hostile_outputs.prove, small=10, full=len(hostile_outputs.PAYLOADS)),
    "hostile_paths": Plan(hostile_paths.prove, small=12, full=300),
    "parallel_runs": Plan(parallel_runs.prove, small=40, full=500),
    "promotion_kills": Plan(promotion_kills.prove, small=8, full=30_000),
    "promoters": Plan(promoters.prove, small=3, full=250),
    "tampering": Plan(tampering.prove, small=300, full=10_000),
    "forgeries": Plan(forgeries.prove, small=len(forgeries.FAMILIES), full=33 * len(forgeries.FAMILIES)),
    "ledger_faults": Plan(ledger_faults.prove, small=1, full=3),
    "rollback": Plan(rollback.prove, small=5, full=100),
    "boosters": Plan(boosters.prove, small=200, full=5_000),
    "zoo": Plan(zoo.prove, small=300, full=20_000),
    "called_better": Plan(called_better.prove, small=100, full=1_000),
    "random_models": Plan(random_models.prove, small=8, full=1_000),
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(PROOFS)))
@click.option("--small", is_flag=True, help="Try less often: minutes, not hours.")
@click.option("--report", type=click.Path(path_type=Path), default=REPORT, help="Where the report is written.")
def main(names: Sequence[str], small: bool, report: Path) -> None:
    """Run the named proofs (default: all) and write the report; the exit code is 1 when one fails."""
    found: dict[str, Proof] = {}
    # What is seen of the ledgers here is remembered nowhere near the user's home.
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="workbench-soak-state-")
    commit = _commit()  # of what is imported now, whatever is changed until a proof ends
    for name in names or PROOFS:
        found[name] = _prove(name, commit, small=small)
        # Hours may come between two of them. Those that were proved before and not now keep their rows.
        kept = _read_lines(report, leave_out=[*found])
        report.write_text(write_report(found, commit, kept, small=small), encoding="utf-8")
    click.echo(f"\nWritten to {report}")
    raise SystemExit(0 if all(proof.holds for proof in found.values()) else 1)


def _prove(name: str, commit: str, *, small: bool) -> Proof:
    plan = PROOFS[name]
    proof = plan.prove(plan.small if small else plan.full)
    click.echo(_row(name, proof, commit))
    for failure in proof.failures[:_SHOWN]:
        click.echo(f"  {failure}")
    return proof


def _read_lines(report: Path, leave_out: Sequence[str]) -> list[str]:
    """Return the rows of a report and what it says of each proof below them, without those of some proofs."""
    lines = report.read_text(encoding="utf-8").splitlines() if report.is_file() else []
    return [line for line in lines if line.startswith(("| `", "- `")) and line.split("`")[1] not in leave_out]


def write_report(found: Mapping[str, Proof], commit: str, kept: Sequence[str] = (), *, small: bool) -> str:
    """Return the report: where and when, a row for each proof (with its commit), and what was false."""
    machine = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    size = "small sizes" if small else "full sizes"
    lines = [
        "# Soak report",
        "",
        f"Last proved {datetime.now(UTC):%Y-%m-%d} on {machine}, by `python -m tests.soak`, {size}; each row has its commit.",
        "`at most`: the share of failures that is exceeded with a probability of 5 % (Clopper and Pearson, one-sided).",
        "",
        "| proof | claim | n | failures | at most | seed | seconds | commit |",
        "|---|---|---:|---:|---:|---:|---:|---|",
        *(line for line in kept if line.startswith("|")),
        *(_row(name, proof, commit) for name, proof in found.items()),
        "",
        *(line for line in kept if line.startswith("-")),
        *(f"- `{name}`: {proof.details}" for name, proof in found.items() if proof.details),
        *(
            f"- `{name}` failed: {_on_one_line(each)}"
            for name, proof in found.items()
            for each in proof.failures[:_SHOWN]
        ),
        "",
    ]
    return "\n".join(lines)


def _row(name: str, proof: Proof, commit: str) -> str:
    counts = f"{proof.n:,} | {len(proof.failures):,} | {proof.upper_bound:.2%} | {proof.seed} | {proof.duration_s:.0f}"
    return f"| `{name}` | {proof.claim} | {counts} | {commit} |"


def _on_one_line(text: str) -> str:
    # What failed may hold anything: the report stays text, and says nothing about the folders of this machine.
    return ascii(text)[1:-1][:300].replace(str(ROOT), ".").replace(str(Path.home()), "~")


def _commit() -> str:
    """Return the commit, with a plus when the tree has changes that it does not hold; the report itself is none."""
    commit = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", f":!{REPORT.relative_to(ROOT)}")
    return f"{commit}+" if changed else commit or "none"


def _git(*arguments: str) -> str:
    said = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    return said.stdout.strip()


if __name__ == "__main__":
    main()
