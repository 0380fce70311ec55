"""The model card: generated from evidence and the answers people gave; an empty answer is shown as such."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from workbench.domain.comparison import Comparison, headline
from workbench.domain.digest import short
from workbench.domain.evidence import DatasetFact, Evidence, Identity

# Code, emphasis, links, HTML, rows, headings; at the beginning of a line lists, rules and underlines of headings.
_MEANINGFUL = re.compile(r"([\\`*\[\]<>|#~]|^[-+=]|(?<![^\W_])_|_(?![^\W_])|(?<=^\d)[.)]|(?<=^\d\d)[.)])")


def render_model_card(evidence: Evidence, questions: Mapping[str, str], template: str) -> str:
    """Return the card as Markdown; `questions` are the policy's, `template` has one `{field}` for each part.

    What people or notebooks wrote cannot add a heading, a row, a link or HTML: it stands for itself only.
    """
    score = evidence.score
    answers = (_answer(text, evidence.answers.get(name)) for name, text in questions.items())
    return template.format_map(
        {
            **_describe_identity(evidence.identity),
            "headline": f"{score.metric} {score.value:.4g} on the holdout." if score else "No score was recorded.",
            "evaluation": _list([*_compare(evidence.baseline), *_compare(evidence.champion)]),
            "answers": "\n\n".join(answers),
            "datasets": _list(_describe_dataset(item) for item in evidence.datasets),
        }
    )


def _describe_identity(identity: Identity) -> dict[str, str]:
    parameters = ", ".join(f"{name} = {value}" for name, value in sorted(identity.parameters.items()))
    return {
        "model": _inline(identity.model),
        "version": str(identity.version),
        "endpoint": _inline(identity.endpoint),
        "authors": _inline(", ".join(identity.authors)),
        "notebook": _inline(identity.notebook),
        "notebook_digest": short(identity.notebook_digest),
        "run_id": _inline(identity.run_id),
        "git_commit": _inline(identity.git_commit or "none"),
        "parameters": _inline(parameters),
    }


def _describe_dataset(item: DatasetFact) -> str:
    return f"{_inline(item.name)}: {item.rows:,} rows, {item.columns} columns, `{short(item.digest)}`"


def _inline(text: str) -> str:
    """Return a text as one line of Markdown in which nothing has a meaning of its own."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return _MEANINGFUL.sub(r"\\\1", plain.strip())


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items) or "Nothing recorded."


def _compare(comparison: Comparison | None) -> list[str]:
    return [] if comparison is None else [_inline(headline(comparison))]


def _answer(question: str, answer: str | None) -> str:
    said = "\n".join(f"> {_inline(line)}".rstrip() for line in (answer or "").splitlines()) or "_Not answered yet._"
    return f"**{_inline(question)}**\n\n{said}"
