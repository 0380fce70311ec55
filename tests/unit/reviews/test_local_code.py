"""Local code that ran with the notebook stands in the review: every line, what changed in it, and whether git holds it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.evidence.builders import build_evidence, build_local_files
from tests.unit.reviews.builders import build_changes, build_review, build_source
from workbench.errors import Refused
from workbench.evidence.evidence import Evidence
from workbench.models.model_facts import ModuleFact
from workbench.records.digest import canonical_json, sha256_hex
from workbench.reviews.changes import LONGEST_SOURCE, find_changes
from workbench.reviews.nominees import LOCAL_CODE, read_local_code
from workbench.reviews.own_code import ReviewedModule, review_local_code
from workbench.runs.local_files import LocalModule, ReadFile, SeenBy, Standing
from workbench.widgets.own_code_state import local_code_state
from workbench.widgets.review_page import review_page
from workbench.widgets.review_state import review_state
from workbench.words.changes import changes_state
from workbench.words.local_files import MOST_SHOWN, NOTHING_READ, describe_reads

OLD, NEW = "V = 1\nW = 2\n", "V = 3\nW = 2\n"


def ran(source: str = NEW, standing: Standing = Standing.COMMITTED, **changes: Any) -> Evidence:
    """Evidence of a run in which `helper.py` ran with this source."""
    module = LocalModule("helper.py", sha256_hex(source.encode()), standing)
    return build_evidence(local_files=build_local_files(modules=(module,)), **changes)


def review(
    after: Evidence, before: Evidence | None = None, *, kept: str | None = NEW, then: str | None = OLD
) -> ReviewedModule:
    sources, old = ({"helper.py": text} if text is not None else {} for text in (kept, then))
    (module,) = review_local_code(after, sources, before, old if before else {})
    return module


def test_new_local_code_is_shown_line_by_line_with_how_it_stands_to_git():
    shown = build_review(
        evidence=ran(standing=Standing.UNTRACKED), local_code=(review(ran(standing=Standing.UNTRACKED)),)
    )
    (module,) = local_code_state(shown)["modules"]
    assert module["code"][0]["summary"] == "helper.py is new: 2 lines"
    assert module["detail"] == f"Not in git sha256 {sha256_hex(NEW.encode())[:12]}"
    page = review_page(shown)
    assert "Local code that ran" in page
    assert '<ins class="wb-line wb-added">+ V = 3</ins>' in page


def test_changed_local_code_shows_what_changed():
    module = review(ran(), ran(OLD))
    assert (module.standing, module.code.added, module.code.removed) == ("changed", 1, 1)


def test_code_that_is_the_same_or_no_longer_runs_says_so():
    assert review(ran(OLD), ran(OLD), kept=OLD).standing == "the same"
    (gone,) = review_local_code(build_evidence(local_files=build_local_files(modules=())), {}, ran(), {})
    assert (gone.name, gone.standing) == ("helper.py", "gone")


def test_code_whose_text_was_not_kept_says_so():
    for module in (review(ran(), kept=None), review(ran(), ran(OLD), then=None)):
        (shown,) = local_code_state(build_review(local_code=(module,)))["modules"]
        assert shown["code"] == [
            {
                "summary": "helper.py: Its source was not kept: it is long, no text, or holds a secret.",
                "hunks": [],
                "open": False,
                "more": "",
            }
        ]


def test_code_that_nobody_would_read_to_its_end_says_how_long_it_is():
    long = "x = 1\n" * (LONGEST_SOURCE + 1)
    assert review(ran(long), kept=long).code.fault == "It has 5,001 lines."


def test_code_that_does_not_read_as_it_runs_is_pointed_at():
    odd = "x = 1  # \u202e\n"
    assert "read it with care: line 1 holds" in review(ran(odd), kept=odd).note


def test_the_models_own_code_is_not_shown_twice():
    fact = ModuleFact("helper", sha256_hex(NEW.encode()), ())
    assert review_local_code(ran(own_code=(fact,)), {"helper.py": NEW}, None, {}) == ()


def test_other_local_code_is_among_what_changed():
    changes = find_changes(ran(OLD), ran(NEW), source_before=build_source(), source_after=build_source())
    assert [changed.name for changed in changes.facts] == ["local code"]
    assert "The local code changed." in changes_state(changes, ran(NEW))["text"]
    assert "local code" not in [changed.name for changed in build_changes().facts]


# What was read


def shown_of(evidence: Evidence) -> str:
    (fact,) = [fact for fact in review_state(build_review(evidence=evidence))["facts"] if fact["name"] == "Also read"]
    return str(fact["text"])


def test_files_that_were_read_are_named_and_by_whom_they_were_seen():
    reads = (
        ReadFile("a.csv", "ab" * 32, 1234, SeenBy.KERNEL),
        ReadFile("b.bin", None, 5, SeenBy.SYSTEM),
    )
    evidence = build_evidence(local_files=build_local_files(reads=reads, unseen=("what native readers open",)))
    assert shown_of(evidence) == (
        "a.csv, 1,234 bytes, sha256 abababababab; b.bin, 5 bytes, content not known any more, or large "
        "(by a native reader, or another program meanwhile). Not seen: what native readers open"
    )


def test_what_nobody_recorded_is_not_known():
    assert "not known" in shown_of(build_evidence(local_files=None))
    assert "what its kernel did not tell" in shown_of(build_evidence(local_files=build_local_files(is_complete=False)))


def test_many_files_are_counted():
    reads = tuple(ReadFile(f"{number}.csv", None, 1, SeenBy.KERNEL) for number in range(MOST_SHOWN + 2))
    assert describe_reads(build_local_files(reads=reads, more_read=3)).endswith("; 5 more")
    assert describe_reads(build_local_files(reads=())) == NOTHING_READ


@pytest.mark.parametrize("texts", [{"helper.py": OLD}, {"helper.py": NEW + "\n"}, {"other.py": NEW}])
def test_another_text_than_ran_is_shown_to_nobody(texts):
    kept = {LOCAL_CODE: canonical_json({"helper.py": NEW})}
    assert read_local_code(kept, ran()) == {"helper.py": NEW}
    assert read_local_code({}, ran()) == {}
    with pytest.raises(Refused, match="is shown in another text than ran") as refused:
        read_local_code({LOCAL_CODE: canonical_json(texts)}, ran())
    assert refused.value.next_step == "Nominate the run again."
