"""What a kernel tells of local files is believed no further than it goes, and held against git and the files themselves."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

import workbench
from tests.unit.runs.test_provenance import git
from workbench.config import find_template
from workbench.errors import Refused
from workbench.executors.jobs import Opened
from workbench.records.digest import canonical_json, sha256_hex, strict_json
from workbench.runs import witnessing
from workbench.runs.folder import JOURNAL
from workbench.runs.kept_run import KeptRun
from workbench.runs.local_files import LocalFilesFact, LocalModule, SeenBy, Standing, find_sources, read_journal
from workbench.runs.run import Run
from workbench.runs.witnessing import witness_local_files

BEGIN, END = {"begin": "3.11.7"}, {"end": True, "lost": 0, "more_code": 0, "more_read": 0}
NOTHING_OPENED = Opened()


def journal(*lines: Any) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def code(path: Path, text: str | None = None) -> dict[str, Any]:
    content = path.read_text(encoding="utf-8") if text is None else text
    return {"code": str(path), "digest": sha256_hex(content.encode()), "source": content}


def read(path: Path) -> dict[str, Any]:
    return {"read": str(path), "bytes": path.stat().st_size, "mtime_ns": path.stat().st_mtime_ns}


# The journal


def test_a_journal_from_begin_to_end_is_complete():
    told = read_journal(journal(BEGIN, {"code": "/a.py", "digest": None, "source": None}, END))
    assert (told.is_complete, dict(told.code)) == (True, {"/a.py": (None, None)})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        journal(BEGIN),
        journal(END),
        journal(END, BEGIN),
        journal(BEGIN, END, END),
        journal(BEGIN, {**END, "lost": 1}),
        journal(BEGIN, {**END, "more_code": 1}),
        journal(BEGIN) + b'{"code": "/a' + b"\n" + journal(END),
        journal(BEGIN, [1], END),
        journal(BEGIN, {}, END),
        journal(BEGIN, {"code": "/a.py", "digest": 1, "source": None}, END),
        journal(BEGIN, {"code": "/a.py", "digest": None, "source": None, "more": 1}, END),
    ],
)
def test_one_that_lacks_something_is_not(content):
    assert not read_journal(content).is_complete


@pytest.mark.parametrize(
    "line", [{"code": 1, "digest": None, "source": None}, {"read": "/a", "bytes": "1", "mtime_ns": 0}, {}]
)
def test_a_line_of_another_shape_is_passed_over(line):
    told = read_journal(journal(BEGIN, line, END))
    assert (told.code, told.reads) == ({}, {})


def test_each_text_that_ran_from_a_path_is_told_once():
    lines = [{"code": "/a.py", "digest": digest, "source": None} for digest in ("1", "2", "1", "2")]
    assert [*read_journal(journal(BEGIN, *lines, END)).code.items()] == [
        ("/a.py", ("1", None)),
        ("/a.py (text 2)", ("2", None)),
    ]


def test_a_text_is_a_modules_only_by_its_digest():
    module = LocalModule("helper.py", sha256_hex(b"V = 1\n"), Standing.COMMITTED)
    line = {"code": "/p/helper.py", "digest": module.digest, "source": "V = 1\n"}
    assert find_sources(journal(line), [module]) == {"helper.py": "V = 1\n"}
    assert find_sources(journal({**line, "source": "V = [secret]\n"}), [module]) == {}


# How code stands to git


@pytest.fixture
def project(tmp_path) -> Path:
    for name in ("train.ipynb", "helper.py", "other.py"):
        (tmp_path / name).write_text("V = 1\n", encoding="utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def witness(project: Path, *lines: Any, opened: Opened = NOTHING_OPENED, **changes: Any) -> LocalFilesFact:
    given = {"notebook": project / "train.ipynb", "commit": git(project, "rev-parse", "HEAD"), "declared": ()}
    told = read_journal(journal(BEGIN, *lines, END))
    return witness_local_files(told, opened, project=project, **{**given, **changes})


def standing(fact: LocalFilesFact) -> dict[str, str]:
    return {module.path: str(module.standing) for module in fact.modules}


def test_code_as_the_commit_holds_it_is_committed(project):
    assert standing(witness(project, code(project / "helper.py"))) == {"helper.py": "committed"}


def test_code_that_was_changed_before_it_ran_is_changed(project):
    (project / "helper.py").write_text("V = 2\n", encoding="utf-8")
    assert standing(witness(project, code(project / "helper.py"))) == {"helper.py": "changed"}


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_nor_does_it_help_to_have_git_look_away(project, flag):
    git(project, "update-index", flag, "helper.py")
    (project / "helper.py").write_text("V = 2\n", encoding="utf-8")
    assert standing(witness(project, code(project / "helper.py"))) == {"helper.py": "changed"}


@pytest.mark.parametrize("committed", [b"V = 1\r\n", b"V = 1\n"])
def test_line_ends_that_git_turns_are_no_change(project, committed):
    (project / "helper.py").write_bytes(committed)
    git(project, "commit", "-q", "--allow-empty", "-a", "-m", "line ends")
    git(project, "config", "core.autocrlf", "true")
    (project / "helper.py").write_bytes(b"V = 1\r\n")
    lines = code(project / "helper.py", "V = 1\r\n")
    assert standing(witness(project, lines)) == {"helper.py": "committed"}


def test_code_that_is_another_now_than_when_it_ran_or_gone_is_told_as_such_wherever_it_lay(project, tmp_path_factory):
    loose = tmp_path_factory.mktemp("loose") / "loose.py"
    loose.touch()
    lines = [code(project / "helper.py", "V = 3\n"), code(project / "other.py"), code(loose)]
    (project / "other.py").unlink()
    loose.unlink()
    fact = witness(project, *lines)
    assert {*standing(fact).values()} == {"not there any more as it ran"}
    assert len(fact.uncommitted) == 3
    assert fact.modules[1].digest == sha256_hex(b"V = 3\n")


def test_code_that_ran_and_was_put_back_is_told_beside_what_the_commit_holds(project):
    lines = [code(project / "helper.py"), code(project / "helper.py", "V = 3\n")]
    assert standing(witness(project, *lines)) == {
        "helper.py": "committed",
        "helper.py (text 2)": "not there any more as it ran",
    }


def test_the_commit_is_the_one_of_the_run_not_a_later_one(project):
    first = git(project, "rev-parse", "HEAD")
    (project / "helper.py").write_text("V = 2\n", encoding="utf-8")
    git(project, "commit", "-q", "-a", "-m", "second")
    assert standing(witness(project, code(project / "helper.py"), commit=first)) == {"helper.py": "changed"}


@pytest.mark.parametrize("ignored", [False, True])
def test_code_that_git_does_not_track_is_not_in_git(project, ignored):
    if ignored:
        (project / ".git" / "info" / "exclude").write_text("new.py", encoding="utf-8")
    (project / "new.py").touch()
    fact = witness(project, code(project / "new.py"), code(project / "helper.py"))
    assert standing(fact) == {"helper.py": "committed", "new.py": "not in git"}
    assert [module.path for module in fact.uncommitted] == ["new.py"]


def test_code_of_another_repository_is_held_against_that(project, tmp_path_factory, monkeypatch):
    other = tmp_path_factory.mktemp("home") / "team"
    other.mkdir()
    monkeypatch.setenv("HOME", str(other.parent))
    (other / "shared.py").write_text("S = 1\n", encoding="utf-8")
    (other / "loose.py").touch()
    git(other, "init", "-q")
    git(other, "add", "shared.py")
    git(other, "commit", "-q", "-m", "first")
    fact = witness(project, code(other / "shared.py"), code(other / "loose.py"))
    assert standing(fact) == {"~/team/loose.py": "not in git", "~/team/shared.py": "committed"}


def test_a_link_stands_as_the_file_it_leads_to(project):
    (project / "linked.py").symlink_to("helper.py")
    assert standing(witness(project, code(project / "linked.py"))) == {"helper.py": "committed"}


def test_where_git_does_not_answer_nobody_can_tell(project, monkeypatch):
    lines = code(project / "helper.py")
    monkeypatch.setattr(witnessing, "read_changed_paths", lambda *_: None)
    assert standing(witness(project, lines)) == {"helper.py": "unknown"}


def test_code_without_a_digest_is_not_known(project):
    lines = {"code": str(project / "helper.py"), "digest": None, "source": None}
    fact = witness(project, lines)
    assert (fact.is_complete, standing(fact)) == (False, {"helper.py": "unknown"})


@pytest.mark.parametrize(
    ("notebook", "modules", "dirty"),
    [
        (False, [], False),
        (False, ["committed"], False),
        (False, ["committed", "not in git"], True),
        (False, ["changed"], True),
        (False, ["not there any more as it ran"], True),
        (False, ["unknown"], None),
        (False, ["unknown", "changed"], True),
        (True, ["committed"], True),
        (None, ["not in git"], None),
    ],
)
def test_a_run_is_as_dirty_as_its_notebook_and_its_local_code(notebook, modules, dirty):
    record = {"local_files": {"modules": [{"standing": each} for each in modules]}}
    run = Run("3f9a1c27d05b", "n", "ab", {}, {"git_dirty": notebook}, "ada", "", record=record)
    assert run.git_dirty is dirty


# What was read


def test_files_are_named_with_their_digest_and_by_whom_they_were_seen(project):
    (project / "a.csv").write_text("a", encoding="utf-8")
    (project / "b.bin").write_text("b", encoding="utf-8")
    opened = Opened((f"{project}/b.bin", f"{project}/a.csv", f"{project}/gone.bin"), ("something",))
    fact = witness(project, read(project / "a.csv"), opened=opened)
    assert [(each.path, each.digest, each.bytes, each.seen_by) for each in fact.reads] == [
        ("a.csv", sha256_hex(b"a"), 1, SeenBy.KERNEL),
        ("b.bin", sha256_hex(b"b"), 1, SeenBy.SYSTEM),
    ]
    assert fact.unseen == ("something",)


def test_the_template_of_the_report_that_the_workbench_makes_meanwhile_is_nothing_the_run_read(project):
    (project / "b.bin").touch()
    template = str(find_template("report") / "index.html.j2")
    fact = witness(project, opened=Opened((template, f"{project}/b.bin"), ()))
    assert [each.path for each in fact.reads] == ["b.bin"]


def test_a_file_that_changed_since_it_was_read_has_no_digest(project):
    (project / "a.csv").write_text("a", encoding="utf-8")
    line = read(project / "a.csv")
    os.utime(project / "a.csv", ns=(1, 1))
    assert witness(project, line).reads[0].digest is None


def test_a_large_file_is_named_without_its_digest(project, monkeypatch):
    (project / "a.csv").write_text("abc", encoding="utf-8")
    monkeypatch.setattr(witnessing, "LARGEST_DIGESTED_BYTES", 2)
    assert [(each.digest, each.bytes) for each in witness(project, read(project / "a.csv")).reads] == [(None, 3)]


@pytest.mark.parametrize("name", ["a.csv", "data/a.csv"])
def test_a_declared_table_of_that_name_is_the_file(project, name):
    (project / "data").mkdir()
    (project / "data" / "a.csv").touch()
    line = read(project / "data" / "a.csv")
    assert witness(project, line, declared=(name,)).reads == ()
    assert len(witness(project, line, declared=("b.csv",)).reads) == 1


def test_a_text_that_ran_is_not_listed_as_read_as_well(project):
    fact = witness(project, read(project / "helper.py"), code(project / "helper.py"))
    assert (len(fact.modules), fact.reads) == (1, ())


def test_more_files_than_are_named_are_counted(project, monkeypatch):
    monkeypatch.setattr(witnessing, "MOST_READ", 1)
    for name in ("a", "b"):
        (project / name).touch()
    fact = witness(project, read(project / "a"), read(project / "b"))
    assert (len(fact.reads), fact.more_read) == (1, 1)


def test_a_file_name_that_is_no_text_can_be_written_down(project):
    odd = os.fsdecode(os.fsencode(project) + b"/x\xe4y")
    Path(odd).touch()
    assert [each.path for each in witness(project, opened=Opened((odd,))).reads] == ["x\\udce4y"]


# What a record says of it


def keep(content: bytes, *, told: bytes | None = None, **changes: Any) -> KeptRun:
    """A run that kept a journal, and whose record says what stands in it (or in another one), but for some changes."""
    given = {"project": Path("/p"), "notebook": Path("/p/train.ipynb"), "commit": None, "declared": ()}
    fact = witness_local_files(read_journal(told or content), NOTHING_OPENED, **given)
    said = strict_json(canonical_json({**asdict(fact), **changes}))
    record = {"files": {JOURNAL: sha256_hex(content)}, "local_files": said}
    run = Run("a" * 12, "train.ipynb", "ab" * 32, {}, {}, "ada@example.org", "2026-11-20T09:00:00+00:00", record=record)
    return KeptRun(run, {JOURNAL: content})


HELPER = {"code": "/p/helper.py", "digest": "1" * 64, "source": None}
WHOLE = journal(BEGIN, HELPER, END)


def test_what_a_record_says_of_local_files_is_what_the_kernel_told():
    fact = keep(WHOLE).local_files
    assert fact is not None
    assert ([module.digest for module in fact.modules], fact.is_complete) == (["1" * 64], True)


@pytest.mark.parametrize(
    "kept",
    [
        keep(WHOLE, modules=[]),
        keep(WHOLE, told=journal(BEGIN, {**HELPER, "digest": "2" * 64}, END)),
        keep(WHOLE, told=journal(BEGIN, HELPER, HELPER | {"code": "/p/other.py"}, END)),
        keep(journal(BEGIN, HELPER), is_complete=True),
        keep(journal(BEGIN, {**HELPER, "digest": None}, END), is_complete=True),
    ],
)
def test_a_record_that_says_otherwise_is_believed_by_nobody(kept):
    with pytest.raises(Refused, match="is not what its kernel told") as refused:
        _ = kept.local_files
    assert "Run the notebook again" in refused.value.next_step


def test_a_journal_that_was_changed_since_is_told_by_the_files_that_changed():
    kept = replace(keep(WHOLE), files={JOURNAL: journal(BEGIN, END)})
    assert kept.local_files is not None
    assert kept.changed == (JOURNAL,)


def test_what_the_workbench_reads_of_its_own_is_read_by_no_run(tmp_path):
    theirs = tmp_path / "rows.csv"
    theirs.write_text("a", encoding="utf-8")
    ours = [Path(workbench.__file__), find_template("report") / "index.html.j2"]
    opened = [str(path) for path in (*ours, theirs)]
    assert [read.path for read in witnessing._list_opened(opened, (), tmp_path)] == ["rows.csv"]
