"""The chapters of the house, each told by the README in its folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import click

from workbench.cli import terminal
from workbench.errors import UsageError
from workbench.words.explaining import Term, find_word, list_mentions, read_glossary

# In the order of the story: each imports only those before it.
CHAPTERS = (
    "records", "files", "stats", "secrets", "notifying", "notebooks", "executors", "policies", "models", "drawings", "signing",
    "ledger", "runs", "sweeps", "replays", "readiness", "comparisons", "evidence", "checks", "reviews", "nominations", "releases",
    "serving", "words", "widgets", "workflow", "jupyterlab", "cli",
)  # fmt: skip
_MOST_MENTIONS = 5
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
@click.argument("words", metavar="[CHAPTER|COMMAND|WORD|glossary]", nargs=-1)
@click.pass_context
def help_(context: click.Context, words: Sequence[str]) -> None:
    """Read about a chapter of the workbench, a command, or what a word means."""
    from workbench.cli.main import COMMANDS as commands  # noqa: N811 - they are imported one by one

    name, glossary = " ".join(words), read_glossary()
    if not name:
        terminal.print_facts(dict(list_chapters()))
        terminal.say("")
        terminal.say("workbench help CHAPTER reads one, workbench help glossary the words;")
        terminal.say("workbench --help lists the commands.")
    elif name == "glossary":
        terminal.print_facts({word: term.means for word, term in glossary.items()})
    elif name in CHAPTERS:
        terminal.print_markdown(_for_users(read_chapter(name)))
        if name in commands:
            terminal.say("")
            terminal.say(f"The command of this name: workbench {name} --help")
    elif name in commands:
        _explain(name, glossary)
        click.echo(commands[name].get_help(click.Context(commands[name], info_name=name, parent=context.parent)))
    elif meant := [word] if (word := find_word(name)) else list_mentions(name)[:_MOST_MENTIONS]:
        terminal.print_facts({word: glossary[word].means for word in meant})
        terminal.say("")
        chapters = dict.fromkeys(glossary[word].chapter for word in meant)
        terminal.say(f"More: {', '.join(f'workbench help {chapter}' for chapter in chapters)}")
    elif spoken := _list_speaking(name):
        terminal.say(f"{name} is no word of the glossary. These chapters speak of it:")
        terminal.say("")
        terminal.print_facts(spoken)
        terminal.say("")
        terminal.say("workbench help CHAPTER reads one.")
    else:
        raise _unknown(name, [*CHAPTERS, *commands, *glossary])


def _list_speaking(text: str) -> dict[str, str]:
    """Return the chapters that speak of something by a whole word, those that do it most first, each with what it is about."""
    spoken = re.compile(rf"(?<!\w){re.escape(text)}(?!\w)", re.IGNORECASE)
    counts = {name: len(spoken.findall(_for_users(read_chapter(name)))) for name in CHAPTERS}
    ranked = sorted((name for name in CHAPTERS if counts[name]), key=lambda name: -counts[name])
    return {name: purpose for name in ranked[:_MOST_MENTIONS] for known, purpose in list_chapters() if known == name}


def _explain(word: str, glossary: Mapping[str, Term]) -> None:
    if word in glossary:
        terminal.print_facts({word: glossary[word].means})
        terminal.say("")


def _for_users(page: str) -> str:
    """Return a chapter as it is read away from its source: links by their words, and nothing on how to extend the product."""
    told = (part for part in page.split("\n\n") if not part.startswith("**To add**"))
    return _LINK.sub(r"\1", "\n\n".join(told))


_LINK = re.compile(r"\[([^\]\n]+)\]\((?!https?:)[^)\n]*\)")


def _unknown(name: str, known: list[str]) -> UsageError:
    near = get_close_matches(name, dict.fromkeys(known), n=3)
    return UsageError(
        f"There is no chapter, command or word {name!r}.",
        why=f"Near it are {', '.join(near)}." if near else [],
        next_step="`workbench help` lists the chapters, `workbench --help` the commands, `workbench help glossary` the words.",
    )


COMMANDS = (help_,)
