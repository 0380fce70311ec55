"""Surroundings: what is there, outside of its text, for a notebook to run with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Refusal:
    """Why the workbench itself would not start the notebook, and what to do."""

    why: str
    advice: str


@dataclass(frozen=True)
class Surroundings:
    """What was looked up for a notebook: modules, names in them, files and kernels that are missing, and what may be shown.

    `missing_names` are imports by their full names, with what lacks them in words, `missing_attributes` likewise what modules are
    asked for by a dot, `missing_styles` those of Matplotlib;
    `beside` are top-level modules in its folder. `draws` are functions and classes that draw by NumPy's own state unless
    `random_state` is given, by full name, with the defaults of what they take (`...` where one is no literal).
    """

    refusals: tuple[Refusal, ...] = ()
    missing_modules: frozenset[str] = frozenset()
    missing_names: Mapping[str, str] = field(default_factory=dict)
    missing_attributes: Mapping[str, str] = field(default_factory=dict)
    missing_styles: Mapping[str, str] = field(default_factory=dict)
    missing_files: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    draws: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    output_bytes: int | None = None
    unknown: tuple[str, ...] = ()
