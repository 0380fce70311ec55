"""The kernels papermill finds on this machine, without papermill itself, whose import takes as long as a small run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

from workbench.errors import UsageError


def find_kernel(source: Mapping[str, Any]) -> str:
    """Return the kernel a notebook asks for; raises UsageError when it is not installed."""
    wanted = source.get("metadata", {}).get("kernelspec", {}).get("name", "python3")
    installed = sorted(KernelSpecManager().find_kernel_specs())
    if wanted in installed:
        return str(wanted)
    raise UsageError(
        f"The notebook asks for kernel {wanted!r}, which is not installed.",
        why=f"Installed are: {', '.join(installed) or 'none'}.",
        next_step="Pick an installed kernel in JupyterLab and save the notebook.",
    )


def is_own_python(kernel: str) -> bool:
    """Whether an installed kernel is of the very Python, and the packages, that this process runs with."""
    try:
        program = KernelSpecManager().get_kernel_spec(kernel).argv[0]
    except (NoSuchKernel, IndexError):
        return False
    # A bare name is what Jupyter puts its own Python in for.
    return program in ("python", "python3", Path(sys.executable).name) or Path(program) == Path(sys.executable)
