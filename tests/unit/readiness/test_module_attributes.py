"""What a module is asked for by a dot is missing only where that is certain."""

from __future__ import annotations

import pytest

from tests.unit.readiness.builders import find_here, places


@pytest.mark.parametrize(
    "source",
    [
        "import numpy\nfrom numpy import array as a\na([1], dtype=numpy.float)",
        "import pandas as pd\npd.datetime.now()",
        "import sklearn.metrics\nsklearn.metrics.jaccard_similarity_score([1], [1])",
    ],
)
def test_what_a_module_does_not_have_is_missing(tmp_path, source):
    assert places(find_here(tmp_path, source), "missing_name") == [(1, source.count("\n") + 1)]


@pytest.mark.parametrize(
    "source",
    [
        "np.inf, np.random.rand, np.linalg.norm, np.bool, np.__version__, np.ma.masked",
        "np.float = float\nnp.float(1)",
        "setattr(np, 'infty', 1)\nnp.infty",
        "np = load()\nnp.infty",
        "def load(np):\n    return np.infty",
        "if hasattr(np, 'infty'):\n    np.infty",
        "hasattr(np, 'infty') and np.infty",
        "try:\n    np.infty\nexcept AttributeError:\n    pass",
        "import scipy.stats as st\nst.norm, st.no_such_distribution",
        "import datetime as dt\ndt.no_such_time",
        "np.inf.no_such_attribute_of_a_number",
    ],
)  # fmt: skip
def test_what_may_be_there_or_is_never_asked_is_not_missing(tmp_path, source):
    code = f"import numpy as np\n{source}"
    assert [each for each in find_here(tmp_path, code) if each.kind == "missing_name"] == []
