"""Texts that lead elsewhere, given to every input of the command line and of the Workbench that takes a text."""

from __future__ import annotations

import contextlib
import io
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.soak.surroundings import KEEPS, SECRET, Surroundings
from workbench.cli.main import run_command
from workbench.errors import WorkbenchError
from workbench.reviews.request import ApprovalRequest, ObjectionRequest, WaiverRequest
from workbench.runs.table.question import Question
from workbench.runs.table.recalling import recall_attempts
from workbench.signing.key import Key
from workbench.workflow import Workbench

_EXIT_CODES = (0, 1, 2, 3)
HERE = "<here>"
_LIMITS = ("memory", "output_size", "disk")


def _waive(subject: str = "shop/1", check: str = "calibrated", **options: str) -> tuple[str, ...]:
    usual = {"reason": "It is odd, and bearable.", "role": "owner", "until": "2099-12-31", "key": "key"}
    return (
        "waive",
        subject,
        check,
        *(part for name, value in {**usual, **options}.items() for part in (f"--{name}", value)),
    )


# Every argument and option of the command line that takes a text, and a call in which it is the one that is odd. No run gets an
# odd name: it would be what the next call is about.
INPUTS: Mapping[str, tuple[str, ...]] = {
    "signer add principal": ("signer", "add", HERE, "--key", "key", "--role", "owner"),
    "signer add key": ("signer", "add", "ada@example.org", "--key", HERE, "--role", "owner"),
    "signer add roles": ("signer", "add", "ada@example.org", "--key", "key", "--role", HERE),
    "new name": ("new", HERE),
    "new template": ("new", "made", "--template", HERE),
    "check notebook": ("check", HERE),
    "run notebook": ("run", HERE),
    "run given": ("run", KEEPS.name, "-p", f"{HERE}=1"),
    **{f"run {name}": ("run", "nowhere.ipynb", f"--{name.replace('_', '-')}", HERE) for name in _LIMITS},
    "run resume": ("run", KEEPS.name, "--resume", HERE),
    "runs search": ("runs", "--search", HERE),
    "runs columns": ("runs", "--columns", HERE),
    "runs sort": ("runs", "--sort", HERE),
    "runs group_by": ("runs", "--group-by", HERE),
    "runs all_but": ("runs", "--all-but", HERE),
    "runs importance": ("runs", "--importance", HERE),
    "runs mlflow": ("runs", "--mlflow", HERE),
    "compare search": ("compare", "--search", HERE),
    "compare columns": ("compare", "--columns", HERE),
    "compare sort": ("compare", "--sort", HERE),
    "compare html": ("compare", "000000000000", "--html", HERE),
    "runs html": ("runs", "--where", "nothing =", "--html", HERE),
    "compare all_but": ("compare", "--all-but", HERE),
    "compare within": ("compare", "--slice", HERE),
    "compare metric": ("compare", "--metric", HERE),
    "diff a": ("diff", HERE, "RUN"),
    "diff b": ("diff", "RUN", HERE),
    "diff policy": ("diff", "RUN", "000000000000", "--policy", HERE),
    "sweep notebook": ("sweep", HERE),
    "sweep given": ("sweep", KEEPS.name, "-p", f"{HERE}=1,2"),
    **{f"sweep {name}": ("sweep", "nowhere.ipynb", f"--{name.replace('_', '-')}", HERE) for name in (*_LIMITS, "goal")},
    "sweep resume": ("sweep", f"--resume={HERE}"),
    "sweep scheduler": ("sweep", "nowhere.ipynb", "--executor", "dask", "--scheduler", HERE),
    **{
        f"{verb} {name}": (verb, "nowhere.ipynb", f"--{name.removesuffix('s')}", HERE)
        for verb in ("run", "sweep")
        for name in ("name", "note", "tags")
    },
    **{
        f"annotate {name}": ("annotate", "000000000000", f"--{option}", HERE)
        for name, option in {"name": "name", "note": "note", "tags": "tag", "untag": "untag"}.items()
    },
    **{f"{verb} run_ids": (verb, HERE) for verb in ("annotate", "archive")},
    "delete run_ids": ("delete", HERE, "--yes"),
    "open run_id": ("open", HERE),
    "runs where": ("runs", "--where", HERE),
    "compare where": ("compare", "--where", HERE),
    "export where": ("export", "--runs", "exported.csv", "--where", HERE),
    "export notebook": ("export", "--runs", "exported.csv", "--notebook", HERE),
    "stop run_id": ("stop", HERE),
    "replay run_id": ("replay", HERE),
    "help words": ("help", HERE),
    "runs notebook": ("runs", "--notebook", HERE),
    "show run_id": ("show", HERE),
    "compare run_ids": ("compare", HERE),
    "compare reference": ("compare", "--reference", HERE),
    "compare notebook": ("compare", "--notebook", HERE),
    "compare policy": ("compare", "--policy", HERE),
    "nominate run_id": ("nominate", HERE, "--model", "shop"),
    "nominate model": ("nominate", "RUN", "--model", HERE),
    "nominate baseline": ("nominate", "RUN", "--model", "shop", "--baseline", HERE),
    "nominate policy": ("nominate", "RUN", "--model", "shop", "--policy", HERE),
    "review subject": ("review", HERE),
    "review answers": ("review", "shop/1", "--answer", f"{HERE}=yes"),
    "review html": ("review", "shop/1", "--html", HERE),
    "review card": ("review", "shop/1", "--card", HERE),
    "object subject": ("object", HERE, "--text", "It is odd.", "--key", "key"),
    "object text": ("object", "shop/1", "--text", HERE, "--key", "key"),
    "object key": ("object", "shop/1", "--text", "It is odd.", "--key", HERE),
    **{f"waive {name}": _waive(**{name: HERE}) for name in ("subject", "check", "reason", "role", "until", "key")},
    "policy show name": ("policy", "show", HERE),
    "policy check names": ("policy", "check", HERE),
    "ledger verify checkpoint": ("ledger", "verify", "--checkpoint", HERE),
    "ledger accept head": ("ledger", "accept", "--head", HERE),
    "approve subject": ("approve", HERE, "--role", "owner", "--key", "key"),
    "approve role": ("approve", "shop/1", "--role", HERE, "--key", "key"),
    "approve key": ("approve", "shop/1", "--role", "owner", "--key", HERE),
    "promote subject": ("promote", HERE),
    "rollback endpoint": ("rollback", HERE),
    "serve endpoint": ("serve", HERE),
    "verify subject": ("verify", HERE),
}
Verb = Callable[[Workbench, str], object]
VERBS: Mapping[str, Verb] = {
    "run": lambda bench, text: bench.run(Path(text), {}),
    "run parameters": lambda bench, text: bench.run(bench.settings.project / KEEPS.name, {text: 1}),
    "plan_resumption": lambda bench, text: bench.plan_resumption(text, Path(text), {}),
    "resume_sweep": lambda bench, text: bench.resume_sweep(text),
    "replay": lambda bench, text: bench.replay(text),
    "show": lambda bench, text: bench.show(text),
    "list_runs": lambda bench, text: bench.list_runs(notebook=text),
    "list_runs where": lambda bench, text: bench.list_runs(where=text),
    "annotate": lambda bench, text: bench.annotate(["000000000000"], name=text, note=text, tags={text: text}),
    "compare": lambda bench, text: bench.compare([text]),
    "diff": lambda bench, text: bench.diff(text, text),
    "compare reference": lambda bench, text: bench.compare(reference=text),
    "nominate": lambda bench, text: bench.nominate(text, "shop"),
    "nominate model": lambda bench, text: bench.nominate(bench.list_runs()[0].id, text),
    "nominate policy": lambda bench, text: bench.nominate(bench.list_runs()[0].id, "shop", policy=text),
    "review": lambda bench, text: bench.review(text),
    "add_signer": lambda bench, text: bench.add_signer(text, Path(text), [text]),
    "answer": lambda bench, text: bench.answer(text, text, "yes"),
    "object": lambda bench, text: bench.object(text, ObjectionRequest(text), Key(Path(text))),
    "waive": lambda bench, text: bench.waive(text, WaiverRequest(text, text, text, text), Key(Path(text))),
    "read_policy": lambda bench, text: bench.read_policy(text),
    "approve": lambda bench, text: bench.approve(text, ApprovalRequest(text), Key(Path(text))),
    "promote": lambda bench, text: bench.promote(text),
    "rollback": lambda bench, text: bench.rollback(text),
    "verify": lambda bench, text: bench.verify(text),
    "find_served": lambda bench, text: bench.find_served(text),
    "new": lambda bench, text: bench.new(text, text),
}


def try_paths(around: Surroundings, texts: Sequence[str]) -> tuple[int, list[str]]:
    """Give every text to every input of the command line and of the Workbench; return how many calls, and what went wrong."""
    run = around.bench.run(around.project / KEEPS.name, {})
    settings, made = around.bench.settings, around.project / "notebooks" / "made.ipynb"
    faults: list[str] = []
    # What the call in which a text is odd may make itself: a notebook called made, a model called shop, and a lock.
    homes = (
        settings.models_folder,
        settings.models_folder / "shop",
        settings.bento_home,
        settings.bento_home / ".lock",
    )
    around.bench.open_table().ask(Question())
    recall_attempts(around.bench)
    tables = settings.home_folder / "tables"  # the copies that `runs` and `compare` read on from
    copies = (tables, *tables.iterdir(), tables / "results.db")
    allowed = (made, made.parent, around.project / "exported.csv", *homes, *copies)
    for name, call in INPUTS.items():
        with around.untouched(faults, f"workbench {name}", may_change=allowed), _at_home(around.project):
            faults += [fault for text in texts if (fault := _try_command(call, text, run.id))]
    for name, verb in VERBS.items():
        with around.untouched(faults, f"Workbench.{name}", may_change=allowed):
            faults += [f"Workbench.{name}: {fault}" for text in texts if (fault := _try_verb(verb, around.bench, text))]
    if made.exists() and SECRET in made.read_text(encoding="utf-8"):
        faults.append("workbench new copied what lies outside")
    return len(texts) * (len(INPUTS) + len(VERBS)), faults


def _try_command(call: Sequence[str], text: str, run_id: str) -> str | None:
    # No process can be started with a NUL among its arguments.
    arguments = [run_id if part == "RUN" else part.replace(HERE, text.replace("\0", "")) for part in call]
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = run_command(arguments)
    except Exception as exc:
        return f"workbench {arguments!r} raised {exc!r}"
    said = out.getvalue()
    return None if code in _EXIT_CODES and "Traceback" not in said else f"workbench {arguments!r}: {code}, {said!r}"


def _try_verb(verb: Verb, bench: Workbench, text: str) -> str | None:
    try:
        verb(bench, text)
    except (WorkbenchError, OSError):
        return None
    except Exception as exc:
        return f"{text!r} raised {exc!r}"
    return None


@contextlib.contextmanager
def _at_home(project: Path) -> Iterator[None]:
    """Stand in the project without anybody's settings, as a command does; put back what a command changes in its process."""
    before = signal.getsignal(signal.SIGTERM)
    # What keeps MLflow from calling home the workbench has set itself, once, in this process.
    settings = [
        key for key in os.environ if key.startswith(("WORKBENCH_", "MLFLOW_")) and not key.endswith("TELEMETRY")
    ]
    kept = {key: os.environ.pop(key) for key in settings}
    os.environ["WORKBENCH_KERNELS_KEPT_MIN"] = (
        "0"  # what is kept lies outside, and another text's kernel may come from it
    )
    try:
        with contextlib.chdir(project):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)
        del os.environ["WORKBENCH_KERNELS_KEPT_MIN"]
        os.environ.update(kept)
