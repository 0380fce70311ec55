"""The rows of a holdout as they were logged, in the order of a run's predictions: what another model can be asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.errors import Refused
from workbench.evidence.features import read_features, read_holdout
from workbench.evidence.measures.sample import find_genuine, find_target
from workbench.records.digest import canonical_json, strict_json
from workbench.runs.kept_run import KeptRun

FORMAT = 1
_SAID = b"workbench"


@dataclass(frozen=True)
class HoldoutRows:
    """By column the values, spelled as they were digested; `target` is the column that is the truth, None where nobody knows."""

    columns: Mapping[str, Sequence[str]]
    target: str | None


def find_rows(kept: KeptRun) -> HoldoutRows | None:
    """Return the rows a run's predictions are on; None where one of them is not kept as it was logged under its name."""
    holdout = next((table for table in kept.tables if table.fact.role == "holdout"), None)
    columns = read_holdout(kept)
    if holdout is None or columns is None:
        return None
    genuine = find_genuine(holdout, columns)
    places = {name: place for place, name in enumerate(holdout.row_ids) if place in genuine}
    order = [places[name] for name in kept.predictions.rows if name in places]
    if len(order) < len(kept.predictions.rows):
        return None
    target = find_target(holdout, columns, read_features(kept) or ())
    return HoldoutRows({name: [texts[place] for place in order] for name, texts in columns.items()}, target)


def spell_rows(rows: HoldoutRows) -> bytes:
    """Return rows as a file of Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: pa.array(texts, pa.string()) for name, texts in rows.columns.items()})
    said = {_SAID: canonical_json({"format": FORMAT, "target": rows.target})}
    written = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(said), written)
    return bytes(written.getvalue())


def parse_rows(content: bytes) -> HoldoutRows:
    """Read rows back from what `spell_rows` wrote; raises Refused for anything else."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read()
        said = strict_json((table.schema.metadata or {})[_SAID])
        if set(said) != {"format", "target"} or said["format"] != FORMAT:
            raise ValueError("it says other things about itself than expected")
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError) as exc:
        why = " ".join(str(exc).split())
        raise Refused("The rows of the holdout cannot be read.", why=why, next_step="Nominate the run again.") from exc
    return HoldoutRows({name: table.column(name).to_pylist() for name in table.schema.names}, said["target"])
