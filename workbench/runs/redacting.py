"""Redacting: the one choke point between what a notebook did and what is kept of it.

The values known are those of the declared secrets and of variables whose name tells. What no redaction can catch: a notebook that
encrypts, hashes or compresses a value before it shows it, prints it one character at a time among others, draws it (pixels), or
writes it anywhere but into its run's folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError
from workbench.notebooks.parameters import Parameter
from workbench.notebooks.redacting import redact_document
from workbench.secrets.redacting_files import Redacted, redact_folder
from workbench.secrets.redaction import Redactor
from workbench.secrets.references import SECRET, guess_secrets, parse_reference
from workbench.secrets.sources import NoSecret, resolve_secret

if TYPE_CHECKING:
    from workbench.executors.jobs import Outcome

NO_SECRETS = Redactor()


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
    return redact_folder(folder, find_known(parameters, environment, project=project, names=names))


def find_known(
    parameters: Mapping[str, Any], environment: Mapping[str, str], *, project: Path, names: Sequence[str] = ()
) -> Redactor:
    """Return what cuts the secrets out of a run that others run or ran; a reference that leads nowhere here is passed over."""
    references = {name: value for name, value in parameters.items() if parse_reference(value)}
    values, _ = _resolve_all(references, environment, project)
    return Redactor([*guess_secrets(environment, tuple(names)).values(), *values.values()])


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
