"""What may come out otherwise on another machine or at another time."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from workbench.readiness import file_calls
from workbench.readiness.kinds.trace import Find, Trace
from workbench.readiness.model_parts import is_to_be_nominated
from workbench.readiness.notebook_code import PARAMETERS, Call, NotebookCode, Place
from workbench.readiness.surroundings import Surroundings

_FOLDERS = "Users Volumes content data dbfs export gpfs home kaggle media mnt nfs opt root scratch srv work workspace workspaces"
_FIXED = re.compile(rf"/(?:{'|'.join(_FOLDERS.split())})/\S|~[\w.-]*/\S|[A-Za-z]:(?:\\|/(?!/))\S")
_MESSAGES = frozenset(
    {"print", "display", "Markdown", "HTML", "set_title", "title", "get", "post", "route", "startswith"}
)
_NO_DATA = (
    ".py",
    ".ipynb",
    ".md",
    ".rst",
    ".yaml",
    ".yml",
    ".toml",
    ".ini",
    ".cfg",
    ".env",
    ".css",
    ".html",
    ".mplstyle",
    ".j2",
)


def fixed_place(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield paths that start at a place of this machine or this person; a parameter's default can be given another value."""
    seen: set[tuple[int, int]] = set()
    for call in code.calls:
        texts = [] if call.method in _MESSAGES else [*call.node.args, *(each.value for each in call.node.keywords)]
        yield from _trace_fixed(call.place, texts, seen)
    for place, statement, _is_certain in code.statements():
        if isinstance(statement, ast.Assign | ast.AnnAssign) and PARAMETERS not in place.cell.tags and statement.value:
            yield from _trace_fixed(place, [statement.value], seen)


def _trace_fixed(place: Place, nodes: Iterable[ast.expr], seen: set[tuple[int, int]]) -> Iterator[Trace]:
    for node in nodes:
        for text, line in _leading_texts(node):
            if _FIXED.match(text) and "\n" not in text and (place.cell.number, line) not in seen:
                seen.add((place.cell.number, line))
                what = "A path begins at a place that other machines and people do not have."
                advice = "Begin it beside the notebook, or make it a parameter."
                yield Trace(what, advice, Place(place.cell, line))


def _leading_texts(node: ast.expr) -> Iterator[tuple[str, int]]:
    """Yield the texts an expression, or each part of a list of them, begins with, and their lines."""
    match node:
        case ast.Constant(value=str() as text):
            yield text, node.lineno
        case ast.JoinedStr(values=[first, *_]):
            yield from _leading_texts(first)
        case ast.BinOp(left=left, op=ast.Add() | ast.Div()):
            yield from _leading_texts(left)
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Dict(values=parts):
            yield from (found for part in parts for found in _leading_texts(part))


def left_from_debugging(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield what waits for somebody in a debugger, and is passed over in a run."""
    what, advice = "It waits where a debugger is at hand, and does nothing in a run.", "Take it out."
    yield from (Trace(what, advice, call.place) for call in code.list_calls("breakpoint"))
    yield from (Trace(what, advice, place) for place, magic in code.magics if magic.name == "debug")


def changes_folder(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield what moves the notebook to another folder."""
    what, advice = "Paths mean other files from here on.", "Write the folder into the paths instead."
    yield from (Trace(what, advice, call.place) for call in code.list_calls("os.chdir"))
    yield from (Trace(what, advice, place) for place, magic in code.magics if magic.name == "cd")


def undeclared_file(code: NotebookCode, around: Surroundings) -> Iterator[Trace]:
    """Yield the data files that no logged table was made of, where there is to be a model."""
    if not is_to_be_nominated(code):
        return
    tables = [each for call in code.list_calls("workbench.log_dataset") for each in (*call.node.args, *_values(call))]
    declared, made = code.trace_back(tables), file_calls.list_made_files(code)
    for read in file_calls.read_files(code):
        if (
            read.call.node not in declared
            and not read.path.lower().endswith(_NO_DATA)
            and read.path not in made | around.missing_files
        ):
            what = f"Evidence will know nothing of the rows of {read.path.rpartition('/')[2] or read.path}."
            yield Trace(what, "Log the tables made of it: wb.log_dataset(table, role=…).", read.call.place)


def overwritten_file(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield results that each run of a notebook with parameters writes over the last one's; what it reads again is none."""
    if not code.parameters:
        return
    kept = {read.path for read in file_calls.read_files(code)}
    kept |= {
        text
        for call in code.list_calls("workbench.log_file")
        for node in call.node.args
        if (text := code.text_of(node))
    }
    for call, path in file_calls.list_results(code):
        if path not in kept:
            name = path.rpartition("/")[2]
            what = f"Every run writes {path}: of a sweep only the last one's is left."
            yield Trace(what, f"Write it to wb.folder / {name!r}: it is kept with each run.", call.place)


def _values(call: Call) -> list[ast.expr]:
    return [each.value for each in call.node.keywords]


def reads_network(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield what is asked of a network: it may not be there, or answer otherwise."""
    advice = "Fetch it once into a file beside the notebook, and read that."
    for call, source in file_calls.find_fetching(code):
        yield Trace(f"It asks the network ({source}), which may not answer, or otherwise.", advice, call.place)
    for place, magic in code.magics:
        if command := file_calls.fetches(magic.commands):
            yield Trace(f"It asks the network ({command}), which may not answer, or otherwise.", advice, place)


# Chance

_NUMPY_SEEDS = ("numpy.random.seed", "numpy.random.set_state")
_EVERYTHING_SEEDS = (
    "lightning.seed_everything", "pytorch_lightning.seed_everything", "lightning.pytorch.seed_everything", "transformers.set_seed",
    "keras.utils.set_random_seed", "tensorflow.keras.utils.set_random_seed", "accelerate.utils.set_seed",
)  # fmt: skip
_NO_DRAW = re.compile(
    r"numpy\.random\.(Generator|MT19937|PCG64\w*|Philox|SFC64|RandomState|SeedSequence|default_rng|get_state|set_state|seed|mtrand)(\..*)?"
)
_RANDOM = re.compile(r"random\.\w+")
_RANDOM_SEEDS = ("random.seed", "random.setstate")
_NO_RANDOM_DRAW = ("random.seed", "random.setstate", "random.getstate", "random.Random", "random.SystemRandom")
_TORCH = re.compile(
    r"torch\.(rand\w*|normal|bernoulli|multinomial|nn\.(?!functional|init|utils|Module$)\w+|utils\.data\.random_split)"
)
_KERAS = re.compile(
    r"(tensorflow\.)?keras\.(layers\.(?!Input)\w+|models\.\w+|Sequential|Model)|tensorflow\.random\.(?!set_seed)\w+"
)
# Of what a function or class takes: with which values it draws. Where one takes none of these it always does.
_DRAWS_WITH: Mapping[str, Callable[[object], bool]] = {
    "shuffle": lambda value: value is True,
    "solver": lambda value: value in ("sag", "saga", "liblinear"),
    "selection": lambda value: value == "random",
    "probability": lambda value: value is True,
    "svd_solver": lambda value: value in ("randomized", "arpack"),
    "early_stopping": lambda value: value is True,
    "strategy": lambda value: value == "stratified",
    "sample_size": lambda value: value is not None,
    "n_restarts_optimizer": lambda value: value != 0,
    "jitter": lambda value: value is not None,
}


def no_seed(code: NotebookCode, around: Surroundings) -> Iterator[Trace]:
    """Yield what draws by chance and is told no seed."""
    everything = any(code.list_calls(*_EVERYTHING_SEEDS))
    numpy_is_seeded = everything or any(code.list_calls(*_NUMPY_SEEDS))
    if not numpy_is_seeded:
        yield from _unseeded_numpy(code)
        yield from _unseeded_states(code, around)
    yield from _unseeded_makers(code)
    if not everything:
        yield from _first(code, _RANDOM, _NO_RANDOM_DRAW, _RANDOM_SEEDS, "random", "random.seed(seed)")
        yield from _first(
            code, _TORCH, (), ("torch.manual_seed", "torch.random.manual_seed"), "torch", "torch.manual_seed(seed)"
        )
        seeds = ("tensorflow.random.set_seed", "tensorflow.set_random_seed")
        yield from _first(code, _KERAS, (), seeds, "Keras", "keras.utils.set_random_seed(seed)")


def _unseeded_numpy(code: NotebookCode) -> Iterator[Trace]:
    drawing = [
        call
        for call in code.calls
        if (call.name or "").startswith("numpy.random.") and not _NO_DRAW.fullmatch(call.name or "")
    ]
    for call in drawing[:1]:
        more = f" (the first of {len(drawing)} calls)" if len(drawing) > 1 else ""
        advice = "Draw from np.random.default_rng(seed), or call np.random.seed(seed) first."
        yield Trace(f"NumPy draws without a seed{more}.", advice, call.place)


def _unseeded_makers(code: NotebookCode) -> Iterator[Trace]:
    for call in code.list_calls("numpy.random.default_rng", "numpy.random.RandomState", "random.Random"):
        seed = call.argument("seed", 0)
        if not call.is_open and (seed is None or code.constant_of(seed) is None):
            yield Trace(f"{call.method}() draws without a seed.", "Give it one: seed, best a parameter.", call.place)


def _unseeded_states(code: NotebookCode, around: Surroundings) -> Iterator[Trace]:
    """Yield functions and estimators that draw by NumPy's own state, as long as that is not seeded."""
    for call in code.calls:
        defaults = around.draws.get(call.name or "")
        if defaults is not None and _is_unseeded(code, call) and _draws(code, call, defaults):
            yield Trace(
                f"{call.own_name} draws without a seed.",
                "Give it random_state=seed, with seed a parameter.",
                call.place,
            )
        elif _samples_rows(code, call) and _is_unseeded(code, call):
            yield Trace(
                "Rows are drawn without a seed.", "Give it random_state=seed, with seed a parameter.", call.place
            )


_SAMPLE_TAKES = frozenset({"n", "frac", "replace", "weights", "axis", "ignore_index"})


def _samples_rows(code: NotebookCode, call: Call) -> bool:
    """True for `table.sample(…)` as pandas has it; models and distributions have a `sample` of their own."""
    named = {each.arg for each in call.node.keywords}
    if (
        call.method != "sample"
        or call.name is not None
        or not named <= _SAMPLE_TAKES
        or not isinstance(call.node.func, ast.Attribute)
    ):
        return False
    made = [code.spell(each.func) for each in code.trace_name(call.node.func.value) if isinstance(each, ast.Call)]
    is_other = any(name and name.rpartition(".")[2][:1].isupper() and not name.startswith("pandas.") for name in made)
    return not is_other and (bool(named) or len(call.node.args) == 1)


def _is_unseeded(code: NotebookCode, call: Call) -> bool:
    given = call.argument("random_state")
    return not call.is_open and (given is None or code.constant_of(given) is None)


def _draws(code: NotebookCode, call: Call, defaults: Mapping[str, object]) -> bool:
    deciding = [name for name in _DRAWS_WITH if name in defaults]
    values = {name: code.constant_of(given) if (given := call.argument(name)) else defaults[name] for name in deciding}
    return not deciding or any(_DRAWS_WITH[name](values[name]) for name in deciding if values[name] is not ...)


def _first(
    code: NotebookCode, pattern: re.Pattern[str], never: Collection[str], seeds: Iterable[str], who: str, how: str
) -> Iterator[Trace]:
    """Yield the first call of a library that draws by a state of its own, where nothing seeds that."""
    if any(code.list_calls(*seeds)):
        return
    found = [call for call in code.calls if pattern.fullmatch(call.name or "") and call.name not in never]
    for call in found[:1]:
        yield Trace(f"{who} draws without a seed.", f"Call {how} before the first draw.", call.place)


FINDS: Mapping[str, Find] = {
    each.__name__: each
    for each in (
        fixed_place,
        changes_folder,
        left_from_debugging,
        undeclared_file,
        overwritten_file,
        reads_network,
        no_seed,
    )
}
