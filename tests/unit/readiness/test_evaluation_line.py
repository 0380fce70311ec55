"""One line of a notebook takes the place of the calls that a nomination asks for."""

from __future__ import annotations

from tests.unit.readiness.builders import IMPORTS, find


def test_who_only_autologs_is_told_one_line_after_which_nothing_stands_in_the_way():
    fits = "import mlflow\nmlflow.autolog()\nmodel = LogisticRegression().fit(x, y)"
    (found,) = [each for each in find(IMPORTS, fits) if each.kind == "no_model"]
    assert "Add wb.log_evaluation(model, holdout, target='...', training=train)." in found.advice
    line = "wb.log_evaluation(model, holdout, target='y', training=train)"
    assert find(IMPORTS, f"{fits}\n{line}") == []
    assert [each.kind for each in find(IMPORTS, f"{fits}\n{line.replace(', training=train', '')}")] == ["no_train"]
