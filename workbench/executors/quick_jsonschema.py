"""Imports jsonschema without a grammar of addresses that takes two seconds to build, and that no notebook is checked by.

Import this before nbformat. Whoever asks for that grammar afterwards gets it.
"""

import sys

_GRAMMAR = "rfc3987_syntax"

if "jsonschema" not in sys.modules and _GRAMMAR not in sys.modules:
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # how Python marks what cannot be imported
    try:
        __import__("jsonschema")
    finally:
        del sys.modules[_GRAMMAR]
