"""Normalisation: what the workbench and its kernels put into outputs themselves, another one at every execution."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PAGES = ("text/html", "image/svg+xml", "application/javascript")
WIDGET = "application/vnd.jupyter.widget-view+json"

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# As tqdm writes it: the time that passed, what is left, the rate. Outputs are long, so no pattern looks at a text twice.
_BAR_TIMES = r"\[\d{1,6}:\d\d(?::\d\d)?+(?:<[\d:?]{1,12}+)?+, {1,9}+[\d.?]++[^\s,\]]*+"
_BAR = rf"(?:(?!{_BAR_TIMES})[^\r\n\x1b])*+{_BAR_TIMES}[^\r\n\x1b]*+"
_DURATION = r"[\d.e+]{1,12} ?[a-zμµ][\w .+]{0,24}"


@dataclass(frozen=True)
class Normalisation:
    """One thing that is written as the same at every execution: its name, how it looks, what stands for it.

    `kinds` are the ends of the names of the outputs it is looked for in; without any, in all of them.
    """

    name: str
    pattern: re.Pattern[str]
    instead: str
    kinds: tuple[str, ...] = ()


def _normalise(name: str, pattern: str, instead: str, kinds: tuple[str, ...] = ()) -> Normalisation:
    return Normalisation(name, re.compile(pattern, re.MULTILINE), instead, kinds)


OWN_NAMES = "ids of the run"
# In this order: bars below another go first, then what a bar drew over, and its last state loses its times.
NORMALISATIONS = (
    _normalise(
        "temporary folder",
        r"(?:/[^\s'\"<>=:]{1,47})?/workbench-kernels-\d+-\w{8}(?:/t-\w{8}(?:/tmp\w{8}\b)?|/[0-9a-f]{8}\b)?",
        "/…",
    ),
    _normalise("file of a cell", r"\bipykernel_\d+/\d+\.py", "ipykernel.py"),
    _normalise("address in memory", r"(?<=\bat )0x[0-9a-fA-F]{6,16}\b", "0x…"),
    _normalise("time of a log line of MLflow", r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?= [A-Z]+ mlflow\b)", "…"),
    _normalise("time in a record of MLflow", r"(?<=[ <])(\w*timestamp|start_time|end_time)=\d{13}(?=[,>])", r"\1=…"),
    _normalise("measured time", r"^(CPU times: |Wall time: ).*$", r"\1…"),
    _normalise(
        "measured time",
        rf"^(?:The slowest run took .*\n)?{_DURATION} ± {_DURATION} per loop \([^()\n]*\)$",
        "… per loop",
    ),
    _normalise("progress bar", rf"(?<!\n)\n++\r(?:{_BAR}| *+)(?:\x1b\[A)++", ""),
    _normalise("progress bar", rf"\r{_BAR}(?=\r)|\r +\r", ""),
    _normalise("progress bar", _BAR_TIMES, "[…"),
    _normalise("name of a part", rf"(?<=[\"'#])[\w-]*?{_UUID}(?=[\"'\\)])", "…", PAGES),
    _normalise("name of a part", r"(?<=[\"'#])T_[0-9a-f]{5}(?=[\"'_ ])", "T_…", PAGES),
    _normalise("name of a part", r"(?<=[\"'#])[A-Za-z]+[0-9a-f]{10}(?=[\"')])", "…", PAGES),
    _normalise("name of a part", r'(?<="model_id": ")[0-9a-f]{32}(?=")', "…", (WIDGET,)),
    _normalise("date of a drawing", r"<dc:date>[^<]*</dc:date>", "<dc:date>…</dc:date>", PAGES),
)


def normalise(output: str, text: str, own_names: Sequence[str]) -> tuple[str, dict[str, int]]:
    """Return the text of an output (by its name) with what every execution has its own of taken out, and how often each was."""
    counts: dict[str, int] = {}
    for each in _list_normalisations(output, own_names):
        text, count = each.pattern.subn(each.instead, text)
        if count:
            counts[each.name] = counts.get(each.name, 0) + count
    return text, counts


def _list_normalisations(output: str, own_names: Sequence[str]) -> Iterator[Normalisation]:
    if own_names:
        yield Normalisation(OWN_NAMES, re.compile("|".join(map(re.escape, own_names))), "…")
    yield from (each for each in NORMALISATIONS if not each.kinds or output.endswith(each.kinds))
