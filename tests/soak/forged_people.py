"""Whose work it is, told otherwise: in other spellings, with an author left out, without history; one key of two people."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from tests.soak.histories import History
from tests.soak.stories import Forge, World
from tests.soak.tampering_people import spell_otherwise
from tests.soak.tampering_release import SECOND_VALIDATOR, Mutation
from tests.unit.evidence.builders import build_authorship, build_evidence, build_identity, build_written
from tests.unit.people import AUTHOR, OWNER, VALIDATOR
from workbench import ledger_verifier
from workbench.evidence.evidence import Evidence
from workbench.evidence.measures.authorship import Approved, AuthorshipFact, WrittenFact, measure_authorship
from workbench.ledger.ledger import Event
from workbench.nominations.nomination import Nomination
from workbench.reviews.bundle import POLICY
from workbench.runs.authorship import Authorship, Commit, Lines, WrittenFile, parse_commits
from workbench.runs.kept_run import KeptRun
from workbench.signing.ssh_signatures import allowed_signer

_NOTEBOOK = build_identity().notebook
_OWN, _UNTOLD = "{} is an author of the run and cannot approve it.", "authors_known: UNKNOWN. "


def _id(world: World) -> str:
    return f"{world.chance.randrange(16**40):040x}"


# What git says


def _nominated(world: World, commits: Sequence[Commit], approved: Approved | None = None, **lines: int) -> Evidence:
    """Return evidence of a run whose notebook has so many lines of each of these commits, as a nomination makes it."""
    told = tuple(Lines(commit.id, lines.get("count", 3)) for commit in commits)
    written = Authorship((WrittenFile(_NOTEBOOK, told),), tuple(commits))
    kept = SimpleNamespace(authorship=written, run=SimpleNamespace(author=AUTHOR))
    policy = world.forger.files[POLICY]
    nomination = Nomination(cast("KeptRun", kept), "tumour", "standard", policy, AUTHOR, None, 2, approved=approved)
    fact = measure_authorship(written, approved, nomination.policy.authors)
    return build_evidence(identity=build_identity(authors=nomination.authors), authorship=fact)


def _read_commit(world: World, **said: str) -> Commit:
    """Return a commit as git tells of it: by the author, but for what is `said` of it."""
    names = ("ae", "an", "aE", "ce", "cn", "cE")
    usual = {"ae": AUTHOR, "an": "Ada", "aE": AUTHOR, "ce": AUTHOR, "cn": "Ada", "cE": AUTHOR, "trailer": ""}
    told = {**usual, **said}
    rows = [_id(world), *(told[name] for name in names), *filter(None, [told["trailer"]])]
    (commit,) = parse_commits("\n".join(rows).encode(), ())
    return commit


def _as_git_has_it(world: World, who: str) -> str:
    """Return a spelling that may stand between the angle brackets of a commit."""
    while "<" in (name := spell_otherwise(world.chance, who)):
        pass
    return name


def lines_of_who_approves(world: World) -> Mutation:
    """Somebody wrote lines that are there, as author, committer or co-author, as written or by `.mailmap`; and approves."""
    who = world.chance.choice([VALIDATOR, OWNER])
    name = _as_git_has_it(world, who)
    said = world.chance.choice(
        [
            {"ae": name, "aE": name},
            {"ce": name, "cE": name},
            {"ae": "an.old@address.example", "aE": name},
            {"ae": who.upper(), "aE": AUTHOR},  # a name that tells nobody is what .mailmap says
            {"trailer": f"Somebody <{name}>"},
            {"trailer": f"{name} (paired)"},
            {"trailer": f"<mailto:{name}>"},
            {"ae": "", "an": name, "aE": ""},
        ]
    )
    evidence = _nominated(world, [_read_commit(world), _read_commit(world, **said)])
    return world.claims(f"lines of {said!a}", evidence, _OWN.format(who))


def told_of_lines(world: World, who: str, *, new: bool) -> Evidence:
    """Return evidence of lines of somebody's that the last release had already, and of `new` ones."""
    old, others = _read_commit(world, ae=who, aE=who), [_read_commit(world, ae=who, aE=who)] if new else []
    before = AuthorshipFact(None, (WrittenFact(_NOTEBOOK, (old.id,), 0, 0),), (who,))
    return _nominated(world, [old, _read_commit(world), *others], Approved(2, before))


def lines_since_the_last_release(world: World) -> Mutation:
    """What was released before was approved; what who approves wrote since then was not."""
    who = world.chance.choice([VALIDATOR, OWNER])
    return world.claims(f"new lines of {who}", told_of_lines(world, who, new=True), _OWN.format(who))


def lines_of_another_file_of_that_name(world: World) -> Mutation:
    """The lines were approved where they stood before; in another file they are new."""
    who = world.chance.choice([VALIDATOR, OWNER])
    commit = _read_commit(world, ae=who, aE=who)
    before = AuthorshipFact(None, (WrittenFact("other.ipynb", (commit.id,), 0, 0),), (who,))
    return world.claims("another file", _nominated(world, [commit], Approved(2, before)), _OWN.format(who))


def history_that_is_cut_off(world: World) -> Mutation:
    """In a shallow clone whoever made the oldest commit there is would be the author of everything before."""
    cut = replace(_read_commit(world), is_cut=True)
    commits = [cut] if world.chance.random() < 0.5 else [_read_commit(world), cut]
    words = f"{_UNTOLD}Nobody can tell who wrote"
    return world.claims("a shallow clone", _nominated(world, commits, count=world.chance.randrange(1, 99)), words)


def what_git_does_not_tell(world: World) -> Mutation:
    silent = build_written(path=world.chance.choice([_NOTEBOOK, "rounding.py"]), commits=())
    written = build_authorship(files=(build_written(), silent))
    return world.claims("git is silent", build_evidence(authorship=written), f"{_UNTOLD}Git did not say who wrote")


def names_that_tell_nobody(world: World) -> Mutation:
    """Nobody can say whether they are one of those who approve: a name with spaces, letters from elsewhere."""
    name = world.chance.choice(["Ada Lovelace", "\u0430da", "r\u03bf\u03bft@localhost", "\u540d\u524d@example.org"])
    evidence = _nominated(world, [_read_commit(world, ae="", an=name, aE="")])
    return world.claims(f"by {name!a}", evidence, "No signer can be told from")


# Told otherwise


def _of(authors: tuple[str, ...], writers: tuple[str, ...] = (AUTHOR,)) -> Evidence:
    """Return evidence that names these authors, and says of these people that they wrote lines."""
    return build_evidence(identity=build_identity(authors=authors), authorship=build_authorship(authors=writers))


def nobody_asked(world: World) -> Mutation:
    authorship = world.chance.choice([None, build_authorship(files=())])
    return world.claims("nobody asked git", build_evidence(authorship=authorship), f"{_UNTOLD}Nobody asked git")


def nobody_named(world: World) -> Mutation:
    return world.claims("no author", _of(authors=()), "authors_known: FAIL. Nobody is named who ran or nominated it.")


def an_author_left_out(world: World) -> Mutation:
    """Git named who wrote lines, and they are not among those who may not approve."""
    who = world.chance.choice([VALIDATOR, OWNER, SECOND_VALIDATOR])
    evidence = _of(authors=(AUTHOR,), writers=(AUTHOR, who))
    return world.claims(
        f"{who} left out", evidence, f"authors_known: FAIL. Not named among its authors, and wrote lines of it: {who}"
    )


def the_notebook_left_out(world: World) -> Mutation:
    """Who wrote the modules is told, and who wrote the notebook is not."""
    files = tuple(build_written(path=f"module_{number}.py") for number in range(world.chance.randrange(1, 4)))
    return world.claims(
        "no notebook", build_evidence(authorship=build_authorship(files=files)), f"{_UNTOLD}Nobody asked git"
    )


# In the ledger: both verifiers say it


def who_nominated_it(world: World) -> Mutation:
    who = world.chance.choice([VALIDATOR, OWNER])
    return _approved_in_ledger(world, who, actor=spell_otherwise(world.chance, who))


def who_wrote_it(world: World) -> Mutation:
    who = world.chance.choice([VALIDATOR, OWNER])
    authors = [AUTHOR, "bob@example.org", spell_otherwise(world.chance, who)]
    return _approved_in_ledger(world, who, authors=world.chance.sample(authors, 3))


def _approved_in_ledger(world: World, who: str, **said: Any) -> Mutation:
    history = History(world.forger)
    history.nominate(**said)
    for number in range(world.chance.randrange(4)):
        history.add(Event.ANSWERED, who, question="harm", answer=f"None at all, whoever asks ({number}).")
    history.approve(who)
    return Mutation(f"approved by {who}, of {said!a}", (f"{who} is an author of",), history.audit)


def one_rsa_key_of_two_people(world: World) -> Mutation:
    """The same numbers in other bytes: zeros before them, the key's type by another of its names."""
    spelled = _spell_key(
        _rsa_key(world), world.chance.choice([b"ssh-rsa", b"rsa-sha2-256"]), world.chance.randrange(1, 9)
    )
    grants = [allowed_signer(VALIDATOR, ["validator"], _rsa_key(world)), allowed_signer(OWNER, ["owner"], spelled)]
    signers = world.forger.folder / f"signers-{world.chance.randrange(10**9)}"
    signers.write_text("\n".join(grants) + "\n", encoding="utf-8")
    second = ledger_verifier.check_signers(signers.read_bytes())

    def judge() -> Sequence[str]:
        try:
            return world.forger.audit(world.forger.files, signers=signers) if second else ()
        finally:
            signers.unlink()

    return Mutation("one RSA key, spelled twice", ("share one key",), judge)


def _rsa_key(world: World) -> str:
    path = world.forger.folder / "rsa"
    if not path.exists():
        command = ["ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-N", "", "-C", "", "-f", str(path)]
        subprocess.run(command, check=True)
    return path.with_suffix(".pub").read_text(encoding="utf-8").strip()


def _spell_key(public: str, kind: bytes, zeros: int) -> str:
    blob, fields = base64.b64decode(public.split()[1]), list[bytes]()
    while blob:
        end = 4 + int.from_bytes(blob[:4], "big")
        fields, blob = [*fields, blob[4:end]], blob[end:]
    written = (kind, fields[1], bytes(zeros) + fields[2])
    return f"ssh-rsa {base64.b64encode(b''.join(len(each).to_bytes(4, 'big') + each for each in written)).decode()}"


FAMILIES: tuple[Forge, ...] = (
    lines_of_who_approves,
    lines_since_the_last_release,
    lines_of_another_file_of_that_name,
    history_that_is_cut_off,
    what_git_does_not_tell,
    names_that_tell_nobody,
    nobody_asked,
    nobody_named,
    an_author_left_out,
    the_notebook_left_out,
    who_nominated_it,
    who_wrote_it,
    one_rsa_key_of_two_people,
)
