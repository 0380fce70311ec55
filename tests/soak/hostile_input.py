"""Names, values and paths that somebody might give to have them executed, or to have a file written elsewhere."""

from __future__ import annotations

import itertools
import keyword
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

CANARY, OUTSIDE = "canary", "outside"
_DEEP, _HUGE = 60, 10**400


def payloads(canary: Path) -> tuple[str, ...]:
    """Return texts that make the canary where anything at all executes, expands or loads them."""
    touch = f"__import__('pathlib').Path({str(canary)!r}).touch()"
    shell = f"touch {canary}"
    return (
        touch,
        f"1; {touch}",
        f"0\n{touch}\n",
        f"0\r{touch}",
        f'"\n{touch}\n"',
        f"'\n{touch}\n'",
        f'"""\n{touch}\n"""',
        f'\\"; {touch} #',
        f'" + str({touch}) + "',
        f"') or {touch} or ('",
        f"x = 0\u2028{touch}",
        f"f'{{{touch}}}'",
        f"{{{touch}}}",
        f"[{touch} for _ in '1']",
        f"(lambda: {touch})()",
        f"x: {touch} = 0",
        f"# Parameters\n{touch}",
        f"!{shell}",
        f"0\n!{shell}\n",
        f"0\n%sx {shell}\n",
        f"%%bash\n{shell}",
        f"get_ipython().system({shell!r})",
        f"$({shell})",
        f"`{shell}`",
        f"; {shell} ;",
        f"| {shell}",
        f"&& {shell} #",
        f"--version; {shell}",
        f"{{{{ cycler.__init__.__globals__.os.popen({shell!r}).read() }}}}",
        f"{{% import os %}}{{{{ os.system({shell!r}) }}}}",
        f"!!python/object/apply:os.system [{shell!r}]",
        f"'; ATTACH DATABASE '{canary}' AS canary; --",
        "{0.__class__.__init__.__globals__}",
        "{rounds.__class__}",
        "%(rounds)s %s %d %n",
        "${HOME} $HOME ~ %HOME%",
        "<script>fetch('/')</script>",
        "\x1b]0;owned\x07\x1b[2J",
        "\x00\x01\x7f\x85",
        "\u202etxt.exe\u200b\ufeff",
    )


_ODD_NAMES = (
    *keyword.kwlist,
    *keyword.softkwlist,
    *("__builtins__", "__import__", "__class__", "__name__", "__doc__", "__", "_", "___", "_1", "In", "Out", "exit"),
    *("get_ipython", "wb", "print", "ｘ", "ſ", "é", "x.y", "x[0]", "x,y", "*x", "x:=1", "x y", "", " ", "\t", "\n"),  # noqa: RUF001
    *("x\nimport os", "x;import os", "x=1#", "x\\\ny", "x\x00", "{x}", "%x", "!x", "?x", "x?", "-x", "--x", "x" * 5000),
)


def names(canary: Path) -> st.SearchStrategy[str]:
    """Odd identifiers, keywords, dunders, line breaks and code."""
    odd = st.sampled_from(_ODD_NAMES) | st.sampled_from(payloads(canary))
    identifier = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
    text = st.text(max_size=20)
    around = st.builds("{}{}{}".format, st.sampled_from(("", "x", "x = 0\n", "x: int = ")), odd, text)
    return odd | identifier | text | around


def texts(canary: Path) -> st.SearchStrategy[str]:
    """Texts with quotes, line breaks, braces, format fields, control characters and code."""
    payload = st.sampled_from(payloads(canary))
    marks = st.text(st.sampled_from("'\"\\\n\r{}[]()#%!?$;:=,\0\x1b\u2028 "), max_size=6)
    return payload | st.text(max_size=30) | marks | st.builds("{}{}{}".format, marks, payload, marks)


def values(canary: Path) -> st.SearchStrategy[Any]:
    """What somebody may give as a value, fit for a parameter or not: also endless numbers, bytes, tuples and half characters."""
    said = texts(canary)
    numbers = st.integers() | st.integers(-(2**200), 2**200) | st.floats() | st.sampled_from((_HUGE, -0.0, math.inf))
    plain = st.none() | st.booleans() | numbers | said
    unfit = (
        st.binary(max_size=5) | st.complex_numbers() | st.tuples(said) | st.sampled_from((_nested(), Path(), {1: 2}))
    )
    half = st.builds("{}{}".format, said, st.sampled_from(("\ud800", "\udcff")))
    nested = st.recursive(
        plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(said, inner, max_size=4), max_leaves=8
    )
    return st.one_of(plain, nested, nested, said, st.one_of(unfit, half))


def _nested() -> list[Any]:
    value: list[Any] = []
    for _ in range(_DEEP):
        value = [value]
    return value


def draw(strategy: st.SearchStrategy[Any], count: int, *, seed_of_draw: int) -> list[Any]:
    """Return `count` examples; the same seed draws the same."""
    drawn: list[Any] = []

    @seed(seed_of_draw)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: Any) -> None:
        drawn.append(example)

    collect()
    return drawn


_UP = (
    "..",
    "../..",
    "../../..",
    "../../../../../../../..",
    "./..",
    "x/../..",
    "..//..",
    "%2e%2e",
    "..%2f..",
    "..%5c..",
)
_ROOTS = (
    "",
    "/",
    "//",
    "~",
    "~root",
    "file://",
    "file:///",
    "\\\\?\\",
    "C:\\",
    "http://127.0.0.1:1/",
    "sqlite:///",
    "runs:/",
)
_TARGETS = (
    OUTSIDE,
    f"{OUTSIDE}.ipynb",
    f"{OUTSIDE}.yaml",
    f"{OUTSIDE}/1",
    CANARY,
    "etc/passwd",
    "proc/self/environ",
    "*",
)
_ENDS = ("", "/", "/.", "/1", "\0", "%00", "\0.ipynb", ".", " ", "\n", "#", "?x=1", "::$DATA", "\u2215", "\uff0f")


def traversals(count: int, canary: Path) -> list[str]:
    """Return texts that name something elsewhere when they are used as a path, a part of one, or as an id."""
    ways = [up.replace("/", slash) for up in _UP for slash in ("/", "\\", "//", "\u2215")]
    joined = {"".join(each) for each in itertools.product((*_ROOTS, *(f"{way}/" for way in ways)), _TARGETS, _ENDS)}
    chosen = random.Random(count).sample(sorted(joined), max(count - len(_FIXED), 0))
    return [*_FIXED, *_absolute(canary), *chosen][:count]


_FIXED = (
    "~nobody-has-this-name",
    "..",
    "../x",
    "../../x/1",
    "/",
    ".",
    "",
    "\0",
    "%",
    "_",
    "deadbee%",
    "*",
    "x/../../1",
    "x" * 5000,
)


def _absolute(canary: Path) -> Iterator[str]:
    yield str(canary)
    yield f"{canary}/1"
    yield str(canary.with_name(OUTSIDE))
    yield f"file://{canary}"
