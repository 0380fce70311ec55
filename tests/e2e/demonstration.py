"""The demo as the README shows it: `python -m tests.e2e.demonstration` takes its transcript and its picture anew.

Both come from a copy of the tree without git, so that they name nobody and the demo writes nothing into this one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from itertools import zip_longest
from pathlib import Path
from unittest.mock import patch

from playwright.sync_api import expect

from tests.conftest import own_environment, run_command
from tests.e2e.jupyterlab import CHECKOUT, Lab, Server, open_browser

SHOWN = CHECKOUT / ".github"
TRANSCRIPT = SHOWN / "demo.txt"
PICTURE = SHOWN / "review.png"
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
    "DIGEST": r"\b\d+:[0-9a-f]{64}\b|\b[0-9a-f]{12}\b(?!\.)",
    "TIME": r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00)?)?|\(\d+ s\)|\b\d+:\d\d\b|\b\d+(?:\.\d+)? s\b",
    "COST": r"\bp50 .*? bytes\b",
    "PORT": r"(?<=--port )\d+|(?<=127\.0\.0\.1:)\d+",
    "RULE": "─+",
}
# How far it is, said as often as there was time to.
_PROGRESS = re.compile(r"\w+: \d+ of \d+ ended.*|.*: \d+ s")
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_CLOSE = 0.02  # what another processor may make of a sum


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
    pairs = zip_longest(_words_of(recorded), _words_of(said), fillvalue="nothing")
    command = said.partition("\n")[0]
    return [f"{command}: recorded {was}, said {now}" for was, now in pairs if not _agree(was, now)]


def _words_of(said: str) -> list[str]:
    text = " ".join(word for line in said.splitlines() if not _PROGRESS.fullmatch(line) for word in line.split())
    for name, pattern in _MASKS.items():
        text = re.sub(pattern, name, text)
    return sorted(text.split())


def _agree(was: str, now: str) -> bool:
    if was == now:
        return True
    if _NUMBER.sub("#", was) != _NUMBER.sub("#", now):
        return False
    pairs = zip(_NUMBER.findall(was), _NUMBER.findall(now), strict=True)
    return all("." in one and abs(float(one) - float(other)) <= _CLOSE for one, other in pairs if one != other)


def demo_settings(checkout: Path) -> dict[str, str]:
    """Return the environment in which the demo's author goes on with what it left."""
    home = checkout / "runs" / "demo"
    return {
        "WORKBENCH_HOME": str(home),
        "WORKBENCH_CHECKPOINTS": str(home / "checkpoints"),
        "WORKBENCH_POLICY": str(home / "policy.yaml"),
        "WORKBENCH_AUTHOR": "ada@demo.example",
    }


def take_picture(checkout: Path) -> None:
    """Nominate the demo's best run once more, and take a picture of its review as JupyterLab shows it."""
    settings = demo_settings(checkout)
    compared = json.loads(run_command(checkout, "compare", "--json", **settings).stdout)
    best, worst = compared["runs"][0]["run_id"], compared["runs"][-1]["run_id"]
    done = run_command(checkout, "nominate", best, "--model", "breast-cancer", "--baseline", worst, **settings)
    assert done.returncode == 0, done.stderr
    server = Server(checkout / "lab")
    review = server.write("review.ipynb", ['import workbench as wb\n\nwb.review("breast-cancer/3")'])
    with patch.dict(os.environ, settings), server.run(), open_browser() as browser:
        lab = Lab(browser, server)
        lab.page.set_viewport_size({"width": 1160, "height": 2400})
        view = lab.open(review).locator(".wb-live")
        expect(view).to_contain_text("Checks", timeout=60_000)
        top, end = view.bounding_box(), view.locator("summary", has_text="Checklist").bounding_box()
        assert top is not None
        assert end is not None
        height = end["y"] + end["height"] + 8 - top["y"]
        lab.page.screenshot(path=PICTURE, clip={"x": top["x"], "y": top["y"], "width": top["width"], "height": height})
        lab.close()


def main() -> None:
    """Run the demo and keep what it says and shows."""
    with tempfile.TemporaryDirectory() as folder:
        checkout = copy_checkout(Path(folder) / "checkout")
        done = run_demo(checkout, Path(folder))
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        lines = [line.rstrip() for line in done.stdout.strip().splitlines()]
        TRANSCRIPT.write_text("\n".join(lines) + "\n", encoding="utf-8")
        write_excerpt()
        take_picture(checkout)


if __name__ == "__main__":
    main()
