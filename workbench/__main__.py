"""The command `workbench`, also as `python -m workbench`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from workbench.cli.main import run_command

    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
