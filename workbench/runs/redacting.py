"""Redacting: the one choke point between what a notebook did and what is kept of it.

The values known are those of the declared secrets and of variables whose name tells. What no redaction can catch: a notebook that
encrypts, hashes or compresses a value before it shows it, prints it one character at a time among others, draws it (pixels), or
writes it anywhere but into its run's folder.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError
from workbench.notebooks.parameters import Parameter
from workbench.secrets.redacting_files import Redacted, finds_in_bytes, redact_folder
from workbench.secrets.redaction import REDACTED, Redactor
from workbench.secrets.references import SECRET, guess_secrets, parse_reference
from workbench.secrets.sources import NoSecret, resolve_secret

if TYPE_CHECKING:
    from workbench.executors.jobs import Outcome

NO_SECRETS = Redactor()
_STREAMS = ("stdout", "stderr")


# What is known


def find_redactor(
    parameters: Mapping[str, Any],
    declared: Sequence[Parameter],
    environment: Mapping[str, str],
    *,
    project: Path | None = None,
    names: Sequence[str] = (),
) -> Redactor:
    """Return what cuts the secrets of a run out: its declared ones and those of its environment (`names` are some more).

    Raises UsageError listing every reference that leads nowhere and every other parameter that holds the value of a secret.
    """
    references = {
        each.name: parameters[each.name] for each in declared if each.type.kind == SECRET and parameters[each.name]
    }
    guessed = guess_secrets(environment, tuple(names))
    values, problems = _resolve_all(references, environment, project or Path.cwd())
    others = {name: value for name, value in parameters.items() if name not in references}
    problems += _find_exposed(others, {**guessed, **values})
    if problems:
        raise UsageError(
            f"{len(problems)} secret{'s' if len(problems) > 1 else ''} of the run cannot be used.",
            why=sorted(problems),
            next_step="Nothing was started. Declare a secret as `name: wb.Secret` and give a reference to it.",
        )
    return Redactor([*guessed.values(), *values.values()])


def redact_abandoned(
    folder: Path,
    parameters: Mapping[str, Any],
    environment: Mapping[str, str],
    *,
    project: Path,
    names: Sequence[str] = (),
) -> Redacted:
    """Cut the secrets out of what a run left that was killed or lost; a reference that leads nowhere any more is passed over."""
    references = {name: value for name, value in parameters.items() if parse_reference(value)}
    values, _ = _resolve_all(references, environment, project)
    return redact_folder(folder, Redactor([*guess_secrets(environment, tuple(names)).values(), *values.values()]))


def _resolve_all(
    references: Mapping[str, str], environment: Mapping[str, str], project: Path
) -> tuple[dict[str, str], list[str]]:
    values: dict[str, str] = {}
    problems = []
    for name, reference in references.items():
        try:
            values[name] = resolve_secret(reference, environment=environment, project=project)
        except NoSecret as exc:
            problems.append(f"{name}: {exc.what[:-1]}: {' '.join(exc.reasons)}")
    return values, problems


def _find_exposed(parameters: Mapping[str, Any], secrets: Mapping[str, str]) -> Iterator[str]:
    """Say which parameters would be recorded with the value of a secret in them."""
    for origin, secret in secrets.items():
        redactor = Redactor([secret])
        for name, value in parameters.items():
            if redactor.redact_json(value) != value:
                yield f"{name} holds the value of the secret {origin}, and parameters are recorded."


# What is kept


def redact_outcome(outcome: Outcome, redactor: Redactor) -> Outcome:
    """Return an outcome whose notebook, error and failure show no value."""
    if not redactor:
        return outcome
    execution = replace(outcome.execution, error=redact_error(outcome.execution.error, redactor))
    failure = redact_error(outcome.failure, redactor)
    return replace(outcome, document=redact_document(outcome.document, redactor), execution=execution, failure=failure)


def redact_error(text: str | None, redactor: Redactor) -> str | None:
    """Return an error's text without the values."""
    return text and redactor.redact_text(text)


def redact_document(document: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    """Return an executed notebook (nbformat 4) without the values, in sources, outputs and metadata.

    What one stream says is read as one text from the first cell to the last, so that a value that was printed in two halves is
    found, whatever the other stream said in between. A picture that holds a value is dropped as a whole.
    """
    if not redactor:
        return dict(document)
    cells = [_redact_cell(cell, redactor) for cell in document["cells"]]
    for name in _STREAMS:
        _redact_stream(
            [output for cell in cells for output in cell.get("outputs", ()) if _is_of(name, output)], redactor
        )
    return {**document, "cells": cells, "metadata": redactor.redact_json(document.get("metadata", {}))}


def _is_of(stream: str, output: Mapping[str, Any]) -> bool:
    return output.get("output_type") == "stream" and output.get("name") == stream


def _redact_stream(outputs: Sequence[dict[str, Any]], redactor: Redactor) -> None:
    texts = redactor.redact_parts([_join(output.get("text", "")) for output in outputs])
    for output, text in zip(outputs, texts, strict=True):
        output["text"] = text


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
