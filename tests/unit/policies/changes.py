"""The standard policy with something changed, and why it is refused."""

from __future__ import annotations

from copy import deepcopy

import pytest
import yaml

from tests.unit.policies.builders import build_policy_bytes, read_policy
from workbench.errors import UsageError

STANDARD = yaml.safe_load(build_policy_bytes())


def changed(*path, to):
    document = deepcopy(STANDARD)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return document


def without(*path):
    document = deepcopy(STANDARD)
    place = document
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return document


def refusal(document):
    content = document if isinstance(document, bytes) else yaml.safe_dump(document).encode()
    with pytest.raises(UsageError) as caught:
        read_policy(content)
    return caught.value.reasons
