"""Two verifiers that share no line agree on every export; the second one needs nothing but Python."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.ledger.ledger_exports import Mutation, build_chain, build_mutations
from workbench import ledger_verifier
from workbench.ledger.ledger import Event, head_of
from workbench.ledger.ledger_export import find_export_faults, read_export, write_export

FILE = Path(ledger_verifier.__file__)
MUTATIONS = list(build_mutations(620, seed=20_261))


def verify(mutation: Mutation) -> list[str]:
    checkpoint = mutation.checkpoint
    return ledger_verifier.verify(mutation.content, (checkpoint.sequence, checkpoint.digest) if checkpoint else None)


def test_both_verifiers_say_of_every_mutation_what_is_true_of_it() -> None:
    assert len(MUTATIONS) >= 600
    disagree = [
        (mutation.how, first, second)
        for mutation in MUTATIONS
        if not (
            bool(first := find_export_faults(mutation.content, mutation.checkpoint))
            == bool(second := verify(mutation))
            == mutation.is_refused
        )
    ]
    assert disagree == []


def test_what_was_exported_is_read_back_as_it_was() -> None:
    entries = build_chain(9)
    assert read_export(write_export(entries)) == (entries, [])
    assert write_export(entries) == write_export(list(entries))


def test_the_digest_of_a_line_is_that_of_the_bytes_beside_it() -> None:
    """So that `sha256sum` alone could tell."""
    import hashlib

    for entry, line in zip(build_chain(5), write_export(build_chain(5)).splitlines(), strict=True):
        text = line.removeprefix(b'{"digest":"' + entry.digest.encode() + b'","entry":').removesuffix(b"}")
        assert hashlib.sha256(text).hexdigest() == entry.digest


def test_the_second_verifier_knows_every_event() -> None:
    assert set(Event) - {Event.UNREADABLE} <= ledger_verifier.EVENTS


def test_the_second_verifier_is_short_and_imports_only_what_python_brings() -> None:
    source = FILE.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 300
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= set(sys.stdlib_module_names)


def run_alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of the file in a folder where there is nothing else, with a Python that finds nothing else."""
    copy = folder / "ledger_verifier.py"
    copy.write_bytes(FILE.read_bytes())
    command = [sys.executable, "-I", "-S", str(copy), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_the_second_verifier_runs_alone_and_ends_with_zero_or_one(tmp_path: Path) -> None:
    entries = build_chain(4)
    content = write_export(entries)
    (tmp_path / "ledger.jsonl").write_bytes(content)
    (tmp_path / "short.jsonl").write_bytes(content[: content.index(b"\n") + 1])
    done = run_alone(tmp_path, "ledger.jsonl", "--checkpoint", str(head_of(entries)))
    assert (done.returncode, done.stdout) == (0, "4 entries, nothing wrong\n")
    done = run_alone(tmp_path, "short.jsonl", "--checkpoint", str(head_of(entries)))
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert "entry 4" in done.stdout
    assert "and there are 1 entries" in done.stdout
    assert run_alone(tmp_path, "ledger.jsonl", "--checkpoint", "4:abc").returncode == 2
    assert (
        run_alone(tmp_path, "ledger.jsonl", "--revoked-keys", "ledger.jsonl").returncode == 2
    )  # not ignored in silence


@pytest.mark.parametrize("text", ["PRINCIPAL", "", "4:", f"x:{'a' * 64}", f"4:{'A' * 64}", f"-1:{'a' * 64}"])
def test_a_checkpoint_that_cannot_be_read_is_wrong_usage(text: str) -> None:
    from workbench.errors import UsageError
    from workbench.ledger.ledger import parse_checkpoint

    with pytest.raises(UsageError, match="is no checkpoint") as caught:
        parse_checkpoint(text)
    assert caught.value.next_step
