"""Failures: what a run failed of that has a known way out, said by that way and not by pages of another library."""

from __future__ import annotations

import re
from collections.abc import Mapping

# By how a library begins to say it, up to the line of the notebook: what to write instead.
_WAYS_OUT: Mapping[str, str] = {
    r"If you are sure loading these types is safe, set the 'skops_trusted_types' parameter": (
        "Use `wb.log_model(model, features)` instead of MLflow's: it knows which types were reviewed. What MLflow says stands in "
        "the report."
    ),
}
_LINE = r"(?= \(line \d+: |\Z)"


def advise_on_failure(failure: str | None) -> str | None:
    """Return why a run failed with the way out where one is known; any other failure as it is."""
    for begin, way_out in _WAYS_OUT.items():
        failure = failure and re.sub(rf"{begin}.*?{_LINE}", way_out, failure, count=1, flags=re.DOTALL)
    return failure
