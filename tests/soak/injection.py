"""Whatever is given as a name, a value or a path: nothing of it executes, and no file appears outside of the run's folder."""

from __future__ import annotations

import ast
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from tests.conftest import AUTHOR
from tests.soak.hostile_input import CANARY, draw, names, payloads, traversals, values
from tests.soak.odd_paths import INPUTS, VERBS, try_paths
from tests.soak.proof import SEED, Proof, timed_proof
from tests.soak.surroundings import KEEPS, Surroundings, make_surroundings
from workbench.errors import UsageError
from workbench.notebooks.notebook import parse_notebook
from workbench.notebooks.parameters import Parameter, bind_parameters
from workbench.notebooks.value_types import KINDS, LONGEST_VALUE, ValueType
from workbench.workflow import Workbench

# What stands in the notebook as it is given.
_JSON_KINDS = [kind for kind in KINDS if not ValueType(kind).is_code]
_BATCH_CHARACTERS = LONGEST_VALUE // 2


# Names and values, up to the code that the kernel gets


def try_values(given: Sequence[Any]) -> tuple[int, list[str]]:
    """Return how many values some parameter takes, and those that do not come back from the injected code as they were given."""
    taken, faults = 0, []
    for value in given:
        tried = (Parameter("x", ValueType(kind), None) for kind in (*_JSON_KINDS, None))
        bound = [found for each in tried if (found := _bind(each, value)) is not None]
        faults += [f"{value!r}: {fault}" for found in bound if (fault := _find_fault_in_code(found, value))]
        taken += bool(bound)
    return taken, faults


def _bind(parameter: Parameter, value: Any) -> dict[str, Any] | None:
    try:
        return bind_parameters((parameter,), {parameter.name: value})
    except UsageError:
        return None


def _find_fault_in_code(bound: Mapping[str, Any], value: Any) -> str | None:
    code = _injected_code(bound)
    (name,) = bound
    module = ast.parse(code)
    if [type(each) for each in module.body] != [ast.Assign] or ast.unparse(module.body[0].targets[0]) != name:
        return f"the injected code is more than one assignment to {name}: {code!r}"
    if TransformerManager().transform_cell(code).rstrip("\n") != code.rstrip("\n"):
        return f"IPython reads something else in {code!r}"
    back = ast.literal_eval(module.body[0].value)
    return None if is_same(back, bound[name]) and back == value else f"came back as {back!r}"


def _injected_code(parameters: Mapping[str, Any]) -> str:
    injected = parameterize_notebook(
        load_notebook_node(str(KEEPS)), dict(parameters), kernel_name="python3", language="python"
    )
    return str(next(cell for cell in injected.cells if "injected-parameters" in cell.metadata.get("tags", [])).source)


def is_same(one: Any, other: Any) -> bool:
    """True for the same value of the same types: 1, 1.0 and True differ, and so do 0.0 and -0.0."""
    return repr(one) == repr(other)


def try_names(given: Sequence[str]) -> tuple[int, list[str]]:
    """Return how many names can be declared, and what is wrong with those that can or that were taken undeclared."""
    declared, faults = 0, []
    for name in given:
        if _bind(Parameter("x", ValueType("int"), 0), 0) is None or (name != "x" and _binds_undeclared(name)):
            faults.append(f"{name!r} was taken though it is not declared")
        found = _declare(f"{name}: int = 0") or _declare(f"{name} = 0")
        declared += bool(found)
        faults += [f"{each!r} was declared by {name!r}" for each in found if not _is_harmless(each)]
    return declared, faults


def _binds_undeclared(name: str) -> bool:
    try:
        bind_parameters((Parameter("x", ValueType("int"), 0),), {name: 0})
    except UsageError:
        return False
    return True


def _declare(source: str) -> list[str]:
    """Return the names that a parameters cell with this source declares."""
    document = json.loads(KEEPS.read_bytes())
    next(cell for cell in document["cells"] if cell["metadata"].get("tags") == ["parameters"])["source"] = source
    try:
        return [parameter.name for parameter in parse_notebook("odd", json.dumps(document).encode()).parameters]
    except UsageError:
        return []


def _is_harmless(name: str) -> bool:
    plain = name.isidentifier() and not name.startswith("__")
    return plain and _find_fault_in_code({name: 0}, 0) is None


# Values through a real kernel


def run_values(around: Surroundings, given: Sequence[Any]) -> tuple[int, list[str]]:
    """Give the values that fit to notebooks, many to each; return how many there were and those that arrived differently."""
    fitting = [value for value in given if _bind(Parameter("x", ValueType(), None), value) is not None]
    faults: list[str] = []
    with around.untouched(faults, "a notebook with odd values"):
        for batch in _batches(fitting):
            faults += _run_batch(around.bench, around.project / KEEPS.name, batch)
    return len(fitting), faults


def _batches(given: Sequence[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    size = 0
    for value in given:
        length = len(json.dumps(value)) + 10
        if batch and size + length > _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
        batch.append(value)
        size += length
    if batch:
        yield batch


def _run_batch(bench: Workbench, notebook: Path, batch: Sequence[Any]) -> list[str]:
    """Give a notebook the whole batch as a list and, by odd names, as a mapping, and one of each type by itself."""
    texts = [value for value in batch if type(value) is str]
    firsts = {name: next((v for v in batch if type(v) is kind), None) for name, kind in _SINGLE.items()}
    given = {name: value for name, value in firsts.items() if value is not None}
    given |= {"items": list(batch), "table": dict(zip(texts, batch, strict=False)), "anything": batch[-1]}
    given = {name: value for name, value in given.items() if value is not None}
    run = bench.run(notebook, given)
    kept = json.loads((bench.settings.runs_folder / run.id / "kept.json").read_bytes())
    arrived = {
        "variables": kept["variables"],
        "parameters": kept["parameters"],
        "record": bench.show(run.id).parameters,
    }
    return [
        f"{name} arrived in the {where} as {values[name]!r}, given was {value!r}"
        for where, values in arrived.items()
        for name, value in given.items()
        if not _arrived(values[name], value)
    ]


_SINGLE = {"text": str, "whole": int, "number": float, "flag": bool}


def _arrived(found: Any, given: Any) -> bool:
    # A mapping's order is nothing that a record in canonical JSON keeps.
    return json.dumps(found, sort_keys=True) == json.dumps(given, sort_keys=True)


def run_odd_notebooks(around: Surroundings, count: int) -> tuple[int, list[str]]:
    """Run a notebook below odd folders and under odd names; return how many there were and what went wrong."""
    faults: list[str] = []
    for number, name in enumerate(_file_names(around.canary)[:count]):
        folder = around.folder / f"odd-{number}" / name
        folder.mkdir(parents=True)
        path = Path(shutil.copy(KEEPS, folder / f"{name}.ipynb"))
        with around.untouched(faults, f"the notebook {name!r}"):
            if not around.bench.run(path, {"text": name}).is_finished:
                faults.append(f"{name!r} did not finish")
    return min(count, len(_file_names(around.canary))), faults


def _file_names(canary: Path) -> list[str]:
    # A file's name has no slash; the payloads here make the canary in the folder where they are executed.
    texts = [text.replace(str(canary), CANARY).replace("/", "") for text in payloads(canary)]
    return [text for text in texts if text.isprintable() and len(text) < 100]


# Together


def prove(size: int) -> Proof:
    """Try `size` names, `size` values and 300 paths (fewer when the size is small) at every input."""
    claim = "Names, values and paths are never executed, write nothing elsewhere, and come back as they were given"
    return timed_proof(claim, lambda: _try_everything(size))


def _try_everything(size: int) -> tuple[int, Sequence[str], str]:
    with tempfile.TemporaryDirectory(prefix="workbench-soak-") as folder:
        around = make_surroundings(Path(folder), _make_project)
        try:
            return _count(around, size)
        finally:
            around.bench.store.close()


def _make_project(folder: Path) -> Path:
    folder.mkdir()
    (folder / "workbench.toml").write_text(f'author = "{AUTHOR}"\n', encoding="utf-8")
    return folder


def _count(around: Surroundings, size: int) -> tuple[int, list[str], str]:
    around.bench.tracker.require_answer()
    given = draw(values(around.canary), size, seed_of_draw=SEED)
    asked = draw(names(around.canary), size, seed_of_draw=SEED)
    paths = traversals(min(300, size), around.canary)
    taken, faults = try_values(given)
    declared, of_names = try_names(asked)
    kept, of_kernels = run_values(around, given)
    opened, of_notebooks = run_odd_notebooks(around, size // 60)
    calls, of_paths = try_paths(around, paths)
    faults += [*of_names, *of_kernels, *of_notebooks, *of_paths]
    faults += ["the canary sings"] if around.canary.exists() else []
    details = (
        f"{len(given)} values ({taken} taken, {kept} of them by a kernel), {len(asked)} names ({declared} can be declared), "
        f"{opened} odd notebooks, {len(paths)} paths at {len(INPUTS)} inputs and {len(VERBS)} verbs"
    )
    return len(given) + len(asked) + kept + opened + calls, faults, details
