"""Texts of boosters with one place changed, which must be refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.booster_files import make_text, read_file
from workbench.errors import Refused

Change = Callable[[Any], None]


def refuse(name: str, text: str) -> Refused:
    with pytest.raises(Refused) as caught:
        _ = make_text(name, text).booster
    return caught.value


def changed_json(name: str, change: Change) -> str:
    document = json.loads(read_file(name)["text"])
    change(document)
    return json.dumps(document)
