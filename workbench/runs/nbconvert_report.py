"""The report of a run: its executed notebook as one HTML page that loads nothing and runs nothing."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from html import escape
from pathlib import Path
from typing import Any

from workbench.drawings.picture import Picture, show_pictures
from workbench.drawings.styling import read_picture_style
from workbench.notebooks.notebook import INJECTED
from workbench.notebooks.parameters import spell_value
from workbench.records.clock import utc_now
from workbench.records.digest import short
from workbench.runs.concluding import NO_RESULTS, Results, is_confirmed, is_of_training
from workbench.runs.kept_files import read_kept_files
from workbench.runs.run import Run, RunState
from workbench.runs.told_errors import keep_last_states, split_errors

# What may stand in a report, whoever wrote the notebook: text, tables and embedded pictures. Everything else is dropped.
_TAGS = (
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img "
    "ins kbd li mark ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr u ul"
)
_ATTRIBUTES = ["class", "colspan", "id", "rowspan", "scope", "title"]
_PICTURES = tuple(f"data:image/{kind};base64," for kind in ("png", "jpeg", "gif", "svg+xml"))
# Control characters but tab and line ends: they move a terminal's cursor, and show nothing on a page.
_MOST_PASSES = 8
_UNSEEN = dict.fromkeys({*range(32), *range(127, 160)} - {9, 10, 13})
_BEGIN, _END = "<main>", "</main>"
# The forms of an output that a page can show; what has none of them was interactive.
_SHOWN = (
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "text/latex",
    "image/png",
    "image/jpeg",
    "text/plain",
)
_INTERACTIVE = {"text/plain": "An interactive view stood here."}
_DESCRIPTION = "No description has been provided for this image"
_DESCRIPTIONS = {kind: {"alt": _DESCRIPTION} for kind in ("image/png", "image/jpeg")}
_UNDESCRIBED = re.compile(r"<img(?![^>]*\salt=)")
_LAYOUT = "index.html.j2"
LONGEST_OUTPUT = 100_000
MOST_OUTPUTS = 500
_MOST_KEPT = 20
_WIDEST, _FEWEST_LINES = 100, 3  # characters of a line that a page has room for, lines that make a table
_DROPPED_WITH_CONTENT = (
    "script",
    "style",
    "template",
    "iframe",
    "object",
    "noscript",
    "svg",
    "math",
    "title",
    "textarea",
    "select",
)


def render_report(document: Mapping[str, Any], run: Run, template: Path, results: Results = NO_RESULTS) -> str:
    """Return the HTML page of an executed notebook (nbformat 4); `template` is the folder of the report's layout."""
    import nbformat
    from nbconvert import TemplateExporter

    exporter, notebook = _open_exporter(template), nbformat.from_dict(_reduce(document))
    resources = {"report": {**_describe_run(run, results), "style": read_picture_style()}}
    with warnings.catch_warnings(action="ignore"):
        # Its own method reads the finished page as a tree and writes it anew, which takes longer than all the rest.
        page = _make_inert(TemplateExporter.from_notebook_node(exporter, notebook, resources)[0])
        if _UNDESCRIBED.search(page):
            page = _make_inert(exporter.from_notebook_node(notebook, resources)[0])
    return page


@cache
def prepare_report(template: Path) -> None:
    """Read and compile the layouts that a report is made with, so that the next one is only filled in."""
    from jinja2.meta import find_referenced_templates

    environment = _open_exporter(template).environment
    names = [_LAYOUT]
    for name in names:  # grows while it is read
        source, _, _ = environment.loader.get_source(environment, name)
        names += [each for each in find_referenced_templates(environment.parse(source)) if each and each not in names]
        environment.get_template(name)


@cache
def _open_exporter(template: Path) -> Any:
    """Reading the layouts takes longer than using them: a sweep reads them once."""
    from nbconvert import HTMLExporter

    return HTMLExporter(
        template_name=template.name,
        extra_template_basedirs=[str(template.parent)],
        sanitize_html=True,
        # A picture comes with the notebook; one that is a file of whoever runs it stays there.
        embed_images=False,
        # What is converted is reduced to what every step takes.
        optimistic_validation=True,
        # nbconvert's own cleaner shows headings and tables as escaped source.
        filters={
            "clean_html": clean_html,
            "highlight_code": _highlight,
            "split_errors": split_errors,
            "is_wide": is_wide_table,
        },
    )


def is_wide_table(text: str) -> bool:
    """True for text that was laid out in columns too many for a page: most of its lines are of one length, and long."""
    lengths = Counter(len(line) for line in text.splitlines() if line.strip())
    length, lines = max(lengths.items(), key=lambda each: each[1], default=(0, 0))
    return length > _WIDEST and lines >= _FEWEST_LINES and 2 * lines > lengths.total()


def _highlight(source: str, metadata: object = None) -> str:  # noqa: ARG001 - as nbconvert's templates call it
    return _highlight_source(source)


@lru_cache(maxsize=256)
def _highlight_source(source: str) -> str:
    """Return code with its colours; the cells of a sweep's runs are the same but for one."""
    from nbconvert.filters import Highlight2HTML

    return str(Highlight2HTML()(source))


def _reduce(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy with nothing but source, tags and shown outputs: nbconvert trips over other parts when they are damaged."""
    cells = [{**cell, "metadata": _only_tags(cell.get("metadata"))} for cell in document["cells"]]
    for cell in cells:
        cell.pop("id", None)
        if cell["cell_type"] == "code":
            cell["outputs"] = _reduce_outputs(cell.get("outputs", []))
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}


def _only_tags(metadata: Any) -> dict[str, Any]:
    return {"tags": [tag for tag in (metadata or {}).get("tags", []) if tag == INJECTED]}


def _reduce_outputs(outputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    kept, more = outputs[:MOST_OUTPUTS], len(outputs) - MOST_OUTPUTS
    errors = [output for output in outputs[MOST_OUTPUTS:] if output["output_type"] == "error"]
    note = {
        "output_type": "stream",
        "name": "stdout",
        "text": f"... and {more:,} outputs more; the executed notebook has them.",
    }
    return [*map(_reduce_output, kept), *([note] if more > 0 else []), *map(_reduce_output, errors)]


def _reduce_output(output: Mapping[str, Any]) -> dict[str, Any]:
    if output["output_type"] == "stream":
        return {**output, "text": _shorten(keep_last_states("".join(output["text"])))}
    if output["output_type"] == "error":
        return {**output, "traceback": [_shorten(line) for line in output["traceback"]]}
    data = output["data"] if isinstance(output["data"], Mapping) else {}
    texts = {kind: "".join(data[kind]) for kind in _SHOWN if isinstance(data.get(kind), str | list)}
    plain = {"text/plain": _shorten(texts["text/plain"])} if "text/plain" in texts else {}
    # The cleaner's time grows with the square of the rows of a table.
    short_enough = {kind: text for kind, text in texts.items() if _is_picture(kind) or len(text) <= LONGEST_OUTPUT}
    if texts and not short_enough and not plain:
        plain = {
            "text/plain": f"An output of {sum(map(len, texts.values())):,} characters; the executed notebook has it."
        }
    return {**output, "metadata": _DESCRIPTIONS, "data": {**short_enough, **plain} or _INTERACTIVE}


def _is_picture(kind: str) -> bool:
    return kind.startswith("image/")


def _shorten(text: str) -> str:
    more = len(text) - LONGEST_OUTPUT
    return (
        text
        if more <= 0
        else f"{text[:LONGEST_OUTPUT]}\n... and {more:,} characters more; the executed notebook has them."
    )


def _make_inert(page: str) -> str:
    """Clean all that stands between our header and our footer, whichever block of nbconvert's layouts wrote it."""
    head, _, rest = page.partition(_BEGIN)
    body, _, foot = rest.rpartition(_END)
    return f"{head}{_BEGIN}{clean_html(body)}{_END}{foot}"


def clean_html(html: str) -> str:
    """Return HTML that shows text, tables and embedded pictures, runs nothing and points nowhere but into the page."""
    cleaned = str(html).translate(_UNSEEN)
    for _ in range(_MOST_PASSES):
        before, cleaned = cleaned, str(_open_cleaner().clean(cleaned))
        if cleaned == before:
            return cleaned
    return escape(cleaned)  # what is another page each time it is read is shown as text


@cache
def _open_cleaner() -> Any:
    import nh3

    return nh3.Cleaner(
        tags=set(_TAGS.split()),
        clean_content_tags=set(_DROPPED_WITH_CONTENT),
        attributes={"*": set(_ATTRIBUTES), "img": {"alt", "height", "src", "width"}, "a": {"href"}},
        attribute_filter=_keep_attribute,
        url_schemes={"data"},
        link_rel=None,
    )


def _keep_attribute(_tag: str, name: str, value: str) -> str | None:
    """Return the value of an attribute that points nowhere outside and measures in whole numbers, else None."""
    if name in ("width", "height"):
        return value if value.isdecimal() else None
    if name in ("src", "href"):
        return value if value.startswith(_PICTURES if name == "src" else "#") else None
    return value


def _describe_run(run: Run, results: Results) -> dict[str, Any]:
    """Return what the head of the report says, without control characters."""
    is_running = run.state is RunState.RUNNING
    lead = f"{run.state.capitalize()} {_minute(run.ended or run.started)}, run by {run.author}. {run.error or ''}"
    if is_running:
        lead = f"Running since {_minute(run.started)}, run by {run.author}. As it was at {utc_now()[11:19]} UTC; renews itself."
    datasets = run.record.get("datasets", [])
    training = {name for name in run.metrics if name not in results.recomputed and is_of_training(name)}
    facts = {
        "Parameters": {name: spell_value(value) for name, value in run.parameters.items()},
        "Data": {f"{item['name']} ({item['rows']:,} rows)": short(item["digest"]) for item in datasets},
        "Source": _describe_source(run),
        "Kept files": _describe_kept(run),
    }
    return {
        "title": _plain(f"{Path(run.notebook).stem}, run {run.id}"),
        "finished": run.state is RunState.FINISHED,
        "running": is_running,
        "lead": _plain(lead),
        "says": [_plain(sentence) for sentence in results.says],
        "metrics": _tabulate(_describe_metrics(run, results, run.metrics.keys() - training)),
        "training": _tabulate(_describe_metrics(run, results, training)),
        "pictures": _show(results.pictures),
        "courses": _show(results.courses),
        "facts": {part: _tabulate(rows) for part, rows in facts.items()},
    }


def _describe_metrics(run: Run, results: Results, names: Collection[str]) -> dict[str, str]:
    """Return the value of each of these metrics in words, those of the holdout first; of what differs from the predictions both."""
    in_order = sorted((name for name in run.metrics if name in names), key=lambda name: name not in results.recomputed)
    return {name: _describe_metric(run, name, results.recomputed.get(name)) for name in in_order}


def _describe_metric(run: Run, name: str, recomputed: float | None) -> str:
    logged, course = run.metrics[name], run.describe_course(name)
    if recomputed is None:
        return f"{logged:.4g} {course}"
    if is_confirmed(logged, recomputed):
        return f"{logged:.4g} on the holdout {course}"
    return f"{recomputed:.4g} on the holdout; {logged:.4g} was logged {course}"


def _tabulate(rows: Mapping[str, str]) -> dict[str, str]:
    return {_plain(name): _plain(value) for name, value in rows.items()}


def _show(pictures: Sequence[Picture]) -> str:
    shown = show_pictures(pictures)
    return shown.html if shown else ""


def _describe_kept(run: Run) -> dict[str, str]:
    """Return the size and digest of each file the notebook kept; of very many the first."""
    kept = read_kept_files(run.record)
    shown = {each.path: f"{each.bytes:,} bytes, {short(each.digest)}" for each in kept[:_MOST_KEPT]}
    more = len(kept) - len(shown)
    return {**shown, **({f"{more:,} files more": "record.json names them"} if more else {})}


def _describe_source(run: Run) -> dict[str, str]:
    provenance = run.provenance
    commit, lock = provenance.get("git_commit"), provenance.get("lock_digest")
    changes = " with changes" if run.git_dirty else ""
    return {
        "notebook": short(run.notebook_digest),
        "git commit": f"{short(commit)}{changes}" if commit else "none",
        "lock file": short(lock) if lock else "none",
        "Python": provenance.get("python", "unknown"),
    }


def _plain(value: object) -> str:
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", str(value))
    return "".join(character if character.isprintable() else " " for character in text).strip()


def _minute(time: str | None) -> str:
    return f"{time[:16].replace('T', ' ')} UTC" if time else "at an unknown time"
