"""Who wrote a run's code is whoever wrote a line that is there now; what git does not have is not made up."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from workbench.records.digest import canonical_json, sha256_hex, strict_json
from workbench.records.document import build_record
from workbench.records.people import person_of
from workbench.runs import blaming
from workbench.runs.authorship import Authorship, Lines, read_source_lines
from workbench.runs.blaming import Blamer, read_committers

ADA, GRACE, LINUS = "ada@example.org", "grace@example.org", "linus@example.org"


def git(folder: Path, *arguments: str, by: str = ADA) -> str:
    """Do something as somebody: `Name <address>` or an address alone."""
    address = by.rpartition("<")[2].rstrip(">")
    settings = ["-c", f"user.email={address}", "-c", "user.name=Somebody", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *settings, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def spell_notebook(*cells: str, indent: int | None = 1, **metadata: str) -> str:
    """A notebook as Jupyter writes it."""
    written = [
        {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {},
            "outputs": [],
            "source": cell.splitlines(keepends=True),
        }
        for cell in cells
    ]
    return (
        json.dumps({"cells": written, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=indent) + "\n"
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in which Ada wrote a notebook and a module."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    write(folder, "train.ipynb", spell_notebook("rows = 3", "fit(rows)"))
    write(folder, "shop.py", "def fit(rows):\n    return rows\n")
    return folder


def write(folder: Path, name: str, content: str, *, by: str = ADA, says: str = "Change") -> None:
    (folder / name).write_text(content, encoding="utf-8")
    git(folder, "add", name, by=by)
    git(folder, "commit", "-q", "-m", says, by=by)


def read(folder: Path, *names: str) -> Authorship:
    return Blamer(folder).read_files([folder / name for name in names or ("train.ipynb",)])


def authors_of(folder: Path, *names: str) -> set[str]:
    return read(folder, *names).people


def is_uncommitted(folder: Path, name: str = "train.ipynb") -> bool:
    (file,) = read(folder, name).files
    return {each.commit for each in file.lines or ()} == {""}


def test_whoever_wrote_a_line_that_survives_is_an_author_whoever_made_the_last_change(project):
    write(project, "train.ipynb", spell_notebook("rows = 3", "fit(rows)\nshow()"), by=GRACE)
    write(project, "shop.py", "def fit(rows):\n    return 2 * rows\n", by=LINUS)
    assert authors_of(project) == {ADA, GRACE}
    assert authors_of(project, "train.ipynb", "shop.py") == {ADA, GRACE, LINUS}


def test_whose_lines_are_gone_is_no_author(project):
    write(project, "train.ipynb", spell_notebook("rows = 4", "score(rows)"), by=GRACE)
    assert authors_of(project) == {GRACE}


@pytest.mark.parametrize(
    "later",
    [
        spell_notebook("rows = 3", "fit(rows)", language="python"),
        spell_notebook("rows = 3", "fit(rows)", indent=4),
        spell_notebook("rows = 3", "fit(rows)").replace('"outputs": []', '"outputs": [{"text": ["fit(rows)"]}]'),
        spell_notebook("rows = 3\n\n", "\nfit(rows)"),
    ],
    ids=["metadata", "layout", "outputs", "blank lines"],
)
def test_what_is_no_line_of_a_cell_makes_nobody_an_author_of_a_notebook(project, later):
    write(project, "train.ipynb", later, by=GRACE)
    assert authors_of(project) == {ADA}


def test_a_line_after_the_last_one_of_a_cell_does_not_take_that_one_from_whoever_wrote_it(project):
    write(project, "train.ipynb", spell_notebook("rows = 3\nprint(rows)", "fit(rows)\nprint(rows)"), by=GRACE)
    assert authors_of(project) == {ADA, GRACE}


@pytest.mark.parametrize("name", ["train.ipynb", "shop.py"])
def test_who_indents_lines_anew_is_an_author_beside_who_wrote_them(project, name):
    text = (project / name).read_text(encoding="utf-8")
    for line in ("rows = 3", "fit(rows)", "return rows"):
        text = text.replace(f'"{line}', f'"  {line}').replace(f"    {line}", f"      {line}")
    text = text.replace("def fit", "def  fit")
    write(project, name, text, by=GRACE)
    assert authors_of(project, name) == {ADA, GRACE}


def test_a_notebook_in_another_layout_than_jupyters_is_everybodys_who_wrote_any_line_of_the_file(project):
    write(project, "odd.ipynb", json.dumps(json.loads(spell_notebook("a = 1", "b = 2"))) + "\n")
    assert authors_of(project, "odd.ipynb") == {ADA}
    write(project, "odd.ipynb", json.dumps(json.loads(spell_notebook("a = 1", "b = 3")), indent=None) + "\n", by=GRACE)
    assert authors_of(project, "odd.ipynb") == {GRACE}


def test_a_renamed_notebook_keeps_its_authors(project):
    git(project, "mv", "train.ipynb", "fit.ipynb", by=GRACE)
    git(project, "commit", "-q", "-m", "Rename", by=GRACE)
    assert authors_of(project, "fit.ipynb") == {ADA}


def test_both_sides_of_a_merge_wrote_it(project):
    git(project, "checkout", "-q", "-b", "side")
    write(project, "train.ipynb", spell_notebook("rows = 3", "fit(rows)", "show()"), by=GRACE)
    git(project, "checkout", "-q", "-")
    write(project, "train.ipynb", spell_notebook("rows = 5", "fit(rows)"), by=LINUS)
    git(project, "merge", "-q", "-m", "Merge", "side", by=ADA)
    assert authors_of(project) == {ADA, GRACE, LINUS}


def test_who_is_named_as_a_co_author_wrote_it_too(project):
    write(
        project,
        "shop.py",
        "FIT = 1\n",
        says=f"Pair\n\nCo-authored-by: Grace Hopper <{GRACE}>\nCo-authored-by: nobody\n",
    )
    assert authors_of(project, "shop.py") == {ADA, GRACE}


@pytest.mark.parametrize("trailer", ["Linus <{}> (paired)", "{} and others", "Linus <{}>, by telephone", "<mailto:{}>"])
def test_however_a_co_author_is_written_who_has_an_address_is_one(project, trailer):
    named = trailer.format(LINUS.replace("@", "\uff20"))
    for number, each in enumerate((named, trailer.format(LINUS))):
        write(project, "shop.py", f"FIT = {number}\n", says=f"Pair\n\nCo-authored-by: {each}\n")
        assert {person_of(author) for author in authors_of(project, "shop.py")} == {ADA, LINUS}


def test_a_mailmap_adds_people_and_takes_nobody_away(project):
    (project / ".mailmap").write_text(f"<{LINUS}> <{ADA}>\n", encoding="utf-8")
    assert authors_of(project) == {ADA, LINUS}


def test_a_mailmap_gives_a_name_that_tells_nobody_the_one_it_stands_for(project):
    write(project, "shop.py", "FIT = 1\n", by="\u043c\u0438\u043b\u0430@example.org")
    assert authors_of(project, "shop.py") == {"\u043c\u0438\u043b\u0430@example.org"}
    (project / ".mailmap").write_text("<mila@example.org> <\u043c\u0438\u043b\u0430@example.org>\n", encoding="utf-8")
    assert authors_of(project, "shop.py") == {"mila@example.org"}


@pytest.mark.parametrize("driver", ["nbstripout", "jupyter"])
def test_other_tools_for_notebooks_change_nothing(project, driver):
    (project / ".gitattributes").write_text(f"*.ipynb diff={driver} filter=strip\n", encoding="utf-8")
    for key, value in (
        (f"diff.{driver}.textconv", "false"),
        (f"diff.{driver}.cachetextconv", "true"),
        ("filter.strip.clean", "false"),
        ("filter.strip.smudge", "cat"),
        ("filter.strip.required", "true"),
    ):
        git(project, "config", key, value)
    assert authors_of(project) == {ADA}


def test_commits_that_blame_is_told_to_ignore_count(project):
    write(project, "train.ipynb", spell_notebook("rows = 4", "fit(rows)"), by=GRACE)
    (project / "ignored").write_text(git(project, "rev-parse", "HEAD"), encoding="utf-8")
    git(project, "config", "blame.ignoreRevsFile", "ignored")
    assert authors_of(project) == {ADA, GRACE}


def test_lines_that_no_commit_holds_are_said_to_be_so(project):
    (project / "train.ipynb").write_text(spell_notebook("rows = 3", "fit(rows)\nshow()"), encoding="utf-8")
    (file,) = read(project).files
    assert [(each.commit != "", each.count) for each in file.lines] == [(False, 1), (True, 2)]


def test_lines_of_a_file_that_was_committed_empty_are_of_no_commit(project):
    write(project, "__init__.py", "")
    assert read(project, "__init__.py").files[0].lines == ()
    (project / "__init__.py").write_text("FIT = 1\n", encoding="utf-8")
    assert is_uncommitted(project, "__init__.py")


@pytest.mark.parametrize("place", ["untracked", "no commit", "no git"])
def test_where_nothing_is_committed_all_lines_are_of_no_commit(project, tmp_path, place):
    folder = project if place == "untracked" else tmp_path / place
    folder.mkdir(exist_ok=True)
    if place == "no commit":
        git(folder, "init", "-q")
    (folder / "new.ipynb").write_text(spell_notebook("a = 1"), encoding="utf-8")
    assert is_uncommitted(folder, "new.ipynb")
    assert authors_of(folder, "new.ipynb") == set()


def test_a_shallow_clone_says_where_its_history_ends(project, tmp_path):
    write(project, "train.ipynb", spell_notebook("rows = 3", "fit(rows)\nshow()"), by=GRACE)
    write(project, "train.ipynb", spell_notebook("rows = 3", "fit(rows)\nshow()", "save()"), by=LINUS)
    for depth, cut in ((1, {LINUS}), (2, {GRACE}), (9, set())):
        clone = tmp_path / str(depth)
        subprocess.run(
            ["git", "clone", "-q", f"--depth={depth}", f"file://{project}", str(clone)], check=True, capture_output=True
        )
        found = read(clone)
        assert {author for commit in found.commits if commit.is_cut for author in commit.authors} == cut


def test_git_that_cannot_say_says_nothing(project, monkeypatch):
    monkeypatch.setenv("PATH", str(project))
    assert [file.lines for file in read(project, "train.ipynb", "shop.py").files] == [None, None]


def test_a_damaged_history_says_nothing(project):
    write(project, "shop.py", "FIT = 1\n", by=GRACE)
    blob = git(project, "rev-parse", "HEAD~1:shop.py")
    (project / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert [file.lines for file in read(project, "shop.py").files] == [None]


def test_a_file_that_is_gone_says_nothing(project):
    assert [file.lines for file in read(project, "gone.py").files] == [None]


def test_files_are_named_below_the_project_and_the_record_is_plain_json(project, tmp_path):
    found = read(project, "train.ipynb", "shop.py")
    assert [file.path for file in found.files] == ["train.ipynb", "shop.py"]
    assert Blamer(tmp_path / "other").read_files([project / "shop.py"]).files[0].path == str(project / "shop.py")
    assert build_record(Authorship, strict_json(canonical_json(asdict(found)))) == found


@pytest.mark.parametrize(
    "source", ["x = 1\ny = 2", ["x = 1\n", "y = 2"], ["x = ", "1\n", "y = 2"], "", [], "]\n[", ["]\n", '"source": [']]
)
@pytest.mark.parametrize("indent", [None, 1, 4])
def test_lines_of_a_notebook_are_found_however_it_is_laid_out(source: str | Sequence[str], indent):
    content = json.dumps({"cells": [{"cell_type": "code", "source": source}] * 2}, indent=indent).encode()
    lines = [line for line in "".join(source).splitlines() if line.strip()]
    assert [line.text for line in read_source_lines(content, is_notebook=True)] == lines * 2


def test_what_is_no_notebook_has_no_lines():
    for content in (b"", b"{}", b"[]", b'{"cells": [1]}', b"\xff"):
        assert read_source_lines(content, is_notebook=True) is None


def test_of_a_notebook_that_git_keeps_elsewhere_nobody_can_tell_who_wrote_it(project):
    write(project, "large.ipynb", "version https://git-lfs.github.com/spec/v1\nsize 12345\n")
    (project / "large.ipynb").write_text(spell_notebook("a = 1"), encoding="utf-8")
    assert [file.lines for file in read(project, "large.ipynb").files] == [None]


# What ran, beside the notebook


def ran(path: Path) -> dict[str, tuple[str | None, str | None]]:
    """What a kernel tells of a module that runs as it is now."""
    content = path.read_bytes()
    return {str(path): (sha256_hex(content), content.decode())}


def lines_of(found: Authorship) -> dict[str, tuple[Lines, ...] | None]:
    return {file.path: file.lines for file in found.files}


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """What git is asked, in order."""
    asked = []
    for name in ("ask_git", "ask_git_for_bytes"):
        ask = getattr(blaming, name)
        monkeypatch.setattr(
            blaming, name, lambda *given, ask=ask, **more: (asked.append(" ".join(given[1:3])), ask(*given, **more))[1]
        )
    return asked


def test_a_module_that_ran_is_of_who_wrote_its_lines_in_whichever_repository_it_lies(project, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    write(other, "rules.py", "LIMIT = 3\n", by=GRACE)
    (project / "linked.py").symlink_to(other / "rules.py")
    code = ran(project / "shop.py") | ran(other / "rules.py") | ran(project / "linked.py")
    found = Blamer(project).read_modules(code)
    assert found.people == {ADA, GRACE}
    grace = (Lines(git(other, "rev-parse", "HEAD"), 1),)
    adas = (Lines(git(project, "rev-parse", "HEAD"), 2),)
    assert lines_of(found) == {
        "shop.py": adas, str(other / "rules.py"): grace, str(project / "linked.py"): grace
    }  # fmt: skip


def test_of_a_module_that_was_changed_removed_or_unreadable_nobody_can_tell_who_wrote_it(project):
    write(project, "other.py", "LIMIT = 3\n", by=GRACE)
    code = ran(project / "shop.py") | ran(project / "other.py") | {str(project / "train.ipynb"): (None, None)}
    (project / "shop.py").write_text("FIT = 2\n", encoding="utf-8")
    (project / "other.py").unlink()
    found = Blamer(project).read_modules(code)
    assert lines_of(found) == {"shop.py": None, "other.py": None, "train.ipynb": None}
    assert found.people == set()


def test_a_module_in_no_repository_is_of_no_commit_also_when_it_is_gone_and_its_text_was_kept(project, tmp_path):
    made = tmp_path / "made" / "here.py"
    made.parent.mkdir()
    made.write_text("A = 1\n\nB = 2\n", encoding="utf-8")
    code = ran(made)
    nobodys = {str(made): (Lines("", 2),)}
    assert lines_of(Blamer(project).read_modules(code)) == nobodys
    shutil.rmtree(made.parent)
    assert lines_of(Blamer(project).read_modules(code)) == nobodys
    ((digest, _),) = code.values()
    for text in (None, "A = 1\n"):
        assert lines_of(Blamer(project).read_modules({str(made): (digest, text)})) == {str(made): None}


def test_git_is_asked_once_for_each_state_of_a_module_and_of_its_history(project, asked):
    blamer = Blamer(project)
    (project / "shop.py").write_text("FIT = 2\n", encoding="utf-8")
    first = blamer.read_modules(ran(project / "shop.py"))
    asked.clear()
    assert [blamer.read_modules(ran(project / "shop.py")) for _ in range(3)] == [first] * 3
    assert asked == ["rev-parse HEAD"] * 3
    git(project, "commit", "-q", "-a", "-m", "Grace's", by=GRACE)
    assert (first.people, blamer.read_modules(ran(project / "shop.py")).people) == (set(), {GRACE})
    write(project, "shop.py", "FIT = 3\n", by=LINUS)
    assert blamer.read_modules(ran(project / "shop.py")).people == {LINUS}


def test_what_git_could_not_say_is_asked_again(project):
    blamer, blob = Blamer(project), git(project, "rev-parse", "HEAD:shop.py")
    place = project / ".git" / "objects" / blob[:2] / blob[2:]
    place.rename(project / "aside")
    assert lines_of(blamer.read_modules(ran(project / "shop.py"))) == {"shop.py": None}
    (project / "aside").rename(place)
    assert blamer.read_modules(ran(project / "shop.py")).people == {ADA}


def test_people_are_named_only_of_the_files_that_are_asked_for(project):
    write(project, "shop.py", "FIT = 1\n", by=GRACE)
    blamer = Blamer(project)
    assert blamer.read_files([project / "train.ipynb"]).people == {ADA}
    assert blamer.read_modules(ran(project / "shop.py")).people == {GRACE}


def test_who_commits_notebooks_and_modules_writes_here(project):
    write(project, "README.md", "Shop\n", by=LINUS)
    assert read_committers(project) == {ADA}
    write(project, "shop.py", "FIT = 1\n", by=GRACE)
    assert read_committers(project) == {ADA, GRACE}


def test_where_there_is_no_git_nobody_commits(tmp_path):
    assert read_committers(tmp_path) == set()
