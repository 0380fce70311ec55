"""The chapters of the house, each told by the README in its folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

import click

from workbench.cli import terminal
from workbench.errors import UsageError

# In the order of the story: each imports only those before it.
CHAPTERS = (
    "records", "files", "stats", "secrets", "notifying", "notebooks", "executors", "policies", "models", "drawings", "signing",
    "ledger", "runs", "sweeps", "replays", "readiness", "comparisons", "evidence", "checks", "reviews", "nominations", "releases",
    "serving", "words", "widgets", "workflow", "jupyterlab", "cli",
)  # fmt: skip
_PACKAGE = Path(__file__).parents[1]


def read_chapter(name: str) -> str:
    """Return a chapter's README, in Markdown."""
    return (_PACKAGE / name / "README.md").read_text(encoding="utf-8")


def list_chapters() -> Iterator[tuple[str, str]]:
    """Yield each chapter in the order of the story, with the sentence that says what it is."""
    for name in CHAPTERS:
        _, purpose, _ = read_chapter(name).split("\n\n", 2)
        yield name, " ".join(purpose.replace("`", "").split())


@click.command("help")
@click.argument("name", metavar="[CHAPTER|COMMAND]", required=False)
@click.pass_context
def help_(context: click.Context, name: str | None) -> None:
    """Read about a chapter of the workbench, or about a command."""
    from workbench.cli.main import COMMANDS as commands  # noqa: N811 - they are imported one by one

    if name is None:
        terminal.print_facts(dict(list_chapters()))
        terminal.say("")
        terminal.say("workbench help CHAPTER reads one; workbench --help lists the commands.")
    elif name in CHAPTERS:
        terminal.print_markdown(_for_users(read_chapter(name)))
        if name in commands:
            terminal.say("")
            terminal.say(f"The command of this name: workbench {name} --help")
    elif name in commands:
        click.echo(commands[name].get_help(click.Context(commands[name], info_name=name, parent=context.parent)))
    else:
        raise _unknown(name, [*CHAPTERS, *commands])


def _for_users(page: str) -> str:
    """Return a chapter as it is read away from its source: links by their words, and nothing on how to extend the product."""
    told = (part for part in page.split("\n\n") if not part.startswith("**To add**"))
    return _LINK.sub(r"\1", "\n\n".join(told))


_LINK = re.compile(r"\[([^\]\n]+)\]\((?!https?:)[^)\n]*\)")


def _unknown(name: str, known: list[str]) -> UsageError:
    near = get_close_matches(name, dict.fromkeys(known), n=3)
    return UsageError(
        f"There is no chapter or command {name!r}.",
        why=f"Near it are {', '.join(near)}." if near else [],
        next_step="`workbench help` lists the chapters, `workbench --help` the commands.",
    )


COMMANDS = (help_,)
