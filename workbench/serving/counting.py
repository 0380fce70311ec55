"""Counting: how many requests were answered, with which status and how long that took, as BentoML's `/metrics` shows them."""

from __future__ import annotations

from collections.abc import Callable

_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


def make_observer() -> Callable[[int, float], None]:
    """Return what counts an answer by its status and seconds; a process makes one, once its metrics have a folder."""
    from prometheus_client import Histogram

    seconds = Histogram("workbench_request_seconds", "How long an answer took.", ["status"], buckets=_BUCKETS_S)
    by_status: dict[int, Callable[[float], None]] = {}

    def observe(status: int, took_s: float) -> None:
        if (count := by_status.get(status)) is None:
            count = by_status[status] = seconds.labels(str(status)).observe
        count(took_s)

    return observe
