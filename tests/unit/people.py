"""Who ran, answers and signs, and when, in all records that are built here."""

from __future__ import annotations

RUN_ID = "3f9a1c27d05b"


CHAMPION_RUN_ID = "b07d5e10a4c8"


AUTHOR = "ada@example.org"


VALIDATOR = "vera@example.org"


OWNER = "otto@example.org"


ENDED = "2026-11-20T09:12:31+00:00"


ISSUED = "2026-11-20T10:00:00+00:00"


NOW = "2026-11-21T08:30:00+00:00"


EXPIRES = "2027-05-19T10:00:00+00:00"
