"""What a notebook logged with plain MLflow calls, as its kernel wrote it down: read strictly, for anybody may have written it.

One line of JSON is one call, and a line of `wb.log_metrics` is a point of the notebook's own run like any other. A notebook
is one run; what further MLflow runs of it log keeps its name while nobody before them used it, and is kept as
`<their name>/<name>` otherwise, as everything of nested runs is.
"""

from __future__ import annotations

import math
import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from workbench.models.evaluation import EVALUATE
from workbench.records.digest import sha256_hex, strict_json
from workbench.runs.points import LARGEST_STEP, Point, drop_repeated, find_latest
from workbench.runs.run import Run

SCHEME, FOLDER = "workbench-spool", "mlflow-spool"
CALLS, ARTIFACTS, FURTHER = f"{FOLDER}/calls.jsonl", f"{FOLDER}/artifacts", f"{FOLDER}/runs"
LARGEST_BYTES = 256 * 1024**2
MOST_POINTS, MOST_NAMES, MOST_INPUTS, MOST_NOTES = 100_000, 1_000, 100, 50
LONGEST_NAME, LONGEST_PARAMETER, LONGEST_TAG, LONGEST_NOTE = 250, 6_000, 8_000, 300
INPUT_LIMITS = {
    "name": 500,
    "digest": 36,
    "source_type": 36,
    "source": 65_535,
    "schema": 1_048_575,
    "profile": 16_777_215,
    "context": 500,
}
_RESERVED, _HARMLESS = ("mlflow.", "workbench."), ("mlflow.note.content", "mlflow.loggedArtifacts")
NO_AUTOLOGGED_MODEL = f"autologging keeps no model; after the fit write {EVALUATE}, and the run can be nominated"
_NOT_FINITE = ("nan", "inf", "-inf")


@dataclass(frozen=True)
class LoggedCalls:
    """What a notebook logged: `points` in either way, the rest with MLflow.

    `further` names its further runs, `notes` what was left out or changed.
    """

    points: Sequence[Point] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    inputs: Sequence[Mapping[str, str]] = ()
    further: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def metrics(self) -> dict[str, float]:
        """The value of each metric that MLflow shows."""
        return {name: point.value for name, point in find_latest(self.points).items()}

    def agreeing_points(self, run: Run) -> list[Point]:
        """The points of each metric but those that say another value than the run's record."""
        said = self.metrics
        wrong = {name for name, value in run.metrics.items() if said.get(name) != value}
        return [point for point in self.points if point.name not in wrong]


def spool_address(folder: Path, tracked_as: str) -> str:
    """Return the address under which MLflow in a kernel writes into a run's folder; `tracked_as` is MLflow's id of the run."""
    return f"{SCHEME}:{quote(str(folder.resolve()))}?run={quote(tracked_as)}"


def parse_spool_address(address: str) -> tuple[Path, str]:
    """Return the folder and MLflow's id of the run that an address of `spool_address` names."""
    folder, _, tracked_as = address.removeprefix(f"{SCHEME}:").partition("?run=")
    return Path(unquote(folder)), unquote(tracked_as)


def id_of_further_run(tracked_as: str, label: str) -> str:
    """Return the id under which a notebook knows a further run it began; `tracked_as` is MLflow's id of its own."""
    return sha256_hex(f"{tracked_as}/{label}".encode())[:32]


def can_be_named(name: Any) -> bool:
    """True for a name that MLflow takes for a metric, parameter or tag."""
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not re.fullmatch(r"[/\w.\- :]+", name):
        return False
    return posixpath.normpath(name) == name != "." and not name.startswith(("..", "/"))


def can_label(label: Any) -> bool:
    """True for a name that a further run of a notebook may have: a plain name of a folder."""
    return isinstance(label, str) and re.fullmatch(r"\w[\w .-]{0,99}", label) is not None


def choose_points(run: Run, calls: LoggedCalls, *, ended_ms: int) -> list[Point]:
    """Return what is shown of a run's metrics: every point; of a metric whose value nobody logged so, that value alone."""
    logged = calls.agreeing_points(run)
    alone = run.metrics.keys() - {point.name for point in logged}
    return [*(Point(name, value, 0, ended_ms) for name, value in run.metrics.items() if name in alone), *logged]


def note_models(files: Iterable[str]) -> list[str]:
    """Say of each whole model that was logged with MLflow, by the paths of a run's files, that it is a file and no more."""
    found = (path.split("/") for path in sorted(files) if path.startswith(f"{FOLDER}/"))
    names = [parts[-2] for parts in found if parts[-1] == "MLmodel"]
    kept = "was logged with MLflow: kept as a file; what is nominated is logged by wb.log_model"
    return [f"model {name!r} {kept}"[:LONGEST_NOTE] for name in names[:MOST_NOTES]]


def read_calls(content: bytes, parameters: Mapping[str, Any] | None = None, *, own: bytes = b"") -> LoggedCalls:
    """Return what the lines say; raises ValueError for what the kernel's side would not have written.

    `parameters` are the run's own: a further run cannot give them other values, so its own get another name. `own` are the
    lines of `wb.log_metrics`.
    """
    if len(content) + len(own) > LARGEST_BYTES:
        raise ValueError(f"it logged {len(content) + len(own):,} bytes, more than {LARGEST_BYTES:,}")
    calls = [_check(entry) for entry in _parse(content)]
    calls += [_check({**entry, "call": "metric", "run": ""}) for entry in _parse(own)]
    return _Placing(calls, {name: _own_text(value) for name, value in (parameters or {}).items()}).place()


def _parse(content: bytes) -> Iterator[Any]:
    return (strict_json(line) for line in content.split(b"\n") if line)


def read_logged_calls(folder: Path, parameters: Mapping[str, Any], *, own: str) -> LoggedCalls | None:
    """Return what the notebook of a run logged, None when nothing; never raises for what is written there.

    `own` names the file of `wb.log_metrics`. A run that was killed may leave half a last line; it is passed over. Whatever
    else is wrong becomes the only note.
    """
    try:
        return read_kept_calls(_read_file(folder / CALLS), parameters, own=_read_file(folder / own))
    except (OSError, ValueError) as exc:
        return LoggedCalls(notes=[f"What was logged cannot be read: {exc}"[:LONGEST_NOTE]])


def read_kept_calls(content: bytes, parameters: Mapping[str, Any], *, own: bytes) -> LoggedCalls | None:
    """Return the same of the bytes of both files, empty where there is none."""
    content, lines = _whole_lines(content), _whole_lines(own)
    # Lines of before times were kept are no points; the run's record has their value.
    lines = lines if b'"time_ms"' in lines else b""
    try:
        return read_calls(content, parameters, own=lines) if content or lines else None
    except (ValueError, KeyError, TypeError) as exc:
        return LoggedCalls(notes=[f"What was logged cannot be read: {exc}"[:LONGEST_NOTE]])


def _read_file(path: Path) -> bytes:
    try:
        return read_plain_file(path)
    except FileNotFoundError:
        return b""


def _whole_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]


def remove_empty_folders(folder: Path) -> None:
    """Remove the empty folders below a run's folder that MLflow's artifacts brought: no record can name them."""
    if (folder / FOLDER).is_symlink():
        return
    for path, _, _ in os.walk(folder / FOLDER, topdown=False):
        with suppress(OSError):
            Path(path).rmdir()


def read_plain_file(path: Path) -> bytes:
    """Return the bytes of a file; raises ValueError for what is none, such as a pipe, OSError for a link or none at all."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError(f"{path.name} is not a regular file")
        return file.read(LARGEST_BYTES + 1)


# One call


def _check(call: Any) -> dict[str, Any]:
    """Return a call as it may be relied on; raises ValueError otherwise."""
    kind = call.get("call") if isinstance(call, dict) else None
    fields = _FIELDS.get(kind) if isinstance(kind, str) else None
    if fields is None or set(call) != {"call", *fields}:
        raise ValueError(f"{str(call)[:100]} is no call of MLflow")
    wrong = [name for name, is_right in fields.items() if not is_right(call[name])]
    if wrong:
        raise ValueError(f"{kind} has no usable {', '.join(wrong)}: {str(call[wrong[0]])[:100]!r}")
    return {name: _readable(value) if isinstance(value, str) else value for name, value in call.items()}


def _readable(text: str) -> str:
    """Half of a character, which a database cannot keep, becomes a question mark."""
    return text.encode(errors="replace").decode()


def _is_value(value: Any) -> bool:
    return value in _NOT_FINITE if isinstance(value, str) else type(value) is float and math.isfinite(value)


def _is_integer(value: Any) -> bool:
    return type(value) is int and abs(value) <= LARGEST_STEP


def _is_time(value: Any) -> bool:
    return _is_integer(value) and 0 <= value < 2**53


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_label(value: Any) -> bool:
    return value == "" or can_label(value)


_FIELDS: Mapping[str, Mapping[str, Callable[[Any], bool]]] = {
    "run": {"run": can_label, "nested": lambda value: isinstance(value, bool)},
    "metric": {"run": _is_label, "name": can_be_named, "value": _is_value, "step": _is_integer, "time_ms": _is_time},
    "parameter": {"run": _is_label, "name": can_be_named, "value": _is_text},
    "tag": {"run": _is_label, "name": can_be_named, "value": _is_text},
    "tag removed": {"run": _is_label, "name": can_be_named},
    "input": {"run": _is_label, **dict.fromkeys(INPUT_LIMITS, _is_text)},
    "note": {"text": _is_text},
}


# All of them


class _Placing:
    """Gives what the runs of one notebook logged its place in the one run."""

    def __init__(self, calls: Sequence[dict[str, Any]], own_parameters: Mapping[str, str]) -> None:
        self._calls = calls
        self._own_parameters = own_parameters
        self._nested = {call["run"]: call["nested"] for call in calls if call["call"] == "run"}
        self._order = {label: position for position, label in enumerate(("", *self._nested))}
        self._notes = dict.fromkeys(call["text"][:LONGEST_NOTE] for call in calls if call["call"] == "note")

    def place(self) -> LoggedCalls:
        unknown = {call["run"] for call in self._calls if "run" in call} - set(self._order)
        if unknown:
            raise ValueError(f"{sorted(unknown)} are no runs of this notebook")
        # MLflow logs a run's metrics anew with every model.
        points = self._limit_points(drop_repeated(self._place_points()))
        parameters = self._limit("parameters", self._place_parameters(), LONGEST_PARAMETER)
        tags = self._limit("tags", self._place_tags(), LONGEST_TAG)
        inputs = list(self._place_inputs())
        notes = [*islice(self._notes, MOST_NOTES)]
        return LoggedCalls(points, parameters, tags, inputs, tuple(self._nested), notes)

    def _of(self, kind: str) -> Iterator[dict[str, Any]]:
        return (call for call in self._calls if call["call"] == kind)

    def _name(self, call: Mapping[str, Any], owners: Mapping[str, str]) -> str | None:
        """Return under which name something is kept, None (and a note) when that is too long."""
        label, name = call["run"], call["name"]
        placed = f"{label}/{name}" if self._nested.get(label) or owners.get(name, label) != label else str(name)
        if len(placed) <= LONGEST_NAME:
            return placed
        self._note(f"{placed[:50]}...: the name is too long and was left out")
        return None

    def _owners(self, calls: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """Return which run has a name for itself: the notebook's own run before all others, then who was first."""
        owners: dict[str, str] = {}
        for call in sorted(calls, key=lambda call: self._order[call["run"]]):
            if not self._nested.get(call["run"]):
                owners.setdefault(call["name"], call["run"])
        return owners

    def _place_points(self) -> Iterator[Point]:
        owners = self._owners(self._of("metric"))
        for call in self._of("metric"):
            if name := self._name(call, owners):
                yield Point(name, float(call["value"]), call["step"], call["time_ms"])

    def _place_parameters(self) -> dict[str, str]:
        owners = {**self._owners(self._of("parameter")), **dict.fromkeys(self._own_parameters, "")}
        placed: dict[str, str] = {}
        for call in self._of("parameter"):
            if (name := self._name(call, owners)) and placed.setdefault(name, call["value"]) != call["value"]:
                self._note(f"parameter {name} keeps its first value")
        return {name: value for name, value in placed.items() if self._is_new(name, value)}

    def _is_new(self, name: str, value: str) -> bool:
        own = self._own_parameters.get(name)
        if own is not None and own != value:
            self._note(f"parameter {name} keeps the value the run was started with")
        return own is None

    def _place_tags(self) -> dict[str, str]:
        owners = self._owners(self._of("tag"))
        placed: dict[str, str] = {}
        for call in self._calls:
            if call["call"] == "tag removed" and (name := self._name(call, owners)):
                placed.pop(name, None)
            elif call["call"] == "tag" and _is_theirs(call["name"]) and (name := self._name(call, owners)):
                placed[name] = call["value"]
        return placed

    def _place_inputs(self) -> Iterator[dict[str, str]]:
        for count, call in enumerate(self._of("input")):
            entry = {name: str(call[name]) for name in INPUT_LIMITS}
            if count < MOST_INPUTS and all(len(entry[name]) <= limit for name, limit in INPUT_LIMITS.items()):
                yield entry
            else:
                self._note(f"dataset {entry['name'][:50]}: too long or one too many, left out")

    def _limit(self, what: str, texts: Mapping[str, str], longest: int) -> dict[str, str]:
        if len(texts) > MOST_NAMES:
            self._note(f"{len(texts):,} {what} were logged; the first {MOST_NAMES:,} are kept")
        for name in [name for name, text in texts.items() if len(text) > longest]:
            self._note(f"{name} was cut to {longest:,} characters")
        return {name: text[:longest] for name, text in islice(texts.items(), MOST_NAMES)}

    def _limit_points(self, points: list[Point]) -> list[Point]:
        if len(points) <= MOST_POINTS:
            return points
        self._note(
            f"{len(points):,} values of metrics were logged; the first {MOST_POINTS:,} and each last one are kept"
        )
        return drop_repeated([*points[:MOST_POINTS], *islice(find_latest(points).values(), MOST_POINTS)])

    def _note(self, text: str) -> None:
        self._notes.setdefault(text[:LONGEST_NOTE])


def _is_theirs(name: str) -> bool:
    """True for a tag a notebook may set: MLflow's and the workbench's own are not its to say."""
    return name in _HARMLESS or not name.startswith(_RESERVED)


def _own_text(value: Any) -> str:
    return str(value)[:LONGEST_PARAMETER]


def spell_parameters(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters as MLflow keeps them: text, as long as it takes."""
    return {name: _own_text(value) for name, value in parameters.items()}
