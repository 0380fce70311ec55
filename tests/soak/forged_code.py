"""Code that ran, told otherwise: a module left out, another digest or text, a journal that does not end."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from tests.soak.stories import Forge, World
from tests.soak.tampering_release import Mutation
from tests.unit.evidence.builders import build_evidence
from tests.unit.people import AUTHOR, ENDED, RUN_ID
from workbench.evidence.evidence import Evidence
from workbench.evidence.recomputation import find_differing_facts
from workbench.executors.jobs import Opened
from workbench.records.digest import canonical_json, sha256_hex, strict_json
from workbench.reviews import nominees
from workbench.reviews.nominees import LOCAL_CODE
from workbench.runs.folder import JOURNAL
from workbench.runs.kept_run import KeptRun
from workbench.runs.local_files import LocalFilesFact, Standing, read_journal
from workbench.runs.run import Run, RunState
from workbench.runs.witnessing import witness_local_files

_UNENDED = "run_unmodified: UNKNOWN. Its kernel did not tell to the end which modules it imported from files"
_CHANGED = "run_unmodified: FAIL. A file of the run changed after the run ended."
_OTHERWISE = f"What run {RUN_ID} is said to have taken from local files is not what its kernel told."
Lines = list[dict[str, Any]]


def write_journal(world: World) -> Lines:
    """Return what a kernel writes down of some modules and files, to its end."""
    lines: Lines = [{"begin": "3.11.7"}]
    for number in range(world.chance.randrange(2, 6)):
        source = f"STEP = {world.chance.random()}\n"
        path = world.forger.folder / f"module_{number}.py"
        path.write_text(source, encoding="utf-8")
        lines.append({"code": str(path), "digest": sha256_hex(source.encode()), "source": source})
    lines.append({"read": str(world.forger.folder / "units.csv"), "bytes": 3, "mtime_ns": 1})
    return [*lines, {"end": True, "lost": 0, "more_code": 0, "more_read": 0}]


def spell_journal(lines: Lines) -> bytes:
    """Return these lines as a kernel writes them."""
    return b"".join(canonical_json(line) + b"\n" for line in lines)


def keep_run(world: World, journal: bytes, tell: Callable[[dict[str, Any]], object] = lambda _: None) -> KeptRun:
    """Return a run that kept this journal, and whose record says what `tell` makes of it."""
    folder = world.forger.folder
    known = {"project": folder, "notebook": folder / "train.ipynb", "commit": None, "declared": ()}
    fact: dict[str, Any] = strict_json(
        canonical_json(asdict(witness_local_files(read_journal(journal), Opened(), **known)))
    )
    tell(fact)
    record = {"files": {JOURNAL: sha256_hex(journal)}, "local_files": fact}
    run = Run(RUN_ID, "train.ipynb", "ab" * 32, {}, {}, AUTHOR, ENDED, state=RunState.FINISHED, record=record)
    return KeptRun(run, {JOURNAL: journal})


def measure(kept: KeptRun) -> Evidence:
    """Return evidence of this run."""
    return build_evidence(local_files=kept.local_files, files_unmodified=not kept.changed)


def _claims(world: World, what: str, kept: KeptRun, words: str) -> Mutation:
    return Mutation(what, (words,), lambda: world.claims(what, measure(kept), words).judge())


# A journal that is not whole


def a_journal_that_does_not_end(world: World) -> Mutation:
    lines = write_journal(world)
    kept = world.chance.randrange(len(lines))
    return _claims(world, f"{kept} of {len(lines)} lines", keep_run(world, spell_journal(lines[:kept])), _UNENDED)


def a_journal_that_does_not_begin(world: World) -> Mutation:
    """Somebody lets the kernel listen only once code ran."""
    lines = write_journal(world)[world.chance.randrange(1, 3) :]
    return _claims(world, "no begin", keep_run(world, spell_journal(lines)), _UNENDED)


_NO_LINES = (
    *(b"{}\n", b"{}x\n", b'{"code": \n', b"[]\n", b'"end"\n', b"\xff\n", b'{"end":true,"end":true}\n'),
    b'{"code":"/a.py","digest":1,"source":null}\n',
    b'{"code":"/a.py","digest":null,"more":1,"source":null}\n',
)


def a_journal_with_lines_of_others(world: World) -> Mutation:
    content = spell_journal(write_journal(world))
    at = content.index(b"\n") + 1
    more = world.chance.choice(_NO_LINES)
    journal = world.chance.choice([content[:at] + more + content[at:], content + more])
    return _claims(world, f"with {more!r}", keep_run(world, journal), _UNENDED)


def a_journal_that_lost_something(world: World) -> Mutation:
    *lines, end = write_journal(world)
    how = world.chance.choice([{"lost": 1}, {"more_code": world.chance.randrange(1, 99)}, {"again": 1}])
    ends = [end, end] if "again" in how else [{**end, **how}]
    return _claims(world, f"its end: {how}", keep_run(world, spell_journal([*lines, *ends])), _UNENDED)


def a_module_that_nobody_could_read(world: World) -> Mutation:
    lines = write_journal(world)
    lines[world.chance.randrange(1, len(lines) - 2)] |= {"digest": None, "source": None}
    return _claims(world, "a module without a digest", keep_run(world, spell_journal(lines)), _UNENDED)


# Told otherwise than the kernel did


def _without(lines: Lines, at: int) -> Lines:
    return [line for place, line in enumerate(lines) if place != at]


def a_journal_written_anew(world: World) -> Mutation:
    """After the run ended a module is left out of its journal, or has another digest or text."""
    lines = write_journal(world)
    kept, at = keep_run(world, spell_journal(lines)), world.chance.randrange(1, len(lines) - 2)
    other = "STEP = 0\n"
    changed = [
        {**line, "digest": sha256_hex(other.encode()), "source": other} if at == place else line
        for place, line in enumerate(lines)
    ]
    anew = world.chance.choice([_without(lines, at), changed, [*lines[:-1], lines[at], lines[-1]]])
    return _claims(world, "the journal written anew", replace(kept, files={JOURNAL: spell_journal(anew)}), _CHANGED)


def _leave_out(world: World, fact: dict[str, Any]) -> None:
    del fact["modules"][world.chance.randrange(len(fact["modules"]))]


def _exchange(world: World, fact: dict[str, Any]) -> None:
    world.chance.choice(fact["modules"])["digest"] = f"{world.chance.getrandbits(256):064x}"


def a_record_that_tells_otherwise(world: World) -> Mutation:
    """The record that is kept of the run leaves a module out, or names another digest."""
    change = world.chance.choice([_leave_out, _exchange])
    kept = keep_run(world, spell_journal(write_journal(world)), lambda fact: change(world, fact))
    return _claims(world, f"the record: {change.__name__}", kept, _OTHERWISE)


def a_record_that_calls_it_complete(world: World) -> Mutation:
    lines = write_journal(world)
    journal = world.chance.choice([spell_journal(lines[:-1]), spell_journal(lines[1:]), spell_journal(lines) + b"{}\n"])
    kept = keep_run(world, journal, lambda fact: fact.update(is_complete=True))
    return _claims(world, "an incomplete journal called complete", kept, _OTHERWISE)


def facts_that_tell_otherwise(world: World) -> Mutation:
    """The facts that were frozen say otherwise than the run does when they are computed again."""
    fact = keep_run(world, spell_journal(write_journal(world))).local_files
    assert fact is not None
    changed = world.chance.choice(
        [_fewer_modules, _another_digest, _called_committed, _called_incomplete, _fewer_reads]
    )(fact)
    frozen, now = build_evidence(local_files=changed), build_evidence(local_files=fact)
    return Mutation("other facts", ("local_files.",), lambda: find_differing_facts(frozen, now))


def _fewer_modules(fact: LocalFilesFact) -> LocalFilesFact:
    return replace(fact, modules=fact.modules[1:])


def _another_digest(fact: LocalFilesFact) -> LocalFilesFact:
    return replace(fact, modules=(replace(fact.modules[0], digest="0" * 64), *fact.modules[1:]))


def _called_committed(fact: LocalFilesFact) -> LocalFilesFact:
    return replace(fact, modules=tuple(replace(each, standing=Standing.COMMITTED) for each in fact.modules))


def _called_incomplete(fact: LocalFilesFact) -> LocalFilesFact:
    return replace(fact, is_complete=not fact.is_complete)


def _fewer_reads(fact: LocalFilesFact) -> LocalFilesFact:
    return replace(fact, reads=(), more_read=fact.more_read + 1)


def nobody_listened(world: World) -> Mutation:
    words = "run_unmodified: UNKNOWN. The run is from before it was recorded which modules"
    return world.claims("no local files", build_evidence(local_files=None), words)


def another_text_than_ran(world: World) -> Mutation:
    """Reviewers are shown another text of a module than the one that ran."""
    kept = keep_run(world, spell_journal(write_journal(world)))
    texts, path = dict(kept.local_sources), world.chance.choice([*kept.local_sources])
    other = world.chance.choice([f"{texts[path]}\n", texts[path].replace("STEP", "STOP"), ""])
    shown = {**texts, world.chance.choice([path, path, "elsewhere.py"]): other}

    def judge() -> Sequence[str]:
        nominees.read_local_code({LOCAL_CODE: json.dumps(shown).encode()}, measure(kept))
        return ()

    return Mutation(f"{path} is shown as another", ("is shown in another text than ran.",), judge)


FAMILIES: tuple[Forge, ...] = (
    a_journal_that_does_not_end,
    a_journal_that_does_not_begin,
    a_journal_with_lines_of_others,
    a_journal_that_lost_something,
    a_module_that_nobody_could_read,
    a_journal_written_anew,
    a_record_that_tells_otherwise,
    a_record_that_calls_it_complete,
    facts_that_tell_otherwise,
    nobody_listened,
    another_text_than_ran,
)
