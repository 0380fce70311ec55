"""What will stop a notebook while nobody looks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workbench.readiness.file_calls import read_files
from workbench.readiness.kinds.trace import Find, Trace
from workbench.readiness.module_attributes import list_module_attributes
from workbench.readiness.notebook_code import NotebookCode, Place, list_styles
from workbench.readiness.surroundings import Surroundings

_DEBUGGERS = frozenset(
    {
        "code.interact", "IPython.embed", "IPython.core.debugger.set_trace", "ipdb.set_trace", "pdb.pm",
        "pdb.post_mortem", "pdb.set_trace", "pudb.set_trace",
    }
)  # fmt: skip
# Backends that draw into files or into the notebook; all others need a screen or a page that answers.
_DRAWS_ALONE = re.compile(
    r"agg|cairo|inline|pdf|pgf|ps|svg|template|module://(ipykernel|matplotlib_inline)\..*|-l|--list|auto|",
    re.IGNORECASE,
)
_INSTALL = re.compile(
    r"(?:^|[;&|\n])\s*(?:sudo\s+)?(?:\S*python\S*\s+-m\s+)?"
    r"(?:pip[\d.]*|\{sys\.executable\}\s+-m\s+pip|uv|conda|mamba|apt|apt-get|brew|npm|poetry)\s+(?:pip\s+)?(?:-\S+\s+)*(?:install|add|update)\b"
)
_INSTALLERS = frozenset({"conda", "mamba", "micromamba", "pip", "uv"})


def unusable(_: NotebookCode, around: Surroundings) -> Iterator[Trace]:
    """Yield why the workbench would not start it: its parameters cell, its kernel, a tag."""
    yield from (Trace(refusal.why, refusal.advice) for refusal in around.refusals)


def not_python(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield the cells that Python cannot read."""
    for cell in code.cells:
        if cell.fault:
            line, reason = cell.fault
            yield Trace(
                f"Python cannot read it: {reason}", "Correct it, or make it a Markdown or raw cell.", Place(cell, line)
            )


def skipped_cell(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield the cells that are tagged to be left out: a run is finished only when every cell ran."""
    for cell in code.skipped:
        advice = "Make it a raw cell, or take the tag off."
        yield Trace(
            "A cell tagged `skip-execution` never runs, and a run is done when all did.", advice, Place(cell, 1)
        )


def waits_for_somebody(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield what waits for somebody to type."""
    for call in code.calls:
        if advice := _ASK_INSTEAD.get(call.name or ""):
            yield Trace(f"{call.method}() waits for somebody to type.", advice, call.place)
        elif call.name in _DEBUGGERS:
            yield Trace(f"{call.name}() waits for somebody to type.", "Take it out.", call.place)
    for place, magic in code.magics:
        if magic.name == "pdb" and magic.rest.strip().lower() in ("", "1", "on"):
            yield Trace("%pdb ends the kernel of an unattended run.", "Take it out.", place)


_ASK_INSTEAD = {
    "input": "Make it a parameter, given as -p NAME=VALUE.",
    "getpass.getpass": 'Declare it among the parameters as a secret: `token: wb.Secret = "env:TOKEN"`.',
}


def missing_module(code: NotebookCode, around: Surroundings) -> Iterator[Trace]:
    """Yield the imports of what is neither installed nor beside the notebook."""
    for each in code.imports:
        missing = next((name for name in (each.module, each.top) if name in around.missing_modules), None)
        if missing and each.is_certain:
            what = f"{missing} is neither installed nor beside the notebook."
            yield Trace(what, "Install it into the environment of the workbench, or put it there.", each.place)


def missing_name(code: NotebookCode, around: Surroundings) -> Iterator[Trace]:
    """Yield the imports of names, the attributes of modules and the styles that the installed version does not have (any more)."""
    advice = "Write what this version has instead, or install the one it was written for."
    for each in code.imports:
        if each.is_certain and (lacking := around.missing_names.get(each.full_name)):
            yield Trace(lacking, advice, each.place)
    for asked in list_module_attributes(code) if around.missing_attributes else ():
        for length in range(1, len(asked.path) + 1):
            name = ".".join([asked.module, *asked.path[:length]])
            if lacking := around.missing_attributes.get(name):
                yield Trace(lacking, advice, asked.place)
    for place, style in list_styles(code):
        if style in around.missing_styles:
            yield Trace(around.missing_styles[style], advice, place)


def missing_file(code: NotebookCode, around: Surroundings) -> Iterator[Trace]:
    """Yield the files that are read and are not there."""
    for read in read_files(code):
        if read.path in around.missing_files and read.call.is_certain:
            advice = "Put it there; relative paths start in the notebook's folder."
            yield Trace(f"There is no {_shorten(read.path)}.", advice, read.call.place)


def _shorten(path: str) -> str:
    return path if len(path) <= 60 else f"…{path[-59:]}"


def needs_a_screen(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield the backends of Matplotlib that need a window or a page that answers."""
    advice = "Write %matplotlib inline, or nothing: pictures are kept in the run."
    for place, magic in code.magics:
        backend = (magic.rest.split() or [""])[0].strip("'\"")
        if magic.name == "matplotlib" and not _DRAWS_ALONE.fullmatch(backend):
            yield Trace(f"%matplotlib {backend} needs somebody's screen.", advice, place)
    for call in code.list_calls("matplotlib.use", "matplotlib.pyplot.switch_backend"):
        chosen = code.text_of(call.first)
        if chosen and not _DRAWS_ALONE.fullmatch(chosen):
            yield Trace(f"The backend {chosen} needs somebody's screen.", advice, call.place)


def installs(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield what installs packages."""
    what = "It installs packages: that needs a network, and changes the environment of all other runs."
    advice = "Install them once, outside of the notebook, and take the line out."
    for place, magic in code.magics:
        by_magic = magic.name in _INSTALLERS and re.search(r"\b(?:install|add|update)\b", magic.rest)
        if by_magic or _INSTALL.search(magic.commands):
            yield Trace(what, advice, place)
    for call in code.list_calls("os.system", "subprocess.run", "subprocess.call", "subprocess.check_call"):
        words = [code.text_of(each) or "" for each in call.listed]
        if re.search(r"\bpip\b.*\binstall\b", " ".join(words)):
            yield Trace(what, advice, call.place)


FINDS: Sequence[Find] = (
    unusable,
    not_python,
    skipped_cell,
    waits_for_somebody,
    missing_module,
    missing_name,
    missing_file,
    needs_a_screen,
    installs,
)
