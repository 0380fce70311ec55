#!/usr/bin/env bash
# nbconvert 7.17.2 with bleach 6.4.0, seen on 2026-11-30.
#
# HTMLExporter(sanitize_html=True) cleans Markdown after it was turned into HTML, and its list of tags leaves out those that Markdown itself
# makes: headings, paragraphs, the head and body of a table, pictures and rules. They are not dropped but written out, so that a reader
# sees <h1> and </h1> around every heading and <p> around every paragraph as text, though the notebook holds no HTML at all. Emphasis,
# lists and links are kept.
#
# Ends with 1 when that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nbconvert==7.17.2 bleach==6.4.0 nbformat==5.11.1
cat >"$folder/seen.py" <<'PYTHON'
import re
import sys

from nbconvert import HTMLExporter
from nbformat.v4 import new_markdown_cell, new_notebook

WRITTEN = {
    "# A heading": "h1",
    "A paragraph": "p",
    "| a | b |\n|---|---|\n| 1 | 2 |": "thead",
    "---": "hr",
    "![a picture](picture.png)": "img",
    "- an item": "li",
    "*emphasis*": "em",
    "[a link](page.html)": "a",
}


def shows(source, tag, **options):
    """Return whether a tag of a cell's page is one, or is text to be read."""
    page, _ = HTMLExporter(**options).from_notebook_node(new_notebook(cells=[new_markdown_cell(source)]))
    cell = page.partition('data-mime-type="text/markdown">')[2].partition("</div>")[0]
    return "a tag" if re.search(rf"<{tag}\b", cell) else "text" if re.search(rf"&lt;{tag}\b", cell) else "nothing"


seen = {}
for source, tag in WRITTEN.items():
    plain, seen[tag] = shows(source, tag), shows(source, tag, sanitize_html=True)
    print(f"{source.splitlines()[0]!r}: <{tag}> is {plain}, and sanitized {seen[tag]}")
    if plain != "a tag":
        sys.exit(1)
written_out = [tag for tag, how in seen.items() if how == "text"]
sys.exit(not (written_out == ["h1", "p", "thead", "hr", "img"] and [seen[tag] for tag in ("li", "em", "a")] == ["a tag"] * 3))
PYTHON
export HOME="$folder"
"$folder/venv/bin/python" -W ignore "$folder/seen.py"
