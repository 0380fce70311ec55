"""Redacting an executed notebook: in sources, outputs and metadata no known secret can be read, however it is spelt or split."""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from workbench.secrets.redacting_files import finds_in_bytes
from workbench.secrets.redaction import REDACTED, Redactor

_STREAMS = ("stdout", "stderr")


def redact_document(document: Mapping[str, Any], redactor: Redactor, *, goes_on: bool = False) -> dict[str, Any]:
    """Return an executed notebook (nbformat 4) without the values, in sources, outputs and metadata.

    What one stream says is read as one text from the first cell to the last, so that a value that was printed in two halves is
    found, whatever the other stream said in between. A picture that holds a value is dropped as a whole. Of streams that go
    on the end is held back where it can be the beginning of a value.
    """
    if not redactor:
        return dict(document)
    cells = [_redact_cell(cell, redactor) for cell in document["cells"]]
    for name in _STREAMS:
        outputs = [output for cell in cells for output in cell.get("outputs", ()) if _is_of(name, output)]
        _redact_stream(outputs, redactor, goes_on=goes_on)
    return {**document, "cells": cells, "metadata": redactor.redact_json(document.get("metadata", {}))}


def _is_of(stream: str, output: Mapping[str, Any]) -> bool:
    return output.get("output_type") == "stream" and output.get("name") == stream


def _redact_stream(outputs: Sequence[dict[str, Any]], redactor: Redactor, *, goes_on: bool) -> None:
    texts = [_join(output.get("text", "")) for output in outputs]
    if goes_on:
        texts = _take(texts, redactor.find_settled("".join(texts)))
    for output, text in zip(outputs, redactor.redact_parts(texts), strict=True):
        output["text"] = text


def _take(texts: Sequence[str], size: int) -> list[str]:
    """Return the first characters of texts that are read one after the other."""
    starts = accumulate(map(len, texts), initial=0)
    return [text[: max(size - start, 0)] for text, start in zip(texts, starts, strict=False)]


def _join(text: Any) -> str:
    return text if isinstance(text, str) else "".join(map(str, text))


def _redact_cell(cell: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    kept: dict[str, Any] = {"source": redactor.redact_text(_join(cell.get("source", "")))}
    for key in ("metadata", "attachments"):
        if key in cell:
            kept[key] = redactor.redact_json(cell[key])
    if "outputs" in cell:
        kept["outputs"] = [_redact_output(output, redactor) for output in cell["outputs"]]
    return {**cell, **kept}


def _redact_output(output: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    # The words of the format stay, whatever the values are: `stdout` may be somebody's secret.
    words = {key: output[key] for key in ("output_type", "name", "text", "execution_count") if key in output}
    rest = {key: value for key, value in output.items() if key not in (*words, "data", "traceback")}
    redacted = {**words, **redactor.redact_json(rest)}
    if "traceback" in output:
        redacted["traceback"] = _redact_lines(output["traceback"], redactor)
    if isinstance(output.get("data"), Mapping):
        redacted["data"] = dict(_redact_bundle(output["data"], redactor))
    elif "data" in output:
        redacted["data"] = redactor.redact_json(output["data"])
    return redacted


def _redact_lines(lines: Sequence[str], redactor: Redactor) -> list[str]:
    """A value may go over lines; joined without what stood between them, one that has line breaks would be missed."""
    ended = [f"{line}\n" for line in lines]
    return [line.removesuffix("\n") for line in redactor.redact_parts(ended)]


def _redact_bundle(data: Mapping[str, Any], redactor: Redactor) -> Iterator[tuple[str, Any]]:
    """Yield each form of an output: text and JSON redacted, a picture that holds a value replaced by a word."""
    for kind, value in data.items():
        is_text = isinstance(value, str) or (isinstance(value, list) and all(isinstance(line, str) for line in value))
        if not is_text:
            yield redactor.redact_text(kind), redactor.redact_json(value)
        elif _is_drawing(kind, text := _join(value)):
            yield from [(kind, text)] if not _finds_in_drawing(text, redactor) else [("text/plain", REDACTED)]
        else:
            yield redactor.redact_text(kind), redactor.redact_text(text)


def _is_drawing(kind: str, text: str) -> bool:
    """Letters drawn as shapes spell the value once more, where nobody can find it."""
    return kind.startswith(("image/", "application/pdf", "audio/", "video/")) or (
        kind == "text/html" and "<svg" in text
    )


def _finds_in_drawing(text: str, redactor: Redactor) -> bool:
    if redactor.finds(text):
        return True
    try:
        return finds_in_bytes(binascii.a2b_base64(text), redactor)
    except (binascii.Error, ValueError):
        return False
