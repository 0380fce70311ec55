"""What is given as a name, a value or a path is never executed and writes nothing elsewhere; what is taken comes back equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click
import pytest

from tests.soak import injection
from tests.soak.hostile_input import draw, names, payloads, traversals, values
from tests.soak.odd_paths import HERE, INPUTS, try_paths
from tests.soak.proof import SEED
from tests.soak.surroundings import Surroundings, make_surroundings
from workbench.cli.main import COMMANDS

SIZE = 30


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Iterator[Surroundings]:
    made = make_surroundings(tmp_path_factory.mktemp("injection"), make_project)
    yield made
    made.bench.store.close()
    assert not made.canary.exists()


def test_a_value_is_refused_or_comes_back_from_the_injected_code_as_it_was_given(around: Surroundings) -> None:
    given = [*draw(values(around.canary), SIZE, seed_of_draw=SEED), *payloads(around.canary)]
    taken, faults = injection.try_values(given)
    assert faults == []
    assert SIZE // 2 < taken < len(given)
    assert not around.canary.exists()


def test_a_name_is_taken_only_where_it_is_declared_and_only_a_plain_one_can_be(around: Surroundings) -> None:
    given = draw(names(around.canary), SIZE, seed_of_draw=SEED)
    declared, faults = injection.try_names(given)
    assert faults == []
    assert 0 < declared < SIZE
    assert not around.canary.exists()


def test_a_kernel_gets_the_values_that_were_given_and_executes_none(around: Surroundings) -> None:
    given = [*draw(values(around.canary), SIZE, seed_of_draw=SEED), *payloads(around.canary)]
    kept, faults = injection.run_values(around, given)
    assert faults == []
    assert kept > SIZE // 2
    assert not around.canary.exists()


def test_a_notebook_with_an_odd_name_runs_and_its_name_is_not_executed(around: Surroundings) -> None:
    opened, faults = injection.run_odd_notebooks(around, 2)
    assert (opened, faults) == (2, [])
    assert not around.canary.exists()


def test_a_path_or_id_leads_nowhere_else_at_any_input(around: Surroundings) -> None:
    calls, faults = try_paths(around, traversals(4, around.canary))
    assert faults == []
    assert calls >= 4 * len(INPUTS)
    assert not around.canary.exists()


def text_inputs() -> set[str]:
    """Every argument and option of every command, those of groups included, that takes a text or a path."""
    kinds = click.types.StringParamType | click.Path
    return {
        f"{name} {parameter.name}"
        for name, command in leaves(COMMANDS)
        for parameter in command.params
        if isinstance(parameter.type, kinds) and not getattr(parameter, "is_flag", False)
    }


def leaves(commands: Mapping[str, click.Command], before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in commands.items():
        yield f"{before}{name}", command
        if isinstance(command, click.Group):
            yield from leaves(command.commands, f"{before}{name} ")


def test_every_input_of_the_command_line_is_tried() -> None:
    # An export is written, and a project started, where a person says, wherever that is.
    assert text_inputs() - set(INPUTS) == {"ledger export file", "export path", "init folder"}
    assert all(any(HERE in part for part in call) for call in INPUTS.values())


def test_code_that_is_executed_would_be_noticed(around: Surroundings, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    exec(payloads(canary)[0])
    assert canary.exists()
    faults: list[str] = []
    with around.untouched(faults, "this test"):
        (around.folder / "stray").touch()
    assert len(faults) == 1
    (around.folder / "stray").unlink()
    assert not injection.is_same([1, True, 0.0], [1.0, 1, -0.0])
