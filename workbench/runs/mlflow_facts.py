"""What MLflow is told of a run beside what its notebook logged: where it came from, and the tables it stands on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.records.digest import strict_json
from workbench.runs.logged_calls import INPUT_LIMITS, read_plain_file
from workbench.runs.run import Run
from workbench.runs.tables import path_of_table

_ROLE_TAG = "workbench.role"
_DIGEST_LENGTH = 32  # of 64: MLflow takes 36
# An experiment is one of models that are trained, not of conversations; the page of MLflow 3.17 asks only its own address.
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}
PAGE_MODE = "workflowType=machine_learning"
# Under these words MLflow's own tools look for what a table was used for.
_CONTEXTS = {"train": "training", "validation": "validation", "holdout": "evaluation"}
# What two columns have in common for their values to be compared: of numbers no more is written down.
_TYPES = {"number": "double", "f4": "float", "M": "datetime", "O": "string", "U": "string"}
_LARGEST_TABLE = 4 * 1024**2  # bytes of row digests; MLflow's page is not worth reading more


def describe_source(run: Run) -> dict[str, str]:
    """Return the tags by which MLflow shows what a run executed, and by whom; nothing is said that nobody can tell."""
    commit = run.provenance.get("git_commit")
    return {
        "mlflow.user": run.author,
        "mlflow.source.type": "NOTEBOOK",
        "mlflow.source.name": str(run.provenance.get("notebook_path") or run.notebook),
        **({"mlflow.source.git.commit": commit} if commit else {}),
    }


def describe_dirt(run: Run) -> dict[str, str]:
    """Return the tag that says whether the commit lacks the notebook or local code as they ran; nothing where nobody can tell."""
    is_told = run.provenance.get("git_commit") and run.git_dirty is not None
    return {"mlflow.source.git.dirty": str(run.git_dirty).lower()} if is_told else {}


def describe_tables(run: Run, folder: Path | None) -> Iterator[dict[str, Any]]:
    """Yield each table of a run as MLflow keeps a dataset, with its `tags`; the columns where they stand in the run's folder."""
    source = json.dumps({"tags": {**describe_source(run), "workbench.run": run.id}})
    for table in run.record.get("datasets", ()):
        columns = None if folder is None else _read_columns(folder / path_of_table(table["role"], table["name"]))
        profile = {
            "num_rows": table["rows"],
            "num_columns": table["columns"],
            "num_elements": table["rows"] * table["columns"],
            "sha256": table["digest"],
        }
        yield {
            "name": table["name"],
            "digest": table["digest"][:_DIGEST_LENGTH],
            "source_type": "code",
            "source": source,
            "schema": _spell_schema(columns) if columns else None,
            "profile": json.dumps(profile),
            "tags": {
                "mlflow.data.context": _CONTEXTS.get(table["role"], table["role"]),
                _ROLE_TAG: table["role"],
            },
        }


def _spell_schema(columns: Sequence[Sequence[str]]) -> str | None:
    described = [{"type": _TYPES.get(kind, "any"), "name": name, "required": True} for name, kind in columns]
    text = json.dumps({"mlflow_colspec": described})
    return text if len(text) <= INPUT_LIMITS["schema"] else None


def _read_columns(path: Path) -> list[list[str]] | None:
    """Return the names and types of a table's columns, None where they cannot be read or reading them would take long."""
    try:
        if path.stat().st_size > _LARGEST_TABLE:
            return None
        document: Mapping[str, Any] = strict_json(read_plain_file(path))
        return [[str(name), str(kind)] for name, kind in document["types"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
