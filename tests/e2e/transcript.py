"""The demo's transcript: run in a copy of the tree without git, so that it names nobody and writes nothing into this one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from itertools import zip_longest
from pathlib import Path

from tests.conftest import own_environment

CHECKOUT = Path(__file__).parents[2]

TRANSCRIPT = CHECKOUT / ".github" / "demo.txt"
README = CHECKOUT / "README.md"
# What of the transcript stands in the README: by how a line begins, how many lines from there.
_EXCERPTS = (
    ("$ workbench sweep", 3),
    ("Best roc_auc", 1),
    ("$ workbench compare", 5),
    ("Promoting without approvals", 7),
    ("5. Promote it", 4),
    ("6. Serve it", 5),
    ("7. Change one bit", 6),
)
_BLOCK = re.compile(r"(?<=<!-- demo -->\n).*?(?=\n<!-- written by)", re.DOTALL)

# What is another one each time: how long it took, who shares the machine, what chance drew, where it lies, what came first.
_MASKS = {
    "DIGEST": r"\b\d+:[0-9a-f]{64}\b|\b[0-9a-f]{12}\b(?!\.\d)",
    "TIME": r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00)?)?|\(\d+ s\)|\b\d+:\d\d\b"
    r"|\b\d+(?:\.\d+)? (?:s|min|h|d)\b(?: ago)?|\bjust now\b",
    "COST": r"\bp50 .*? bytes\b",
    "PORT": r"(?<=--port )\d+|(?<=127\.0\.0\.1:)\d+",
    "RULE": "─+",
}
# How far it is, said as often as there was time to.
_PROGRESS = re.compile(r".*: \d+ of \d+ ended.*|.*: \d+ s")
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_CLOSE = 0.002  # what another processor may make of a score


def cut_excerpt(transcript: str) -> str:
    """Return the part of a transcript that stands in the README, as a block of Markdown."""
    lines = [line for line in transcript.splitlines() if not _PROGRESS.fullmatch(line)]
    starts = [(next(at for at, line in enumerate(lines) if line.startswith(begin)), size) for begin, size in _EXCERPTS]
    parts = ["\n".join(lines[at : at + size]) for at, size in starts]
    return "\n".join(["```", "\n\n".join(parts), "```"])


def read_excerpt() -> str:
    """Return the part of the transcript that stands in the README now."""
    found = _BLOCK.search(README.read_text(encoding="utf-8"))
    assert found, "README.md has no place for the demo's excerpt"
    return found[0]


def write_excerpt() -> None:
    """Put the part of the transcript into the README that it shows."""
    excerpt, readme = cut_excerpt(TRANSCRIPT.read_text(encoding="utf-8")), README.read_text(encoding="utf-8")
    README.write_text(_BLOCK.sub(lambda _: excerpt, readme), encoding="utf-8")


def copy_checkout(folder: Path) -> Path:
    """Copy the source tree, without what was made in it, and return the copy."""
    made = shutil.ignore_patterns(".*", "__pycache__", "mlruns", "tests", "screenshots")
    return Path(shutil.copytree(CHECKOUT, folder, ignore=lambda at, names: {*made(at, names), *_made_runs(at, names)}))


def _made_runs(at: str, names: list[str]) -> set[str]:
    return {*names} - {"README.md"} if at == str(CHECKOUT / "runs") else set()


def run_demo(checkout: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the demo of a copied tree from within another folder; results and what is said beside them come in one stream."""
    return subprocess.run(
        [sys.executable, "-m", "workbench.demo"],
        cwd=folder,
        env=own_environment(PYTHONPATH=str(checkout), PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )


def find_differences(recorded: str, said: str) -> list[str]:
    """Return how two transcripts differ, command by command: in words, but for what is another one each time.

    How wide a column is depends on how long ago something was, and with it where lines break: of one command the words count, in
    whatever order.
    """
    pairs = zip_longest(_commands_of(recorded), _commands_of(said), fillvalue="")
    return [fault for was, now in pairs for fault in _differ(was, now)]


def _commands_of(transcript: str) -> list[str]:
    return re.split(r"^(?=\$ )", transcript.strip(), flags=re.MULTILINE)


def _differ(recorded: str, said: str) -> list[str]:
    """Return which words one has and the other lacks, but for numbers that have one nearly equal there."""
    was, now = Counter(_words_of(recorded)), Counter(_words_of(said))
    lost, new = sorted((was - now).elements()), sorted((now - was).elements())
    for word in list(lost):
        near = next((other for other in new if _is_near(word, other)), None)
        if near is not None:
            lost.remove(word)
            new.remove(near)
    command = said.partition("\n")[0]
    return [f"{command}: {word} is gone" for word in lost] + [f"{command}: {word} is new" for word in new]


def _words_of(said: str) -> list[str]:
    text = " ".join(word for line in said.splitlines() if not _PROGRESS.fullmatch(line) for word in line.split())
    for name, pattern in _MASKS.items():
        text = re.sub(pattern, name, text)
    return text.split()


def _is_near(was: str, now: str) -> bool:
    if _NUMBER.sub("#", was) != _NUMBER.sub("#", now):
        return False
    pairs = zip(*(map(_read_number, _NUMBER.findall(word)) for word in (was, now)), strict=True)
    return all(abs(one - other) <= _CLOSE for one, other in pairs)


def _read_number(text: str) -> float:
    return float(text.replace(",", ""))


def demo_settings(checkout: Path) -> dict[str, str]:
    """Return the environment in which the demo's author goes on with what it left."""
    home = checkout / "runs" / "demo"
    return {
        "WORKBENCH_HOME": str(home),
        "WORKBENCH_CHECKPOINTS": str(home / "checkpoints"),
        "WORKBENCH_POLICY": str(home / "policy.yaml"),
        "WORKBENCH_AUTHOR": "ada@demo.example",
    }
