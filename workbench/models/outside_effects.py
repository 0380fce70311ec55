"""Parameters by which a model would reach out of its process when it answers: files, caches, other methods, workers, output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.models.model_parts import parts_of

_TEXT = "sklearn.feature_extraction.text"
_NAMES_A_METHOD = ("stack_method", "stack_method_", "response_method", "_response_method")
_ANSWERS = frozenset(
    {"auto", "decision_function", "predict", "predict_log_proba", "predict_proba", "score_samples", "transform"}
)
# What each part does alone and in silence answers the same: a server has its own processes, and its own log.
_QUIET = {"n_jobs": 1, "_n_threads": 1, "verbose": 0}


def find_outside_effects(model: Any) -> Iterator[str]:
    """Yield which parts of a scikit-learn model open files that rows name, keep files, or call a method that is no answer."""
    for part in parts_of(model):
        state, kind = getattr(part, "__dict__", {}), type(part).__name__
        if type(part).__module__ == _TEXT and state.get("input", "content") != "content":
            yield f'{kind} opens the files that rows name (input={state["input"]!r}); write input="content" and give the texts.'
        if state.get("memory") is not None:
            yield f"{kind} keeps its steps in files (memory=); write memory=None."
        yield from (
            f"{kind} calls {name!r} for an answer." for name in _methods_named_by(state) if name not in _ANSWERS
        )


def _methods_named_by(state: dict[str, Any]) -> Iterator[str]:
    for attribute in _NAMES_A_METHOD:
        value = state.get(attribute)
        for name in [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []:
            if isinstance(name, str):
                yield name


def quieten(model: Any) -> None:
    """Make every part of a model work alone and in silence: no workers beside the server's, nothing printed."""
    for part in parts_of(model):
        state = getattr(part, "__dict__", {})
        state.update({name: quiet for name, quiet in _QUIET.items() if name in state})
