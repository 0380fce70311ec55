"""Is it known who wrote what ran, so that somebody else approves it?"""

from __future__ import annotations

from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.evidence.measures.authorship import AuthorshipFact
from workbench.policies.policy import AuthorRule, Policy
from workbench.records.people import is_told, spell_people
from workbench.runs.local_files import LocalFilesFact, Standing, describe_gap

_LIMITS: dict[AuthorRule, str] = {
    "changed_lines": "somebody answers for every line that is new since the last release",
    "all_lines": "somebody answers for every line",
}


def authors_known(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when every line that counts, of the notebook and of each local module that ran, has an author who can be told.

    Authors are who committed it; of lines that no commit holds, or where there is no git, who ran it. Nobody of them may approve.
    """
    limit, written = _LIMITS[policy.authors], evidence.authorship
    if written is None or not _holds_notebook(written, evidence.identity.notebook):
        reason = "Nobody asked git who wrote what ran. Run the notebook again, and nominate that run."
        return Finding("authors_known", Status.UNKNOWN, "not known", limit, reason)
    authors = evidence.identity.authors
    if not authors:
        reason = "Nobody is named who ran or nominated it. Nominate the run again."
        return Finding("authors_known", Status.FAIL, "no author", limit, reason)
    if unnamed := [each for each in written.authors if each not in authors]:
        reason = f"Not named among its authors, and wrote lines of it: {spell_people(unnamed)}. Nominate the run again."
        return Finding("authors_known", Status.FAIL, "an author left out", limit, reason)
    value = f"{len(authors)} {'author' if len(authors) == 1 else 'authors'}"
    files = evidence.local_files
    if reasons := [
        *_find_gap(files),
        *_find_unsaid(written, files),
        *_find_cut(written),
        *_find_nameless(authors),
    ]:
        return Finding("authors_known", Status.UNKNOWN, value, limit, " ".join(reasons))
    return Finding("authors_known", Status.PASS, value, limit, _describe(written, authors))


def _holds_notebook(written: AuthorshipFact, notebook: str) -> bool:
    return any(file.path.rpartition("/")[2] == notebook.rpartition("/")[2] for file in written.files)


def _find_gap(files: LocalFilesFact | None) -> list[str]:
    gap = describe_gap(files)
    return [f"{gap} Who wrote what was not seen nobody can tell. Run the notebook again."] if gap else []


def _find_unsaid(written: AuthorshipFact, files: LocalFilesFact | None) -> list[str]:
    """Return of which files git said nothing: it could not, or what it could have been asked about was not what ran."""
    unsaid = [file.path for file in written.files if not (file.commits or file.uncommitted or file.untold)]
    modules = files.modules if files else ()
    replaced = [module.path for module in modules if module.standing is Standing.REPLACED and module.path in unsaid]
    failed = [path for path in unsaid if path not in replaced]
    said = (
        f"Git did not say who wrote {', '.join(failed)}. See that `git blame` works there, and run the notebook again."
    )
    gone = (
        f"Nobody can tell who wrote {', '.join(replaced)}, changed or removed after it ran and before the run ended."
        " Leave it as it is meanwhile, and run the notebook again."
    )
    return [*([said] if failed else []), *([gone] if replaced else [])]


def _find_cut(written: AuthorshipFact) -> list[str]:
    cut = [f"{file.untold} lines of {file.path}" for file in written.files if file.untold]
    ends = f"Nobody can tell who wrote {', '.join(cut)}: the clone is shallow. `git fetch --unshallow`, and run the notebook again."
    return [ends] if cut else []


def _find_nameless(authors: tuple[str, ...]) -> list[str]:
    nameless = [author for author in authors if not is_told(author)]
    advice = "Say in `.mailmap` whose address that is, and run the notebook again."
    return [f"No signer can be told from {spell_people(nameless)}. {advice}"] if nameless else []


def _describe(written: AuthorshipFact, authors: tuple[str, ...]) -> str:
    count = len(written.files)
    since = f"that are new since version {written.since}" if written.since else "that are there"
    lines = f"lines {since} in {count} {'file' if count == 1 else 'files'}"
    return f"{spell_people(authors)} ran or nominated it, or wrote {lines}.{_say_uncommitted(written)}"


def _say_uncommitted(written: AuthorshipFact) -> str:
    count = sum(file.uncommitted for file in written.files)
    if not any(file.commits for file in written.files):
        return " No commit holds any: who ran it answers for all."
    said = "line stands" if count == 1 else "lines stand"
    return f" {count} {said} in no commit: who ran it answers for them." if count else ""
