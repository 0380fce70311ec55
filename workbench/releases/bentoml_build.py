"""Building one Bento, in a process of its own; run by file name so that only the staged `workbench` is ever imported.

Arguments: the bentofile, the folder to build from, the Bento's name and version. `BENTOML_HOME` says where.
"""

from __future__ import annotations

import sys


def main(bentofile: str, context: str, name: str, version: str) -> None:
    """Build and save the Bento."""
    import bentoml

    bentoml.bentos.build_bentofile(bentofile, name=name, version=version, build_ctx=context)


if __name__ == "__main__":
    main(*sys.argv[1:])
