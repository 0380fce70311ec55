"""Records as text: what a run, a comparison, a replay, a release and the ledger look like in 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from workbench.cli.annotations import list_said
from workbench.cli.links import mark_run
from workbench.cli.run_tables import (
    columns_of_runs,
    print_table_of_runs,
    say_same,
    say_state,
    spell_parameters,
)
from workbench.cli.terminal import (
    escape,
    format_age,
    format_duration,
    format_number,
    new_table,
    open_console,
    print_facts,
    say,
)
from workbench.ledger.events import EVENTS
from workbench.records.digest import short
from workbench.replays.replay import Line, Replay, Sameness
from workbench.replays.replay import headline as replay_headline
from workbench.runs.run import Run, RunState
from workbench.runs.written_files import HOW_TO_KEEP, Overwritten
from workbench.words.run_files import list_files

if TYPE_CHECKING:
    from workbench.ledger.ledger import Checkpoint, Entry
    from workbench.models.servable_models import ServableFamily
    from workbench.nominations.obstacles import Obstacle
    from workbench.releases.release import Release
    from workbench.replays.resumption import Resumption
    from workbench.reviews.ledger_audit import LedgerAudit
    from workbench.runs.profiling import Profile
    from workbench.runs.trials import Goal
    from workbench.signing.allowed_signers import Signatory
    from workbench.workflow.doctor import Symptom
    from workbench.workflow.starting import Started

# Runs


def print_sweep(goal: Goal | None, runs: Sequence[Run]) -> None:
    """Print the runs of a sweep with the metric it was after, and which is best where all were scored on the same rows."""
    print_runs(runs, metrics=[goal.metric] if goal else ())
    best = goal.find_best_run(runs) if goal else None
    if goal and best and (holdouts := len({run.scored_rows for run in runs} - {None})) > 1:
        say(f"No best {goal.metric}: the {len(runs):,} runs were scored on {holdouts:,} different holdouts.")
    elif goal and best:
        say(f"Best {goal.metric}: {format_number(best.metrics[goal.metric])}, run {best.id}")


def print_runs(
    runs: Sequence[Run],
    *,
    metrics: Sequence[str] = (),
    standings: Mapping[str, Sequence[str]] | None = None,
    is_cut: bool = False,
) -> None:
    """Print runs as a table, one column for each thing that differs; says how to make one when there are none.

    Of `metrics`, those that decide, are shown the ones that were logged; `standings` say by run what it is besides, such as a
    nominee, and stand for the state of one that finished. `is_cut` says that there are older ones.
    """
    if not runs:
        say("No runs yet. Make a notebook with `workbench new NAME` and run it: workbench run notebooks/NAME.ipynb")
        return
    notebooks, parameters = sorted({run.notebook for run in runs}), [run.parameters for run in runs]
    newest = "The newest " if is_cut else ""
    say(f"{newest}{len(runs)} {'run' if len(runs) == 1 else 'runs'} of {', '.join(notebooks)}{say_same(parameters)}")
    before, after = columns_of_runs(runs, metrics, standings or {})
    print_table_of_runs(before, parameters, after)


def print_stopped(run: Run) -> None:
    """Say how a run ended that somebody wanted ended."""
    if run.state is RunState.KILLED:
        say(f"Run {run.id} is ended. {run.error}")
    elif run.state is RunState.LOST:
        say(f"Run {run.id} was lost before. {run.error} What it left running is ended.")
    else:
        say(f"Run {run.id} had ended before it could be stopped: it is {run.state.lower()}.")


def print_run(run: Run, folder: str, standing: Sequence[str] = (), *, is_refusal_told: bool = False) -> None:
    """Print one run: what came out, from what, what it is besides (such as a nominee), and where its files are.

    `is_refusal_told` leaves out why its model was not logged, where that is said besides.
    """
    console = open_console()
    console.print(f"Run [bold]{mark_run(run.id)}[/] of {escape(run.notebook)}: {say_state(run)}{_say_when(run)}")
    for style, text in _list_said(run, is_refusal_told=is_refusal_told):
        console.print(f"  [{style}]{escape(text)}[/]" if style else f"  {escape(text)}", soft_wrap=True)
    table = new_table(("", ""), ("", "wrap"))
    table.show_header = False
    for name, text in list_said(run.annotations):
        table.add_row(name, escape(text))
    for name, value in run.metrics.items():
        table.add_row(escape(name), f"{format_number(value)} {run.describe_course(name)}".rstrip())
    table.add_row("parameters", escape(spell_parameters(run.parameters)))
    if standing:
        table.add_row("is", escape(", ".join(standing)))
    for item in run.record.get("datasets", []):
        table.add_row(
            f"data: {item['role']}", f"{item['rows']:,} rows, {item['columns']} columns, {short(item['digest'])}"
        )
    table.add_row("author", escape(run.author))
    table.add_row("source", escape(f"notebook {short(run.notebook_digest)}, {_say_git(run)}"))
    for name, text in list_files(run):
        table.add_row(name, escape(text))
    if run.attempt > 1:
        table.add_row("attempt", f"{run.attempt}; what the ones before left is in runs/attempts")
    table.add_row("folder", escape(folder))
    console.print(table)


def _say_git(run: Run) -> str:
    """Say at which commit a notebook was; of one in a repository without any, that."""
    if commit := run.provenance.get("git_commit"):
        return f"git {short(commit)}{' with uncommitted changes' if run.git_dirty else ''}"
    return "git none" if run.provenance.get("git_dirty") is None else "git without a commit"


def _list_said(run: Run, *, is_refusal_told: bool) -> Iterator[tuple[str, str]]:
    """Yield what is said of a run before its figures, with the style: its error, why its model was refused, notes."""
    if run.error:
        yield "red", run.error
    if (refused := run.record.get("refused")) and not is_refusal_told:
        yield "yellow", " ".join([refused["what"], *refused["why"], refused["next_step"]])
    yield from (("", note) for note in run.record.get("notes", ()))


def _say_when(run: Run) -> str:
    """Say when a run ended and how long it took; of one that has not, when it began."""
    if run.ended is None:
        return f", {'started' if run.started else 'written down'} {format_age(run.started or run.created)}"
    took = format_duration(run.took_s)
    return f" {format_age(run.ended)}{f', took {took}' if took else ''}"


def print_profile(profile: Profile, *, beside: bool) -> None:
    """Print where the time of a run went: its parts, the longest first, and its slowest cells."""
    total = sum(profile.seconds.values())
    console = open_console(err=beside)
    console.print(f"It took {format_duration(total)}:")
    table = new_table(("", ""), ("", "right"), ("", "right"))
    table.show_header = False
    for part, seconds in sorted(profile.seconds.items(), key=lambda each: -each[1]):
        table.add_row(part, f"{seconds:.2f} s", f"{100 * seconds / total:.0f} %")
    console.print(table)
    for line, seconds in profile.cells:
        console.print(f"  [dim]{seconds:6.2f} s  in the cell that begins with[/] {escape(line[:40])}")


def print_obstacles(obstacles: Sequence[Obstacle], runs: int, *, beside: bool = False) -> None:
    """Say what stands in the way of nominating what just ran; nothing where nothing does. `beside` leaves the result alone."""
    console = open_console(err=beside)
    if obstacles:
        console.print(f"[bold yellow]Before {'it' if runs == 1 else 'one of them'} is compared or nominated:[/]")
    for each in obstacles:
        of = "" if len(each.runs) == runs else f" ({len(each.runs):,} of {runs:,} runs)"
        console.print(f"  - [bold]{escape(each.about)}[/]{of}: {escape(each.text)}", soft_wrap=True)


def print_overwritten(files: Sequence[Overwritten], *, beside: bool = False) -> None:
    """Say which files runs wrote one over the other; `beside` leaves the result alone."""
    console = open_console(err=beside)
    if files:
        console.print(f"[bold yellow]Several of these runs wrote the same file.[/] {HOW_TO_KEEP}", soft_wrap=True)
    for file in files[:_FEW_ROWS]:
        console.print(f"  - {escape(file)}", soft_wrap=True)
    if len(files) > _FEW_ROWS:
        console.print(f"[dim]and {len(files) - _FEW_ROWS:,} more; `workbench show RUN` names what a run wrote[/]")


# Replay

_SAMENESS = {
    Sameness.IDENTICAL: "[green]✓ identical[/]",
    Sameness.WITHIN_TOLERANCE: "[green]≈ within tolerance[/]",
    Sameness.DIFFERENT: "[red]✕ different[/]",
}
_FEW_ROWS = 5


def print_replay(replay: Replay) -> None:
    """Print what came of a replay: the sentence, every thing that was compared, the rows predicted otherwise, the notes."""
    console = open_console()
    console.print(f"[bold]{escape(replay_headline(replay))}[/]", soft_wrap=True)
    table = new_table(("what", "wrap"), ("", ""), ("then and now", "wrap"))
    for line in sorted(replay.lines, key=lambda item: item.sameness is not Sameness.DIFFERENT):
        name = line.name if line.kind in (line.name, "output") else f"{line.kind} {line.name}"
        table.add_row(escape(name), _SAMENESS[line.sameness], escape(_describe_line(line)))
    console.print(table)
    for row in replay.worst_predictions[:_FEW_ROWS]:
        say(f"row {row.row}: {row.then!r} then, {row.now!r} now, difference {row.difference:.2g}")
    if len(replay.worst_predictions) > _FEW_ROWS:
        console.print("[dim]and more rows; --json shows the 20 with the largest difference[/]")
    for note in [*_describe_normalised(replay), *replay.notes]:
        console.print(f"[dim]{escape(note)}[/]", soft_wrap=True)


def _describe_normalised(replay: Replay) -> Iterator[str]:
    if replay.normalised:
        places = ", ".join(f"{what} ({count:,})" for what, count in replay.normalised.items())
        yield f"Not compared in outputs, for every execution has its own: {places}. `workbench help replays` lists them."


def _describe_line(line: Line) -> str:
    if line.detail or line.sameness is Sameness.DIFFERENT:
        return line.detail or f"{_say_side(line.then)} then, {_say_side(line.now)} now"
    return "" if line.kind == "output" else _say_side(line.now)


def _say_side(value: str | float | None) -> str:
    if isinstance(value, str):
        return short(value) if len(value) == _DIGEST_LENGTH else value
    return "none" if value is None else format_number(value)


_DIGEST_LENGTH = 64


def print_resumption(resumption: Resumption) -> None:
    """Say beside the result what is executed again and where a run goes on."""
    open_console(err=True).print(escape(resumption), soft_wrap=True)


# Comparison


# Release and ledger


def print_release(release: Release, subject: str) -> None:
    """Print whether a release may be served."""
    console = open_console()
    if release.decision.is_allowed:
        people = escape(", ".join(release.approved_by))
        console.print(f"[green]✓ {escape(subject)} verifies[/]: digest {short(release.digest)}, approved by {people}")
        return
    console.print(f"[bold red]✕ {escape(subject)} may not be served[/]")
    for reason in release.decision.reasons:
        console.print(f"  - {escape(reason)}", soft_wrap=True)


def print_ledger(entries: Sequence[Entry], faults: Sequence[str], *, of: int | None = None) -> None:
    """Print decisions in order (the newest `of` all), and whether their chain is whole."""
    table = new_table(("#", "right"), ("who", "wrap"), ("decision", "wrap"), ("when", "right"), ("digest", ""))
    for entry in entries:
        said, age = _say_entry(entry)
        table.add_row(str(entry.sequence), escape(entry.actor), escape(said), age, escape(short(entry.digest)))
    console = open_console()
    console.print(table)
    for fault in faults:
        console.print(f"[red]✕ {escape(fault)}[/]")
    if not faults:
        count = len(entries) if of is None else of
        console.print(f"[green]✓ The chain of {_count_entries(count)} is whole[/]")


def print_ledger_audit(audit: LedgerAudit) -> None:
    """Print what was verified of a ledger, everything that is wrong with it, and what to note of it."""
    console = open_console()
    good = [approval for approval in audit.approvals if not approval.faults]
    signed = sum(approval.checkpoint is not None for approval in audit.approvals)
    mark, words = (
        ("[red]✕[/]", f"{len(audit.faults)} {'fault' if len(audit.faults) == 1 else 'faults'}")
        if audit.faults
        else ("[green]✓[/]", "nothing is wrong")
    )
    console.print(f"{mark} {_count_entries(audit.entries)}: {words}")
    console.print(f"  approvals: {len(good)} of {len(audit.approvals)} hold, {signed} of them sign a checkpoint")
    console.print(f"  seen here before: {escape(_say_checkpoint(audit.last_seen))}")
    if audit.checkpoint:
        console.print(f"  noted by you: {escape(_say_checkpoint(audit.checkpoint))}")
    for fault in audit.faults:
        console.print(f"[red]✕ {escape(fault)}[/]", soft_wrap=True)
    if audit.is_rewritten:
        accept = f"workbench ledger accept --head {audit.head.digest}"
        console.print("  Another was seen here: put the newest copy back or, if you started over:")
        console.print(f"  {escape(accept)}", soft_wrap=True)
    if audit.faults:
        return
    console.print("  To be sure of it another time, note:")
    console.print(f"  {escape(audit.head)}", soft_wrap=True)


def _count_entries(count: int) -> str:
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


def _say_checkpoint(checkpoint: Checkpoint | None) -> str:
    return f"entry {checkpoint.sequence}, digest {short(checkpoint.digest)}" if checkpoint else "nothing"


def _say_entry(entry: Entry) -> tuple[str, str]:
    """Return an entry in words and its age; one that was tampered with is shown too, by what is left of it."""
    try:
        return EVENTS[entry.event].say(entry), format_age(entry.time)
    except (KeyError, TypeError, ValueError):
        return f"{entry.event} {entry.subject} (cannot be read)", ""


def print_models(families: Sequence[ServableFamily]) -> None:
    """Print which models can be served, by family, and in which form."""
    table = new_table(("family", "wrap"), ("served", ""), ("estimators", "wrap"))
    for each in families:
        forms = [(form, names) for form, names in (("compiled", each.compiled), ("as it is", each.uncompiled)) if names]
        for number, (form, names) in enumerate(forms):
            table.add_row("" if number else escape(each.family), form, escape(", ".join(names)))
    open_console().print(table)
    say("A model is compiled where all its parts are and nominating it proves that it")
    say("answers the same; otherwise scikit-learn itself answers. What holds another")
    say("type is refused by wb.log_model, by name, with what to write instead.")


def print_symptoms(symptoms: Sequence[Symptom]) -> None:
    """Print what was examined, what is wrong and what to do about it."""
    console = open_console()
    for symptom in symptoms:
        mark = "[green]✓[/]" if symptom.is_well else "[red]✕[/]"
        console.print(f"{mark} {escape(symptom.part)}: {escape(symptom.found)}", soft_wrap=True)
        if symptom.remedy:
            console.print(f"    Next: {escape(symptom.remedy)}", soft_wrap=True)


def print_started(started: Started) -> None:
    """Print where a project was started and what was made there."""
    say(f"{started.project} is a project of the workbench.")
    print_facts(
        {name: ", ".join(files) for name, files in (("made", started.made), ("there already", started.kept)) if files}
    )


def print_signers(signers: Sequence[Signatory], file: str) -> None:
    """Print who may sign as what, and what says so."""
    if not signers:
        say(f"Nobody may sign yet, by {file}. `workbench signer add NAME --key FILE --role ROLE` names somebody.")
        return
    table = new_table(("who", ""), ("signs", "wrap"))
    for each in signers:
        table.add_row(escape(each.principal), escape(", ".join(_name_purposes(each))))
    open_console().print(table)
    say(f"By {file}.")


def _name_purposes(signer: Signatory) -> list[str]:
    if signer.namespaces is None:
        return ["everything"]
    return [each.removeprefix("workbench.").replace(".", " as ") for each in signer.namespaces]
