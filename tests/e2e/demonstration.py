"""The demo as the README shows it: `python -m tests.e2e.demonstration` takes its transcript and its picture anew."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

from playwright.sync_api import expect

from tests.conftest import run_command
from tests.e2e.jupyterlab import Lab, Server, open_browser
from tests.e2e.transcript import CHECKOUT, TRANSCRIPT, copy_checkout, demo_settings, run_demo, write_excerpt

PICTURE = CHECKOUT / ".github" / "review.png"


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
        take_picture(checkout)
        lines = [line.rstrip() for line in done.stdout.strip().splitlines()]
        TRANSCRIPT.write_text("\n".join(lines) + "\n", encoding="utf-8")
        write_excerpt()


if __name__ == "__main__":
    main()
