"""Verdicts as a view shows them: a word, a shape and a tone, so that none is told by its colour alone."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.comparisons.verdict import Verdict

_VERDICTS: Mapping[Verdict | None, tuple[str, str, str]] = {
    Verdict.BETTER: ("Better", "▲", "good"),
    Verdict.NOT_WORSE: ("Not worse", "◆", "fair"),
    Verdict.WORSE: ("Worse", "▼", "bad"),
    Verdict.INCONCLUSIVE: ("Inconclusive", "?", "open"),
    None: ("Not measured", "", "quiet"),
}


def verdict_state(verdict: Verdict | None) -> dict[str, str]:
    """Return a verdict as word, shape and tone."""
    word, shape, tone = _VERDICTS[verdict]
    return {"word": word, "shape": shape, "tone": tone}
