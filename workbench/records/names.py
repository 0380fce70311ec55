"""How things are named: what is legal in a file name, an address and a command line alike."""

from __future__ import annotations

import re

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
