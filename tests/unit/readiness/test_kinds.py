"""What is looked for is found where it stands, and nothing is where it is well."""

from __future__ import annotations

import pytest

from tests.conftest import NOTEBOOKS
from tests.soak.silent_failures import CORPUS, FINISHED
from tests.unit.readiness.builders import IMPORTS, SEED, WHOLE, code, find, find_here, kinds, places
from workbench.config import Settings
from workbench.models.reviewed_types import FAMILIES
from workbench.readiness.checking import check_file
from workbench.readiness.hindrance import Effect, Readiness, headline
from workbench.readiness.kinds import KINDS
from workbench.readiness.surroundings import Refusal, Surroundings

LOADS_PANDAS = "import pandas as pd\n"
ADA = "/" + "home/ada"
NOTHING = {
    "a variable called input": "def input(text):\n    return text\n\ninput('x')",
    "a method called input": "frame.input()",
    "a magic in a text": "'''\n%debug\n!pip install x\n'''",
    "a comment": "# !pip install x",
    "pip that only lists": "!pip list\n%pip freeze",
    "a picture in the notebook": "%matplotlib inline\nimport matplotlib\nmatplotlib.use('Agg')",
    "an import that may fail": "try:\n    import no_such_module\nexcept ImportError:\n    pass",
    "an import under a condition": "if False:\n    import no_such_module",
    "an import that is suppressed": "from contextlib import suppress\nwith suppress(ImportError):\n    import no_such_module",
    "a lazy name of a package": "from importlib import metadata\nimport os.path\nimport xml.etree.ElementTree",
    "a parameter's place": code(f"folder: str = '{ADA}/data'", tags=("parameters",)),
    "a route": f"import requests\nrequests.get(base + '/data/rows')\nprint('{ADA} is not used')",
    "a text with a slash": "separator = '/'\nratio = 'a/b'\nurl = 'https://example.org/data/x'",
    "a seeded state": "import numpy as np\nfrom sklearn.ensemble import IsolationForest\nnp.random.seed(0)\nIsolationForest()",
    "a seeded draw": "import numpy as np\nrng = np.random.default_rng(seed)\nrng.normal()",
    "what draws nothing": "from sklearn.linear_model import LogisticRegression, Ridge\nLogisticRegression()\nRidge()",
    "folds in their order": "from sklearn.model_selection import KFold\nKFold(5)",
    "a split that is not shuffled": "from sklearn.model_selection import train_test_split\ntrain_test_split(x, shuffle=False)",
    "a mixture's sample": "from sklearn.mixture import GaussianMixture\ng = GaussianMixture(random_state=0)\ng.sample(6)",
    "arguments nobody knows": "from sklearn.ensemble import RandomForestClassifier\nRandomForestClassifier(**given)",
    "a seed": "from sklearn.ensemble import RandomForestClassifier as F\nF(random_state=1)",
    "what it wrote before": f"{LOADS_PANDAS}t.to_csv('new.csv')\npd.read_csv('new.csv')",
    "what NumPy completes": "import numpy as np\nnp.save('new', x)\nnp.load('new.npy')",
    "a file it opens to write": "open('new.txt', 'w').write('x')",
    "what a program may have made": f"{LOADS_PANDAS}!make data\npd.read_csv('new.csv')",
    "a module it writes": code("%%writefile helper_of_mine.py\nx = 1"),
    "a result of each run": "import workbench as wb\nt.to_csv(f'r-{seed}.csv')\nt.to_csv(wb.folder / 'r.csv')",
    "a result under a name that is set": "name = f'r-{seed}.csv'\nt.to_csv(name)",
    "a result that is kept": "import workbench as wb\nt.to_csv('r.csv')\nwb.log_file('r.csv')",
    "some rows": f"{LOADS_PANDAS}pd.set_option('display.max_rows', 50)\nprint(t.head().to_string())",
    "an address of this machine": f"{LOADS_PANDAS}pd.read_csv('http://localhost:8000/x.csv')",
    "a style": "import matplotlib.pyplot as plt\nplt.style.use('ggplot')\nplt.style.use(['default', './my.mplstyle', mine])",
    "an extension of IPython": "%load_ext autoreload\n%autoreload 2",
    "reading time": "import time\nfrom datetime import datetime\ndatetime.now(), time.time()",
}  # fmt: skip


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_is_found_where_nothing_is_in_the_way(tmp_path, name):
    assert find_here(tmp_path, NOTHING[name]) == []


FOUND = {
    "waits_for_somebody": [
        "input('Which?')",
        "from getpass import getpass\ngetpass()",
        "import pdb\npdb.set_trace()",
        "%pdb on",
        "%%capture\nx = input()",
    ],
    "not_python": ["x =", "return 1", "print 'x'"],
    "skipped_cell": [code("x", tags=("skip-execution",))],
    "installs": [
        "!pip install seaborn",
        "%pip install -q -U seaborn",
        "%conda install seaborn",
        "pip install seaborn",
        "%%bash\ncd /tmp\npip3 install seaborn",
        "import sys\n!{sys.executable} -m pip install seaborn",
        "!apt-get -y install graphviz",
        "!uv pip install seaborn",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pip', 'install', 'x'])",
    ],
    "needs_a_screen": [
        "%matplotlib notebook",
        "%matplotlib widget",
        "%matplotlib qt5",
        "%matplotlib tk",
        "import matplotlib\nmatplotlib.use('TkAgg')",
    ],
    "missing_module": [
        "import no_such_module",
        "from no_such_module.inner import x",
        "%load_ext no_such_module",
        "def f():\n    import no_such_module",
        "import sklearn\nimport google.no_such_part",
    ],
    "missing_name": [
        "from sklearn.cross_validation import KFold",
        "from sklearn.metrics import plot_confusion_matrix",
        "import sklearn.externals.joblib",
        "import matplotlib.pyplot as plt\nplt.style.use('seaborn-whitegrid')",
        "from matplotlib import style\nstyle.use(['ggplot', 'seaborn-whitegrid'])",
        "import numpy as np\nlargest = np.infty",
        "from numpy import infty",
    ],
    "missing_file": [
        f"{LOADS_PANDAS}pd.read_csv('no_such.csv')",
        f"{LOADS_PANDAS}name = 'no_such.csv'\npd.read_csv(f'data/{{name}}')",
        "from pathlib import Path\n(Path('data') / 'no_such.json').read_text()",
        "with open('no_such.txt') as lines:\n    pass",
        "import joblib\njoblib.load('no_such.joblib')",
    ],
    "fixed_place": [
        f"{LOADS_PANDAS}pd.read_csv(f'{ADA}/{{name}}.csv')",
        "root = '/Users' '/ada/churn/'",
        "from pathlib import Path\nPath('~/churn/x.csv').expanduser()",
        r"open(r'C:\data\x.csv', 'w')",
        "folders = ['/mnt/rows/a', 'b']",
        "x.to_csv('/content/drive/x.csv')",
    ],
    "left_from_debugging": ["breakpoint()", "%debug", "%%debug\nx = 1"],
    "changes_folder": ["import os\nos.chdir('..')", "%cd data", "cd data"],
    "overwritten_file": [
        "table.to_csv('result.csv')",
        "import matplotlib.pyplot as plt\nplt.savefig('plots/roc.png')",
        "import joblib\nfrom pathlib import Path\nout = Path('models')\njoblib.dump(model, out / 'best.joblib')",
    ],
    "reads_network": [
        f"{LOADS_PANDAS}url = 'https://example.org/x.csv'\npd.read_csv(url)",
        f"{LOADS_PANDAS}url = 'https://example.org/x.csv'\nurl = url + '?y'\npd.read_csv(url)",
        f"{LOADS_PANDAS}root = 'https://example.org/'\nroot = 'https://example.org/'\npd.read_csv(root + 'x.csv')",
        "from sklearn.datasets import fetch_openml\nfetch_openml('mnist_784')",
        "import requests\nrequests.get('https://example.org')",
        "!wget https://example.org/x.csv",
    ],
    "no_seed": [
        "from sklearn.model_selection import train_test_split\ntrain_test_split(x)",
        "from sklearn.ensemble import RandomForestClassifier\nRandomForestClassifier(200)",
        "from sklearn import ensemble\nensemble.GradientBoostingRegressor(random_state=None)",
        "from sklearn.model_selection import KFold\nKFold(5, shuffle=True)",
        "from sklearn.linear_model import LogisticRegression\nLogisticRegression(solver='saga')",
        "import numpy as np\nnp.random.normal(size=3)",
        "import numpy as np\nnp.random.default_rng()",
        "import random\nrandom.shuffle(x)",
        "table.sample(frac=1)",
        "table.sample(100)",
    ],
    "shows_every_row": [
        f"{LOADS_PANDAS}pd.set_option('display.max_rows', None)",
        f"{LOADS_PANDAS}pd.options.display.max_rows = 100_000",
        "print(table.to_string())",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "source"), [(kind, source) for kind, sources in FOUND.items() for source in sources])
def test_it_is_found_at_its_last_line_and_alone(tmp_path, kind, source):
    found = find_here(tmp_path, "x = 1", source)
    assert {each.kind for each in found} <= {kind, *ALONG.get(kind, ())}
    (place,) = set(places(found, kind)[-1:])
    text = source if isinstance(source, str) else source["source"]
    assert place[0] in (2, None)
    assert place[1] in range(1, text.count("\n") + 2)
    assert all(each.what and each.advice for each in found)


# What is true as well: a file at a place of somebody's own is not there, or the same for all runs.
ALONG = {"fixed_place": ["missing_file", "overwritten_file"]}


def test_a_cell_that_may_fail_stops_nothing():
    assert find(code("input()\nx =", tags=("raises-exception",))) == []


def test_a_file_and_a_module_beside_the_notebook_are_there(tmp_path):
    (tmp_path / "rows.csv").write_text("a\n1\n", encoding="utf-8")
    (tmp_path / "helper_of_mine.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    (tmp_path / "package_of_mine").mkdir()
    (tmp_path / "package_of_mine" / "part.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    sources = ("import helper_of_mine, package_of_mine.part", f"{LOADS_PANDAS}pd.read_csv('rows.csv')")
    assert find_here(tmp_path, *sources) == []


def test_nothing_stops_what_is_known_to_finish(tmp_path):
    finishing = {case.name for case in CORPUS if case.verdict == FINISHED}
    found = {
        name: [
            each.kind
            for each in check_file(NOTEBOOKS / f"{name}.ipynb", Settings(tmp_path)).hindrances
            if each.effect is Effect.STOPS
        ]
        for name in finishing
    }
    assert {name: stops for name, stops in found.items() if stops} == {}
    assert len(finishing) > 10


def test_nothing_is_imported_to_look_for_a_module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "explodes_when_imported"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    (package / "inner.py").write_text("name = 1\n", encoding="utf-8")
    source = "from explodes_when_imported.inner import name, other\nimport explodes_when_imported.gone"
    assert places(find_here(tmp_path / "elsewhere", source), "missing_name") == [(1, 1), (1, 2)]


def test_where_modules_are_looked_for_elsewhere_nothing_is_claimed(tmp_path):
    assert find_here(tmp_path, "import sys\nsys.path.insert(0, '../src')\nimport no_such_module") == []


def test_what_the_workbench_would_refuse_is_told_with_its_own_words():
    (found,) = find("x = 1", around=Surroundings(refusals=(Refusal("No kernel.", "Pick one."),)))
    assert (found.kind, found.effect, found.what, found.advice, found.cell) == (
        "unusable",
        Effect.STOPS,
        "No kernel.",
        "Pick one.",
        None,
    )


def test_outputs_that_are_more_than_a_run_may_show_are_told():
    cells = (code("x", shown="a" * 900), code("y", shown="b" * 2000))
    assert places(find(*cells, around=Surroundings(output_bytes=2500)), "outputs_too_large") == [(2, 1)]
    assert find(*cells, around=Surroundings(output_bytes=5000)) == []


# Up to a release


def test_a_notebook_that_logs_everything_is_ready():
    assert find(IMPORTS, "model = make_pipeline(LogisticRegression()).fit(x, y)", WHOLE) == []


def test_who_only_explores_is_told_nothing_about_nominating():
    assert find("import pandas as pd", "pd.DataFrame().describe()", "wb.log_metrics({})") == []


@pytest.mark.parametrize(
    ("line", "kind"),
    list(zip(WHOLE.splitlines(), ["no_train", "no_holdout", "no_predictions", "no_model"], strict=True)),
)  # fmt: skip
def test_each_call_that_is_missing_is_told_alone(line, kind):
    (found,) = find(IMPORTS, "model = LogisticRegression().fit(x, y)", WHOLE.replace(line, "pass"))
    assert (found.kind, found.effect, found.cell) == (kind, Effect.BARS, None)


def test_a_holdout_without_a_target_is_told_where_it_is_logged():
    (found,) = find(IMPORTS, WHOLE.replace(', target="y"', ""))
    assert (found.kind, found.cell, found.line) == ("no_holdout", 2, 2)


def test_a_model_that_only_mlflow_logged_is_told_where_that_is():
    without = WHOLE.replace(
        "wb.log_model(model, holdout[features])", "import mlflow\nmlflow.sklearn.log_model(model, 'm')"
    )
    assert places(find(IMPORTS, without), "no_model") == [(2, 5)]
    assert places(find(IMPORTS, without.replace("sklearn.log_model(model, 'm')", "autolog()")), "no_model") == [(2, 5)]


def test_without_parameters_what_looks_like_one_is_named():
    (found,) = find(
        "SEED = 0\ncount = 0", "rate = 0.1\nrows = load()", "count += 1\nfor i in rows:\n    best = 0", parameters=()
    )
    assert found.kind == "no_parameters"
    assert "`SEED = 0` (cell 1), `rate = 0.1` (cell 2)" in found.advice
    assert "count" not in found.advice
    assert "best" not in found.advice
    assert "`seed: int = 0`" in find("import seed\nseed = 3\nrows = load()", parameters=())[0].advice


@pytest.mark.parametrize(
    "model",
    [
        "make_pipeline(FunctionTransformer(lambda x: x), LogisticRegression())",
        "make_pipeline(FunctionTransformer(func=squares), LogisticRegression())",
        "make_pipeline(Squares(), LogisticRegression())",
        "steps[0]",
        "make(Squares())",
        "made()",
        "GridSearchCV(make_pipeline(Squares()), {}).fit(x, y).best_estimator_",
    ],
)
def test_what_the_notebook_defines_is_found_in_its_model(model):
    own = """from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import FunctionTransformer
class Squares(BaseEstimator):
    pass
def squares(x):
    return x
steps = [Squares()]
def made():
    inner = make_pipeline(Squares())
    return inner
def make(part):
    return make_pipeline(part)
"""
    found = find(IMPORTS, own, f"model = {model}\nmodel.fit(x, y)", WHOLE)
    if model.startswith("make(S"):
        assert found == []  # what is given to a function of one's own may end up anywhere
        return
    assert kinds(found) == {"own_code"}
    assert "A .py file" in found[0].advice or ".py file beside the notebook" in found[0].advice


@pytest.mark.parametrize(
    "model",
    [
        "GridSearchCV(LogisticRegression(), {}, scoring=lambda m, x, y: 1.0).fit(x, y).best_estimator_",
        "search.best_estimator_",
        "fit(LogisticRegression())",
        "make_pipeline(FunctionTransformer(np.log1p), LogisticRegression())",
    ],
)
def test_what_is_not_in_the_model_is_not_told(model):
    others = """from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import FunctionTransformer
def score(m, x, y):
    return 1.0
def fit(model):
    return model.fit(x, y)
search = GridSearchCV(LogisticRegression(), {}, scoring=score)
search.fit(x, y)
"""
    assert find(IMPORTS, others, f"model = {model}", WHOLE) == []


def test_types_that_nobody_reviewed_are_told_with_what_to_write_instead():
    source = "from sklearn.cluster import DBSCAN\nmodel = DBSCAN()\nmodel.fit(x)"
    (found,) = find(IMPORTS, source, WHOLE)
    assert (found.kind, found.cell, found.line) == ("unreviewed_type", 2, 2)
    assert "KMeans" in found.advice


def test_of_a_package_that_nobody_reviewed_one_type_is_told():
    source = "from pygam import GAM, Term\nmodel = make_pipeline(GAM(Term(1)), Term(2))"
    (found,) = find(IMPORTS, source, WHOLE)
    assert (found.kind, "pygam" in found.what) == ("unreviewed_type", True)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_reviewed_type_is_taken_from_where_it_is_imported(family):
    names = [name for name in (*family.estimators, *family.stands_for) if name.rpartition(".")[2][0].isupper()]
    public = {
        f"{name.partition('.')[0]}.{name.split('.')[1]}": name.rpartition(".")[2]
        for name in names
        if name.count(".") > 1
    }
    for package, name in public.items():
        source = f"from {package} import {name} as It\nmodel = It()"
        assert kinds(find(IMPORTS, source, WHOLE)) <= {"no_seed"}


# A file that is read


@pytest.mark.parametrize(
    "source",
    [
        "table = pd.read_csv('rows.csv')\ntrain, holdout = split(table)",
        "def load():\n    return pd.read_csv('rows.csv')\ntrain = holdout = load()",
        "frames = []\nframes.append(pd.read_csv('rows.csv'))\ntrain = holdout = pd.concat(frames)",
        "with open('rows.csv') as lines:\n    rows = list(lines)\ntrain = holdout = pd.DataFrame(rows)",
        "train = holdout = x\nholdout['y'] = pd.read_csv('rows.csv')['y']",
    ],
)
def test_a_file_that_a_logged_table_was_made_of_is_declared(source):
    assert find(IMPORTS, source, "model = LogisticRegression()", WHOLE) == []


def test_a_file_that_no_logged_table_was_made_of_is_told():
    source = "train = holdout = pd.read_csv('rows.csv')\nextra = pd.read_parquet('extra.parquet')"
    found = find(IMPORTS, source, "settings = open('settings.yaml').read()", "model = LogisticRegression()", WHOLE)
    assert places(found, "undeclared_file") == [(2, 2)] == [(each.cell, each.line) for each in found]
    assert "extra.parquet" in found[0].what


# What is said


def test_the_sentence_counts_what_there_is_to_mend():
    cells = ("input()", "input()\nimport os\nos.chdir('a')")
    found = tuple(find(*cells))
    said = headline(Readiness("n.ipynb", 2, found))
    assert said == "n.ipynb will not run unattended: 1 thing stops it, 1 thing may come out otherwise."
    assert headline(Readiness("n.ipynb", 2, found[2:])) == (
        "Nothing was found that stops n.ipynb unattended; 1 thing may come out otherwise."
    )
    assert headline(Readiness("n.ipynb", 2, ())).startswith("Nothing was found against n.ipynb")


def test_every_kind_is_found_in_some_test():
    elsewhere = {
        "unusable", "outputs_too_large", "no_parameters", "no_holdout", "no_train", "no_predictions", "no_model", "own_code",
        "unreviewed_type", "undeclared_file",
    }  # fmt: skip
    assert set(KINDS) == {*FOUND, *elsewhere}
    assert SEED.name == "seed"
