"""Views without a browser: what they show, what they ask for, and that no value becomes markup."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.comparisons.builders import build_champion_comparison, build_compared_run, build_comparison
from tests.unit.evidence.builders import build_evidence, build_identity
from tests.unit.people import CHAMPION_RUN_ID, RUN_ID
from tests.unit.reviews.builders import build_review
from workbench.comparisons.comparison import Comparison, RunComparison, name_run
from workbench.comparisons.elsewhere import OtherHoldout
from workbench.comparisons.verdict import Verdict, decide_verdict
from workbench.drawings.markup import element, join
from workbench.evidence.evidence import Finding, Status
from workbench.reviews.decision import decide
from workbench.reviews.review import GivenApproval, Question, Review
from workbench.runs.written_files import Overwritten
from workbench.stats.interval import Interval
from workbench.widgets.comparison_page import comparison_page
from workbench.widgets.comparison_state import comparison_state
from workbench.widgets.comparison_view import ComparisonView
from workbench.widgets.difference_view import DifferenceView
from workbench.widgets.follow_view import FollowView
from workbench.widgets.interval_chart import JudgedInterval, axis_state, choose_axis, mark_state
from workbench.widgets.review_page import review_page
from workbench.widgets.review_view import ReviewView
from workbench.words.numbers import choose_decimals, format_number, format_signed, format_value, read_time

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">\'"</textarea></style><!--'
MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
AT = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
FINITE = st.floats(-1e6, 1e6, allow_nan=False)


class Tags(HTMLParser):
    """Collects what a browser would build: elements, their attributes, and the text between."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.comments: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def build_runs(*estimates: float, **parameters: list[Any]) -> tuple[Any, ...]:
    """Return runs with these advantages (each ± 0.01) over 0.9, and one value a run of each parameter."""
    runs = []
    for number, estimate in enumerate(estimates):
        interval = Interval(estimate, estimate - 0.01, estimate + 0.01, 0.99)
        runs.append(
            build_compared_run(
                run_id=f"{number:012x}",
                value=0.9 + estimate,
                advantage=interval,
                verdict=decide_verdict(interval, 0.005),
                parameters={name: values[number] for name, values in parameters.items()},
            )
        )
    return tuple(runs)


def build_hostile_review() -> Review:
    identity = build_identity(
        model=HOSTILE, endpoint=HOSTILE, notebook=HOSTILE, authors=(HOSTILE,), parameters={HOSTILE: HOSTILE}
    )
    return build_review(
        evidence=build_evidence(identity=identity),
        policy_name=HOSTILE,
        findings=(Finding(HOSTILE, Status.FAIL, HOSTILE, HOSTILE, HOSTILE),),
        questions=(Question(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        roles={HOSTILE: 1},
        approvals=(GivenApproval(HOSTILE, HOSTILE, HOSTILE, HOSTILE, (HOSTILE,)),),
        decision=decide("promote", HOSTILE, [HOSTILE]),
        reviewed_at=HOSTILE,
    )


def build_hostile_comparison() -> Comparison:
    runs = (build_compared_run(run_id=HOSTILE, parameters={HOSTILE: HOSTILE}), build_compared_run(parameters={}))
    return build_comparison(metric=HOSTILE, holdout_digest=HOSTILE, reference=HOSTILE * 2, runs=runs)


class TestNumbers:
    def test_a_column_shows_four_significant_digits_of_its_largest_value(self) -> None:
        assert choose_decimals([0.93124, 0.5]) == 4
        assert choose_decimals([41.2345]) == 2
        assert choose_decimals([123456.7]) == 0

    def test_a_column_of_nothing_needs_no_decimals(self) -> None:
        assert choose_decimals([None, float("nan"), 0.0]) == 0

    def test_thousands_are_separated_and_minus_is_a_minus(self) -> None:
        assert format_number(-1234567.0, 0) == f"{MINUS}1,234,567"

    def test_what_is_no_number_is_a_dash(self) -> None:
        assert {format_number(value, 2) for value in (None, float("nan"), float("inf"))} == {DASH}

    def test_a_difference_carries_its_sign_and_zero_none(self) -> None:
        assert [format_signed(value, 2) for value in (0.5, -0.5, 0.0, -0.001)] == [
            "+0.50",
            f"{MINUS}0.50",
            "0.00",
            "0.00",
        ]

    def test_a_tiny_difference_is_not_shown_as_zero(self) -> None:
        assert format_signed(3e-9, 6) == f"+3.00e{MINUS}09"

    def test_a_long_value_is_cut_with_an_ellipsis(self) -> None:
        assert format_value("x" * 50, longest=10) == "x" * 9 + "…"

    def test_line_breaks_in_a_value_become_spaces(self) -> None:
        assert format_value("a\n b") == "a b"

    def test_a_time_is_shown_in_utc(self) -> None:
        assert read_time("2026-11-20T11:00:00+01:00") == "20 Nov 2026, 10:00 UTC"

    def test_what_is_no_time_stays_as_it_is(self) -> None:
        assert read_time("yesterday") == "yesterday"

    @given(FINITE, st.integers(0, 6))
    def test_a_shown_number_reads_back_within_its_last_digit(self, value: float, decimals: int) -> None:
        shown = format_number(value, decimals).replace("\N{MINUS SIGN}", "-").replace(",", "")
        assert float(shown) == pytest.approx(value, abs=0.51 * 10.0**-decimals)


class TestMarkup:
    @given(st.text(), st.text())
    def test_no_text_becomes_an_element_or_an_attribute(self, text: str, title: str) -> None:
        found = Tags(element("p", text, title=title).html)
        assert found.tags == ["p"]
        assert [name for name, _ in found.attributes] == ["title"]

    @given(st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])))
    def test_text_reads_back_as_it_was(self, text: str) -> None:
        assert Tags(element("p", text).html).text == text

    def test_elements_nest_and_nothing_is_left_out_but_none(self) -> None:
        assert join("a", None, element("b", "c")).html == "a<b>c</b>"


class TestIntervalChart:
    @given(FINITE, st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.floats(1e-4, 1e3))
    def test_every_part_of_a_chart_lies_inside_it_in_order(
        self, estimate: float, below: float, above: float, margin: float
    ) -> None:
        interval = Interval(estimate, estimate - below, estimate + above, 0.95)
        axis = choose_axis([JudgedInterval(interval, decide_verdict(interval, margin))], margin)
        drawn, mark = axis_state(axis, margin), mark_state(axis, interval)
        assert 0 <= drawn["band"][0] <= drawn["zero"] <= drawn["band"][1] <= 1
        assert 0 <= mark["low"] <= mark["estimate"] <= mark["high"] <= 1
        assert all(0 <= tick["at"] <= 1 for tick in drawn["ticks"])

    def test_one_hopeless_run_does_not_flatten_the_others(self) -> None:
        judged = [JudgedInterval(run.advantage, run.verdict) for run in build_runs(0.02, 0.0, -9.0)]
        axis = choose_axis(judged, 0.005)
        assert axis.high - axis.low < 0.2
        mark = mark_state(axis, judged[-1].interval)
        assert (mark["cut"], mark["shown"], mark["caps"]) == (["left"], False, [])

    def test_ticks_are_round_and_zero_is_among_them(self) -> None:
        axis = choose_axis([JudgedInterval(run.advantage, run.verdict) for run in build_runs(0.02, -0.01)], 0.005)
        assert [tick["text"] for tick in axis_state(axis, 0.005)["ticks"]] == [
            f"{MINUS}0.02",
            "0",
            "+0.02",
        ]

    def test_where_all_are_worse_they_are_what_is_shown(self) -> None:
        worse = JudgedInterval(Interval(-0.05, -0.08, -0.02, 0.95), Verdict.WORSE)
        axis = choose_axis([worse], 0.005)
        assert mark_state(axis, worse.interval)["cut"] == []

    def test_an_axis_without_any_width_is_given_one(self) -> None:
        axis = choose_axis([], 0.0)
        assert axis.low < 0 < axis.high


class TestComparison:
    def test_the_headline_comes_first_and_is_the_domains(self) -> None:
        page = Tags(comparison_page(build_comparison(), AT))
        assert "Run 3f9a1c27d05b is better than constant on roc_auc" in page.text

    def test_only_parameters_that_differ_have_a_column(self) -> None:
        runs = build_runs(0.02, 0.01, depth=[3, 4], seed=[7, 7])
        labels = [column["label"] for column in comparison_state(build_comparison(runs=runs))["columns"]]
        assert "depth" in labels
        assert "seed" not in labels

    def test_a_number_that_may_be_none_stands_among_numbers(self) -> None:
        runs = tuple(build_compared_run(run_id=str(depth), parameters={"depth": depth}) for depth in (2, None, 8))
        state = comparison_state(build_comparison(runs=runs))
        assert [column["kind"] for column in state["columns"]][1] == "number"
        assert [row["cells"][0]["text"] for row in state["rows"]][1:] == ["2", "none", "8"]

    def test_what_comes_next_is_a_command_with_the_best_run_and_a_name_that_can_be_one(self) -> None:
        of_project = RunComparison(**vars(build_comparison()), notebooks=("notebooks/05.08-Random-Forests.ipynb",))
        assert comparison_state(of_project)["next"]["command"].endswith("--model random-forests")
        assert comparison_state(build_comparison())["next"]["command"].endswith("--model NAME")

    def test_many_differing_parameters_share_one_column(self) -> None:
        runs = build_runs(0.02, 0.01, **{name: [1, 2] for name in "abcdef"})
        state = comparison_state(build_comparison(runs=runs))
        assert [column["label"] for column in state["columns"]][1:5] == ["a", "b", "c", "3 more parameters"]
        assert state["rows"][1]["cells"][3]["text"] == "d 1, e 1, f 1"

    def test_a_constant_reference_is_a_row_of_its_own_on_top(self) -> None:
        first, *others = comparison_state(build_comparison())["rows"]
        assert (first["run"], first["value"], first["verdict"]["word"]) == ("constant", "0.5000", "Reference")
        assert [row["run"] for row in others] == [RUN_ID]

    def test_a_reference_that_is_a_run_is_named_by_its_id_and_can_be_copied(self) -> None:
        comparison = build_comparison(runs=build_runs(0.02), reference=name_run(CHAMPION_RUN_ID))
        rows = comparison_state(comparison)["rows"]
        assert [(row["run"], row["copy"]) for row in rows] == [(CHAMPION_RUN_ID,) * 2, ("0" * 12,) * 2]
        assert [row["is_reference"] for row in rows] == [True, False]
        assert comparison_state(build_comparison())["rows"][0]["copy"] is None

    @pytest.mark.parametrize("verdict", list(Verdict))
    def test_each_verdict_has_a_word_and_a_shape_of_its_own(self, verdict: Verdict) -> None:
        run = comparison_state(build_comparison(runs=(build_compared_run(verdict=verdict),)))["rows"][1]["verdict"]
        assert run["word"].upper() == verdict.value
        assert run["shape"]

    def test_a_run_without_interval_says_so_and_draws_nothing(self) -> None:
        run = build_compared_run(advantage=None, verdict=Verdict.INCONCLUSIVE)
        row = comparison_state(build_comparison(runs=(run,)))["rows"][1]
        assert (row["mark"], row["interval"]["estimate"]) == (None, "no interval")

    def test_first_the_best_value_stands_on_top_whichever_direction_is_good(self) -> None:
        assert comparison_state(build_comparison())["first_order"]["direction"] == "descending"
        assert comparison_state(build_comparison(direction="lower"))["first_order"]["direction"] == "ascending"

    def test_no_runs_is_an_empty_state_with_the_command_that_fills_it(self) -> None:
        page = Tags(comparison_page(build_comparison(runs=()), AT))
        assert "no finished runs" in page.text
        assert "workbench run" in page.text

    @given(st.lists(st.one_of(st.none(), st.integers(-9, 9), st.text(max_size=3)), min_size=1, max_size=8))
    def test_every_order_holds_each_row_once_with_the_reference_on_top_and_missing_last(
        self, values: list[Any]
    ) -> None:
        runs = tuple(
            replace(run, parameters={} if value is None else {"p": value})
            for run, value in zip(build_runs(*(0.01,) * len(values)), values, strict=True)
        )
        state = comparison_state(build_comparison(runs=runs))
        assert set(state["orders"]) == {column["key"] for column in state["columns"]}
        for order in state["orders"].values():
            for rows in order.values():
                assert rows[0] == 0
                assert sorted(rows) == list(range(len(values) + 1))
        if "parameter:p" in state["orders"]:
            missing = [index for index, value in enumerate(values, start=1) if value is None]
            assert all(rows[len(rows) - len(missing) :] == missing for rows in state["orders"]["parameter:p"].values())

    def test_sorting_by_value_is_sorting_by_number(self) -> None:
        runs = build_runs(0.02, 0.01, -0.03, depth=[10, 9, 2])
        orders = comparison_state(build_comparison(runs=runs))["orders"]
        assert orders["parameter:depth"]["ascending"] == [0, 3, 2, 1]
        assert orders["value"]["descending"] == [0, 1, 2, 3]

    def test_a_comparison_of_a_project_says_what_it_took_and_who_is_left_out(self) -> None:
        why = "Run x was not scored on just the holdout's rows."
        files = tuple(Overwritten(f"{name}.csv", ("a", "b"), in_turn=True, is_told=True) for name in "uvwxyz")
        compared = vars(build_comparison(left_out=1))
        found = RunComparison(**compared, notebooks=("wine.ipynb",), unpaired=(why,), overwritten=files)
        facts = {fact["name"]: fact["text"] for fact in comparison_state(found)["facts"]}
        assert (facts["Compared"], facts["Left out"]) == ("finished runs of wine.ipynb on this holdout", why)
        assert facts["Overwritten"].startswith("u.csv, v.csv, w.csv, x.csv, y.csv, 1 files more, by several of them.")
        assert why.replace("'", "&#x27;") in comparison_page(found) or why in comparison_page(found)

    def test_what_is_elsewhere_is_named_with_its_command_as_code(self) -> None:
        other = OtherHoldout(("b.ipynb",), 2, 600, "workbench compare --notebook b.ipynb")
        found = RunComparison(**vars(build_comparison()), elsewhere=2, others=(other,))
        fact = comparison_state(found)["facts"][-1]
        assert (fact["name"], fact["parts"][1]) == ("Left out", other.command)
        assert f"2 of b.ipynb (600 rows): <code>{other.command}</code></dd>" in comparison_page(found)

    def test_a_very_long_comparison_says_what_its_snapshot_leaves_out(self) -> None:
        view = ComparisonView(
            build_comparison(runs=build_runs(*(0.01,) * 150)), command="workbench compare --notebook a.ipynb"
        )
        said = "The snapshot shows 100 of 150 runs. A page of all, to search and sort: "
        assert f"{said}workbench compare --notebook a.ipynb --html FILE" in Tags(view.snapshot(AT)["text/html"]).text


@pytest.mark.parametrize(
    "html",
    [review_page(build_hostile_review(), AT), comparison_page(build_hostile_comparison(), AT)],
    ids=["review", "comparison"],
)
class TestHostileValues:
    def test_they_stay_text(self, html: str) -> None:
        found = Tags(html)
        assert "<script>alert(1)</script>" in found.text
        assert not {"script", "img", "textarea", "iframe", "object", "link"} & set(found.tags)
        assert not found.comments

    def test_no_attribute_runs_or_loads_anything(self, html: str) -> None:
        names = {name for name, _ in Tags(html).attributes}
        assert not [name for name in names if name.startswith("on")]
        assert not names & {"src", "href", "action", "srcset", "xlink:href"}

    def test_the_page_forbids_everything_but_its_own_style(self, html: str) -> None:
        attributes = Tags(html).attributes
        assert ("http-equiv", "Content-Security-Policy") in attributes
        assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in attributes

    def test_there_is_no_network_address(self, html: str) -> None:
        assert "http://" not in html
        assert "https://" not in html
        assert "url(" not in html


class TestSnapshot:
    def test_it_says_when_it_was_taken_and_how_to_make_it_live(self) -> None:
        snapshot = ComparisonView(build_champion_comparison()).snapshot(AT)
        assert "Snapshot of 22 Nov 2026, 04:30 UTC; run this cell again to make it live." in snapshot["text/html"]

    def test_its_plain_text_is_the_headline(self) -> None:
        assert (
            ComparisonView(build_comparison()).snapshot(AT)["text/plain"].startswith("Run 3f9a1c27d05b is better than")
        )

    def test_no_view_parses_markup_in_the_browser(self) -> None:
        for view in (ComparisonView, DifferenceView, FollowView, ReviewView):
            module = str(view._esm)
            for parser in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "DOMParser"):
                assert parser not in module
