"""What people say of runs, in MLflow: shown as it shows such things itself, and what is deleted goes there too."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workbench.runs.finding.annotations import Annotations
from workbench.runs.run import Run

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_NOTE, _MOST_TAGS = "mlflow.note.content", 100


class _Connected(Protocol):
    @property
    def _client(self) -> MlflowClient: ...

    def _answers(self) -> AbstractContextManager[None]: ...

    def _find_run(self, tracked_as: str) -> Any: ...

    def _local_folder(self, location: str) -> Path | None: ...


class MlflowAnnotations:
    """The part of a tracker that tells MLflow what is said of runs, and that they are gone."""

    def annotate(self: _Connected, run: Run, *, before: Annotations, logged: Mapping[str, str]) -> bool:
        """Show what is said of a run: its name, its note as MLflow's description, its tags under their own names.

        `before` is what was shown last; of it goes what is said no more, or becomes what the notebook `logged` by that name.
        Returns False when MLflow has no such run any more.
        """
        with self._answers():
            if self._find_run(str(run.tracked_as)) is None:
                return False
            said = spell_annotations(run.annotations)
            gone = spell_annotations(before).keys() - said.keys()
            _set_tags(self._client, str(run.tracked_as), said | {key: logged[key] for key in gone & logged.keys()})
            for key in sorted(gone - logged.keys()):
                with _gone_already():
                    self._client.delete_tag(run.tracked_as, key)
            if run.annotations.name or before.name:
                self._client.update_run(run.tracked_as, name=run.annotations.name or run.id)
        return True

    def delete_run(self: _Connected, tracked_as: str) -> None:
        """Delete a run as MLflow's own page does (`mlflow gc` then removes its rows), and its files where they are ours."""
        with self._answers():
            shown = self._find_run(tracked_as)
            if shown is None:
                return
            folder = self._local_folder(shown.info.artifact_uri)
            if folder is not None and folder.is_dir():
                shutil.rmtree(folder)
            self._client.delete_run(tracked_as)

    def find_page(self: _Connected, tracked_as: str) -> str | None:
        """Return where MLflow's page shows a run, behind its address; None where it has no such run any more."""
        with self._answers():
            shown = self._find_run(tracked_as)
            return f"experiments/{shown.info.experiment_id}/runs/{tracked_as}" if shown else None

    def find_registered(self: _Connected, tracked_as: str) -> list[str]:
        """Return the versions of registered models that were made of a run, as `model/version`, sorted."""
        with self._answers():
            found = self._client.search_model_versions(f"run_id='{tracked_as}'")
            return sorted(f"{each.name}/{each.version}" for each in found)


def spell_annotations(said: Annotations) -> dict[str, str]:
    """Return what is said as MLflow's tags, but for the name."""
    return {**said.tags, **({_NOTE: said.note} if said.note else {})}


def _set_tags(client: MlflowClient, tracked_as: str, tags: Mapping[str, str]) -> None:
    from mlflow.entities import RunTag

    entries = [RunTag(key, value) for key, value in tags.items()]
    for start in range(0, len(entries), _MOST_TAGS):
        client.log_batch(tracked_as, tags=entries[start : start + _MOST_TAGS])


@contextmanager
def _gone_already() -> Iterator[None]:
    """Pass over what somebody removed before."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as exc:
        if exc.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
