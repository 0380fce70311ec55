"""Words counted, weighted and hashed."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

from workbench.models.reviewed_types.family import FUNCTION, Family, named

_MOST_COLUMNS = 2**31 - 1


def find_text_faults(part: Any) -> Iterator[str]:
    """Yield it when a word would stand in a column that the table has not: SciPy writes where it is told."""
    state = getattr(part, "__dict__", {})
    words = state.get("vocabulary_")
    if words is not None and sorted(map(operator.index, words.values())) != list(range(len(words))):
        yield "A vocabulary's words are not numbered from 0 without gaps."
    if type(part).__name__ in ("FeatureHasher", "HashingVectorizer"):
        columns = state.get("n_features", 1)
        if type(columns) is not int or not 0 < columns <= _MOST_COLUMNS:
            yield "Words are hashed to columns that do not exist."


TEXTS = Family(
    "texts",
    reason="They are vocabularies and weights; a text that is given is read, and no file is (input= stays content).",
    estimators=named(
        "sklearn.feature_extraction",
        "_dict_vectorizer.DictVectorizer _hash.FeatureHasher text.CountVectorizer text.HashingVectorizer "
        "text.TfidfTransformer text.TfidfVectorizer",
    ),
    parts={
        FUNCTION: named("sklearn.feature_extraction.text", "strip_accents_ascii strip_accents_unicode strip_tags"),
    },
    checked="every word stands in a column of the table; no file is opened",
    find_faults=find_text_faults,
)
