"""Two runs held against each other: what differs comes first, what nobody can tell is never the same, nothing is hidden."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.contract.stores import build_run
from tests.unit.cli.printing import printed
from tests.unit.comparisons.sides import build_difference, build_notebook, build_pair, build_predictions, build_side
from workbench.cli.diffed_runs import print_difference
from workbench.cli.terminal import to_plain
from workbench.comparisons.difference.code import compare_code
from workbench.comparisons.difference.environment import compare_environments
from workbench.comparisons.difference.metrics import compare_metrics
from workbench.comparisons.difference.model import compare_models
from workbench.comparisons.difference.outputs import LONGEST_NORMALISED, compare_outputs
from workbench.comparisons.difference.pair import Pair
from workbench.comparisons.difference.parameters import compare_parameters
from workbench.comparisons.difference.part import Likeness
from workbench.comparisons.difference.predictions import compare_predictions
from workbench.comparisons.difference.reading import LARGEST_BYTES, read_sides
from workbench.comparisons.difference.run_difference import PARTS, find_difference
from workbench.comparisons.difference.shared_rows import ONE_HOLDOUT
from workbench.comparisons.difference.source import compare_sources
from workbench.records.digest import sha256_hex
from workbench.runs.folder import JOURNAL, MODEL, NOTEBOOK, PREDICTIONS
from workbench.runs.run import RunState

FOLDER = Path(__file__).parents[3] / "workbench" / "comparisons" / "difference"
MACHINERY = {
    "example_rows",
    "matched_holdouts",
    "shared_rows",
    "pair",
    "part",
    "run_difference",
    "reading",
    "diffing",
    "line_diff",
    "cell_pairs",
    "shift",
}


def pair_of(before: dict, after: dict) -> Pair:
    return Pair(build_side("a" * 12, **before), build_side("b" * 12, **after), shared=ONE_HOLDOUT)


def shown(text: str, name: str = "stdout") -> list[dict]:
    return [{"output_type": "stream", "name": name, "text": text}]


def test_every_part_is_a_file_and_a_line_of_the_table():
    assert {path.stem for path in FOLDER.glob("[!_]*.py")} - MACHINERY == set(PARTS)


def test_what_differs_comes_first_then_what_nobody_knows_each_by_consequence():
    difference = build_difference()
    order = [(list(Likeness).index(part.likeness), list(PARTS).index(part.name)) for part in difference.parts]
    assert order == sorted(order)
    assert {part.name for part in difference.parts} == set(PARTS)
    assert [part.name for part in difference.parts if part.likeness is Likeness.SAME] == ["data", "code"]
    assert difference.headline.startswith("Run bbbbbbbbbbbb is better than run aaaaaaaaaaaa on roc_auc: +")
    assert "They differ in parameter depth (3 → 8), 2 cells and numpy (2.4.5 → 2.4.6)." in difference.headline


def test_two_runs_of_which_nothing_is_recorded_are_not_said_to_be_the_same():
    bare = {"run": {"provenance": {}}, "record": {"local_files": None}}
    found = find_difference(replace(pair_of(bare, bare), unpaired="Run a stored no predictions."))
    likeness = {part.name: part.likeness for part in found.parts}
    same = {
        "parameters",
        "source",
        "model",
    }  # of these is known that there is none, and by the digest that it is one notebook
    assert {name for name, each in likeness.items() if each is Likeness.SAME} == same
    assert {name for name, each in likeness.items() if each is Likeness.UNKNOWN} == set(PARTS) - same
    assert found.headline.endswith("Not known: data, code and environment.")


def test_a_value_of_another_type_is_another_value():
    part = compare_parameters(
        pair_of({"run": {"parameters": {"n": 1, "x": None}}}, {"run": {"parameters": {"n": True}}})
    )
    assert [(row["parameter"], row["A"], row["B"]) for row in part.tables[0].rows] == [
        ("n", "1", "true"),
        ("x", "none", "not there"),
    ]
    alike = compare_parameters(pair_of({"run": {"parameters": {"n": "1"}}}, {"run": {"parameters": {"n": 1}}}))
    assert alike.tables[0].rows == ({"parameter": "n", "A": "1 (str)", "B": "1 (int)"},)


def test_cells_are_moved_changed_added_and_removed():
    before = build_notebook("import a", "x = load('one.csv')\nclean(x)", "train(x)", "show(x)", "gone()")
    after = build_notebook("show(x)", "import a", "x = load('two.csv')\nclean(x)", "train(x)", "wholly_new = 1")
    part = compare_sources(build_pair(before, after))
    assert [(row["what"], row["A"], row["B"]) for row in part.tables[0].rows] == [
        ("moved", "cell 4", "cell 1"),
        ("changed", "cell 2", "cell 3"),
        ("added", None, "cell 5"),
        ("removed", "cell 5", None),
    ]
    assert part.excerpts[0].lines == ("-x = load('one.csv')", "+x = load('two.csv')", " clean(x)")
    assert part.upshot == "4 cells"


def test_injected_parameters_are_no_cell_and_a_notebook_that_is_gone_is_still_another_one():
    injected = {
        "cell_type": "code",
        "metadata": {"tags": ["injected-parameters"]},
        "source": "depth = 8",
        "outputs": [],
    }
    before = build_notebook("import a")
    pair = build_pair(before, {"cells": [*before["cells"], injected]})
    assert compare_sources(pair).tables == ()
    gone = compare_sources(replace(pair, b=replace(pair.b, notebook=None, faults={NOTEBOOK: "It is gone."})))
    assert (gone.likeness, gone.unknown) == (Likeness.DIFFERENT, ("It is gone.",))


def test_outputs_follow_their_cell_and_what_every_execution_has_its_own_of_is_no_difference():
    before = build_notebook(("a = 1", shown("<Model at 0x7f00aa11bb22>")), ("b = 2", shown("loss 0.4\nloss 0.3")))
    after = build_notebook(("b = 2", shown("loss 0.4\nloss 0.2")), ("a = 1", shown("<Model at 0x7f99cc11bb22>")))
    part = compare_outputs(build_pair(before, after))
    assert part.says == "1 of 2 outputs differs."
    assert part.excerpts[0].title == "cell 2 → 1 stdout"
    assert part.excerpts[0].lines == (" loss 0.4", "-loss 0.3", "+loss 0.2")


def test_of_megabytes_a_short_excerpt_is_shown_and_that_it_was_cut_is_said():
    lines = [f"step {number}: {number / 7:.6f}" for number in range(100_000)]
    texts = "\n".join(lines), "\n".join([*lines[:90_000], "another", *lines[90_000:]])
    pictures = [{"output_type": "display_data", "data": {"image/png": letter * 2_000_000}} for letter in "AB"]
    before, after = (
        build_notebook(("a = 1", [*shown(text), each])) for text, each in zip(texts, pictures, strict=True)
    )
    part = compare_outputs(build_pair(before, after))
    assert "+another" in part.excerpts[0].lines
    assert sum(map(len, part.excerpts[0].lines)) < 10_000
    assert part.excerpts[0].cut.startswith("looked at are 4,000 characters from where they first differ, of ")
    assert part.unknown[0].startswith("1 text is too long to be looked through")
    assert len(json.dumps(to_plain(part))) < 20_000
    assert max(map(len, texts)) > LONGEST_NORMALISED


def test_what_is_no_output_breaks_nothing():
    odd = [None, "text", {}, {"output_type": "stream", "text": None}, {"output_type": "display_data", "data": "none"}]
    part = compare_outputs(build_pair(build_notebook(("a = 1", odd)), build_notebook(("a = 1", shown("1")))))
    assert part.likeness is Likeness.DIFFERENT


def test_rows_that_changed_side_are_counted_and_the_largest_changes_come_first():
    before, after = (
        build_predictions([0.9, 0.2, 0.6, 0.4], [1, 0, 0, 1]),
        build_predictions([0.8, 0.9, 0.1, 0.4], [1, 0, 0, 1]),
    )
    part = compare_predictions(pair_of({"predictions": before}, {"predictions": after}))
    assert part.says == "2 of 4 rows changed side (1 became right, 1 wrong); 3 have another score."
    turned, moved = part.tables
    assert [(row["row"], row["truth"], row["A"], row["B"]) for row in turned.rows] == [
        ("1", "0", "0", "1"),
        ("2", "0", "1", "0"),
    ]
    assert [(row["row"], row["score A"], row["score B"]) for row in moved.rows] == [("0", 0.9, 0.8)]


def test_rows_of_another_truth_are_left_out_and_another_task_is_said():
    before = build_predictions([0.9, 0.2, 0.6], [1, 0, 0])
    part = compare_predictions(
        pair_of({"predictions": before}, {"predictions": build_predictions([0.9, 0.2, 0.6], [1, 0, 1])})
    )
    assert "1 row that one run alone predicted, or of another truth, is left out." in part.unknown
    numbers = build_predictions([2.5, 1.0, 3.0], [2, 1, 3], task="regression")
    other = compare_predictions(pair_of({"predictions": before}, {"predictions": numbers}))
    assert (other.likeness, other.says[:11]) == (Likeness.DIFFERENT, "Other tasks")
    moved = compare_predictions(
        pair_of({"predictions": numbers}, {"predictions": replace(numbers, score=np.array([2.0, 1.0, 5.0]))})
    )
    assert moved.says.startswith("2 of 3 rows are predicted otherwise, by 1.25 on average: 1 are nearer")
    assert [row["row"] for row in moved.tables[0].rows] == ["2", "0"]


def test_a_metric_that_is_no_number_is_told_as_what_it_is():
    metrics = [{"loss": math.nan, "auc": math.inf, "f1": 0.5}, {"loss": math.nan, "auc": 0.7}]
    part = compare_metrics(replace(pair_of(*({"record": {"metrics": each}} for each in metrics)), unpaired="Why."))
    assert [(row["metric"], row["A"], row["B"], row["B \N{MINUS SIGN} A"]) for row in part.tables[0].rows] == [
        ("auc", "∞", 0.7, None),
        ("f1", 0.5, None, None),
    ]
    assert part.says == "2 logged metrics differ; 1 is the same."
    assert part.unknown == ("By how much one is better is not known. Why.",)


def test_packages_that_no_run_names_are_not_said_to_be_the_same():
    provenance = {"packages": {"numpy": "2.4.5"}, "packages_digest": "a" * 64, "python": "3.11.7"}
    part = compare_environments(
        pair_of(
            {"run": {"provenance": provenance}}, {"run": {"provenance": {**provenance, "packages_digest": "b" * 64}}}
        )
    )
    assert (part.likeness, part.upshot) == (Likeness.DIFFERENT, "packages")
    assert part.unknown == ("Packages differ beside the 1 that a run names; which was not recorded.",)
    same = compare_environments(pair_of(*[{"run": {"provenance": provenance}}] * 2))
    assert same.likeness is Likeness.SAME


def module_of(text: str) -> tuple[dict, bytes]:
    digest = sha256_hex(text.encode())
    lines = [{"begin": "1"}, {"code": "features.py", "digest": digest, "source": text}]
    fact = {
        "modules": [{"path": "features.py", "digest": digest, "standing": "committed"}],
        "reads": [],
        "more_read": 0,
    }
    return {**fact, "is_complete": True, "unseen": []}, b"\n".join(json.dumps(line).encode() for line in lines)


def test_modules_show_the_lines_that_differ_where_their_text_was_kept():
    (before, ours), (after, theirs) = module_of("A = 1\nB = 2\n"), module_of("A = 1\nB = 3\n")
    sides = [
        {"record": {"local_files": fact}, "files": {JOURNAL: text}} for fact, text in ((before, ours), (after, theirs))
    ]
    part = compare_code(pair_of(*sides))
    assert part.excerpts[0].lines == (" A = 1", "-B = 2", "+B = 3")
    lost = compare_code(pair_of(sides[0], {**sides[1], "files": {}}))
    assert lost.unknown == ("The lines of features.py are not known: their text was not kept, or was changed since.",)
    untold = compare_code(pair_of(sides[0], {"record": {"local_files": None}}))
    assert untold.likeness is Likeness.DIFFERENT
    assert untold.unknown


def model_of(letter: str, **changes) -> dict:
    return {"record": {"files": {"model/model.skops": letter * 64}}, **changes}


def test_a_model_of_which_nothing_can_be_read_says_so_and_none_at_all_is_the_same():
    part = compare_models(pair_of(model_of("a", faults={MODEL: "It is gone."}), model_of("b")))
    assert (part.likeness, part.says) == (Likeness.DIFFERENT, "It is another one; in what is not known.")
    assert part.unknown[0] == "Run aaaaaaaaaaaa: It is gone."
    assert part.unknown[1].startswith("Run bbbbbbbbbbbb: It is no file of an estimator (skops)")
    assert compare_models(pair_of({}, {})).likeness is Likeness.SAME
    alike = [
        {"record": {"files": {"model/model.skops": "c" * 64, "model/contract.json": letter * 64}}} for letter in "ab"
    ]
    beside = compare_models(pair_of(*alike))
    assert (beside.says[:37], beside.unknown) == ("Its estimator is the same to the byte", ())
    failed = {"run": {"state": RunState.FAILED}}
    assert compare_models(pair_of(model_of("a"), failed)).likeness is Likeness.UNKNOWN


def test_settings_of_models_are_told_and_of_one_that_took_another_s_place_those_that_both_have():
    forest = {"Forest.depth": "3", "Forest.seed": "7"}
    deeper = compare_models(
        pair_of(model_of("a", settings=forest), model_of("b", settings=forest | {"Forest.depth": "4"}))
    )
    assert deeper.says == "It is another one: 1 setting differs."
    assert deeper.tables[0].rows == ({"setting": "Forest.depth", "A": "3", "B": "4"},)
    boosted = {"Pipeline.memory": "null", "Boosting.rate": "0.1", "Boosting.seed": "8"}
    other = compare_models(pair_of(model_of("a", settings=forest), model_of("b", settings=boosted)))
    assert other.says == "It is another one: its parts and 1 setting differ."
    assert [tuple(row.values()) for row in other.tables[0].rows] == [
        ("parts", "Forest", "Pipeline, Boosting"),
        ("seed of the last part", "7", "8"),
    ]
    same = compare_models(pair_of(model_of("a", settings=forest), model_of("b", settings=forest)))
    assert same.says == "It is another one: its settings are the same, what it learned is not."


class TestReading:
    """What is not as it was recorded is told, and the rest compared."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / NOTEBOOK).write_text(json.dumps(build_notebook("a = 1") | {"nbformat": 4}), encoding="utf-8")
        return tmp_path

    def read(self, folder: Path, **changes):
        files = (
            {NOTEBOOK: sha256_hex((folder / NOTEBOOK).read_bytes()), PREDICTIONS: "c" * 64}
            if not changes
            else changes.pop("files", {})
        )
        facts = {"state": RunState.FINISHED, "record": {"files": files}, **changes}
        one, other = build_run(**facts), build_run(id="b" * 12, state=RunState.FINISHED)
        return read_sides((one, folder), (other, folder / "nowhere"))[0]

    def test_a_file_that_is_gone_or_was_changed(self, folder: Path):
        side = self.read(folder)
        assert side.notebook is not None
        assert side.explain(PREDICTIONS).endswith("is gone from its folder.")
        changed = self.read(folder, files={NOTEBOOK: "d" * 64})
        assert changed.notebook is None
        assert changed.explain(NOTEBOOK).endswith(
            "cannot be used: it is not the file that was recorded when the run ended."
        )

    def test_a_run_that_did_not_finish_is_read_as_it_lies_there(self, folder: Path):
        assert self.read(folder, state=RunState.FAILED).notebook is not None

    def test_a_link_a_huge_file_and_what_is_no_notebook(self, folder: Path):
        (folder / "predictions.parquet").symlink_to(folder / NOTEBOOK)
        (folder / NOTEBOOK).write_text("no notebook", encoding="utf-8")
        side = self.read(folder, state=RunState.KILLED)
        assert PREDICTIONS in side.faults
        assert "It is not JSON" in side.explain(NOTEBOOK)
        with (folder / NOTEBOOK).open("r+b") as file:
            file.truncate(LARGEST_BYTES + 1)
        assert "up to 67,108,864 are compared" in self.read(folder, state=RunState.KILLED).explain(NOTEBOOK)


def test_the_terminal_says_it_in_eighty_columns_and_hostile_text_is_text(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    difference = build_difference("[red]\x1b[31m<script>")
    text = printed(capsys, print_difference, difference)
    assert "[red]" in text
    assert "\x1b" not in text
    tables = [line for line in text.splitlines() if "──" in line]
    assert tables
    assert max(map(len, tables)) <= 80
