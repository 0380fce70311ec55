"""The report of the proofs says what was tried and what was false, and every proof can be run by its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.soak import __main__ as soak
from tests.soak.proof import SEED, Proof, timed_proof, upper_bound


def proof_of(failures: tuple[str, ...], n: int = 100) -> Proof:
    return Proof("It holds", n, failures, SEED, 1.0, "a hundred times")


@pytest.mark.parametrize(
    ("failures", "n", "bound"), [(0, 1, 0.95), (0, 100, 0.0295), (0, 2000, 0.0015), (1, 100, 0.0466), (100, 100, 1.0)]
)
def test_the_upper_bound_is_the_exact_one(failures: int, n: int, bound: float) -> None:
    assert upper_bound(failures, n) == pytest.approx(bound, abs=1e-4)


def test_a_proof_that_tried_nothing_does_not_hold() -> None:
    assert not proof_of((), n=0).holds
    assert upper_bound(0, 0) == 1.0


def test_what_was_false_is_counted_and_said() -> None:
    proof = timed_proof("It holds", lambda: (3, ["once"], "three times"))
    assert (proof.n, proof.failures, proof.holds) == (3, ("once",), False)


@pytest.mark.parametrize(("failures", "code"), [((), 0), (("a line\nand another",), 1)])
def test_the_report_is_written_and_the_exit_code_says_whether_all_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: tuple[str, ...], code: int
) -> None:
    sizes: list[int] = []

    def prove(size: int) -> Proof:
        sizes.append(size)
        return proof_of(failures)

    monkeypatch.setattr(soak, "PROOFS", {"injection": soak.Plan(prove, small=1, full=2)})
    done = CliRunner().invoke(soak.main, ["--small", "--report", str(tmp_path / "REPORT.md")])
    assert (done.exit_code, sizes) == (code, [1])
    report = (tmp_path / "REPORT.md").read_text(encoding="utf-8")
    assert "| `injection` | It holds | 100 | " in report
    assert ("a line\\nand another" in report) is bool(failures)


def test_a_proof_that_is_not_run_again_keeps_its_row_and_what_is_said_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, earlier = tmp_path / "REPORT.md", {"hogs": proof_of(("once",))}
    report.write_text(soak.write_report(earlier, "abc1234", small=False), encoding="utf-8")
    monkeypatch.setattr(soak, "PROOFS", {"injection": soak.Plan(lambda _: proof_of(()), small=1, full=2)})
    CliRunner().invoke(soak.main, ["--report", str(report)])
    kept = [line for line in report.read_text(encoding="utf-8").splitlines() if "`hogs`" in line]
    assert [line[:14] for line in kept] == ["| `hogs` | It ", "- `hogs`: a hu", "- `hogs` faile"]
    assert "| abc1234 |" in kept[0]


def test_every_proof_is_a_file_and_tries_more_in_full() -> None:
    for name, plan in soak.PROOFS.items():
        assert Path(soak.__file__).with_name(f"{name}.py").is_file()
        assert 0 < plan.small <= plan.full
