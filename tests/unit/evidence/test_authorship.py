"""Who may not approve are those whose lines count: new since the model's last release, or all, as the policy says."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.evidence.builders import build_local_files
from tests.unit.people import AUTHOR, OWNER, VALIDATOR
from tests.unit.policies.builders import build_policy_bytes
from tests.unit.runs.kept_runs import keep
from workbench.errors import Refused
from workbench.evidence.measures.authorship import Approved, AuthorshipFact, WrittenFact, measure_authorship
from workbench.nominations.nomination import Nomination
from workbench.records.digest import canonical_json, strict_json
from workbench.runs.authorship import Authorship, Commit, Lines, WrittenFile
from workbench.runs.folder import CODE_AUTHORS, JOURNAL, PARAMETERS
from workbench.runs.local_files import LocalFilesFact, LocalModule, Standing

OLD, NEW, CUT = "a" * 40, "b" * 40, "c" * 40
COMMITS = (Commit(OLD, (VALIDATOR,), False), Commit(NEW, (OWNER,), False), Commit(CUT, (AUTHOR,), True))


def wrote(path: str = "train.ipynb", **lines: int) -> WrittenFile:
    names = {"old": OLD, "new": NEW, "cut": CUT, "none": ""}
    return WrittenFile(path, tuple(Lines(names[name], count) for name, count in lines.items()))


def measure(*files: WrittenFile, before: AuthorshipFact | None = None, rule="changed_lines") -> AuthorshipFact:
    return measure_authorship(Authorship(files, COMMITS), Approved(4, before), rule)


def test_the_first_time_all_lines_that_are_there_count():
    found = measure_authorship(Authorship((wrote(old=3, new=1),), COMMITS), None, "changed_lines")
    assert (found.since, found.authors) == (None, (OWNER, VALIDATOR))


def test_whose_lines_were_approved_before_may_approve_what_is_new():
    before = measure(wrote(old=3))
    found = measure(wrote(old=3, new=1), before=before)
    assert (found.since, found.authors) == (4, (OWNER,))
    assert measure(wrote(old=3, new=1), before=before, rule="all_lines").authors == (OWNER, VALIDATOR)


def test_a_file_that_was_no_part_of_the_last_release_is_new_however_old():
    before = measure(wrote(old=3))
    assert measure(wrote(old=3), wrote("rules.py", old=9), before=before).authors == (VALIDATOR,)


def test_a_release_of_which_nothing_is_known_leaves_all_lines_new():
    assert measure(wrote(old=3), before=None).authors == (VALIDATOR,)


def test_lines_in_no_commit_are_new_each_time_and_told_as_such():
    before = measure(wrote(old=3, none=2))
    assert before.files == (WrittenFact("train.ipynb", (OLD,), 2, 0),)
    assert measure(wrote(old=3, none=2), before=before).files[0].uncommitted == 2


def test_lines_older_than_the_history_are_told_to_nobody_and_never_become_known():
    before = measure(wrote(old=3, cut=5))
    assert before.files == (WrittenFact("train.ipynb", (OLD,), 0, 5),)
    assert measure(wrote(old=3, cut=5), before=before).files[0].untold == 5


def test_what_git_did_not_say_of_a_file_is_none_and_an_empty_file_is_nobodys():
    found = measure(WrittenFile("lost.py", None), WrittenFile("__init__.py", ()))
    assert found.files == (WrittenFact("lost.py", (), 0, 0),)


def test_of_a_run_from_before_nothing_is_said():
    assert measure_authorship(None, None, "changed_lines") is None


def spell(fact: Any) -> Any:
    return strict_json(canonical_json(asdict(fact)))


def ran(*paths: str) -> LocalFilesFact:
    return build_local_files(modules=tuple(LocalModule(path, "ab" * 32, Standing.COMMITTED) for path in paths))


def tell(files: LocalFilesFact) -> bytes:
    """What a kernel wrote of them."""
    lines = [{"code": f"/p/{each.path}", "digest": each.digest, "source": None} for each in files.modules]
    end = {"end": True, "lost": 0, "more_code": 0, "more_read": 0}
    return b"\n".join(map(canonical_json, [{"begin": "3.11.7"}, *lines, end]))


@pytest.fixture
def nominate(tmp_path: Path):
    def nominate_with(
        written: Authorship | None, own: Authorship | None = None, record: dict[str, Any] | None = None, **changes
    ) -> Nomination:
        folder = tmp_path / "3f9a1c27d05b"
        folder.mkdir()
        (folder / PARAMETERS).write_text("{}", encoding="utf-8")
        if own:
            (folder / CODE_AUTHORS).write_bytes(canonical_json(asdict(own)))
        if record and "local_files" in record:
            (folder / JOURNAL).write_bytes(tell(record["local_files"]))
        kept = keep(folder)
        said = {"authorship": spell(written)} if written else {}
        told = {name: spell(fact) for name, fact in (record or {}).items()}
        kept = replace(kept, run=replace(kept.run, provenance=said, record={**kept.run.record, **told}))
        parts = {
            "model": "tumour",
            "policy_name": "standard",
            "nominator": "nina@example.org",
            "baseline": None,
            "last_version": 0,
        }
        return Nomination(kept, policy_bytes=build_policy_bytes(), **{**parts, **changes})

    return nominate_with


def test_authors_are_who_ran_nominated_or_wrote_lines_that_count(nominate):
    approved = Approved(4, measure(wrote(old=3)))
    plan = nominate(Authorship((wrote(old=3, new=1),), COMMITS[:2]), approved=approved)
    assert plan.authors == (AUTHOR, "nina@example.org", OWNER)
    assert plan.named == {AUTHOR, "nina@example.org", OWNER, VALIDATOR}


def test_who_wrote_own_code_is_an_author_too(nominate):
    plan = nominate(Authorship((wrote(new=1),), COMMITS[1:2]), Authorship((wrote("rules.py", old=1),), COMMITS[:1]))
    assert {OWNER, VALIDATOR} < {*plan.authors}


def test_who_wrote_a_module_that_ran_is_an_author_too(nominate):
    modules = Authorship((wrote("rules.py", old=1), WrittenFile("lost.py", None)), COMMITS[:1])
    plan = nominate(
        Authorship((wrote(new=1),), COMMITS[1:2]),
        record={"local_files": ran("lost.py", "rules.py"), "authorship": modules},
    )
    assert {OWNER, VALIDATOR} < {*plan.authors}
    assert [file.path for file in plan.kept.authorship.files] == ["train.ipynb", "rules.py", "lost.py"]


def test_of_a_run_from_before_what_was_read_of_its_imports_stays_and_what_else_ran_is_told_to_nobody(nominate):
    before = Authorship((wrote(new=1), wrote("rules.py", old=1)), COMMITS[:2])
    kept = nominate(before, record={"local_files": ran("dynamic.py", "rules.py")}).kept
    assert kept.authorship == Authorship((*before.files, WrittenFile("dynamic.py", None)), before.commits)


def test_a_run_from_before_names_who_ran_and_nominated_it(nominate):
    assert nominate(None).authors == (AUTHOR, "nina@example.org")


@pytest.mark.parametrize("content", [b"[]", b'["ada@example.org"]', b"{", b'{"files":[],"commits":3}'])
def test_what_was_kept_of_own_code_and_cannot_be_read_is_refused(nominate, content):
    plan = nominate(Authorship((wrote(new=1),), COMMITS))
    kept = replace(plan.kept, files={**plan.kept.files, CODE_AUTHORS: content})
    with pytest.raises(Refused, match="cannot be read"):
        _ = kept.authorship
