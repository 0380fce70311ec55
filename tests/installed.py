"""The wheel as a user has it: built, and installed into an environment of its own, without the checkout."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What the packages it depends on bring along where they are installed beside it.
_BORROWED = (
    "share/jupyter/kernels/python3", "share/jupyter/nbconvert", "share/jupyter/lab",
    "share/jupyter/labextensions/anywidget", "share/jupyter/labextensions/@jupyter-widgets",
    "etc/jupyter/jupyter_server_config.d/jupyterlab.json",
)  # fmt: skip


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout and return it."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return find_wheel(folder)


def find_wheel(folder: Path) -> Path:
    """Return the wheel in a folder."""
    return next(folder.glob("*.whl"))


def install_wheel(wheel: Path, folder: Path) -> None:
    """Make an environment in which only the wheel is installed; what it depends on is borrowed from this one."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    install = ["-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, *install], check=True, capture_output=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    for name in _BORROWED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(Path(sys.prefix) / name)
    (packages / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
