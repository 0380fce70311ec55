"""The density of lines, in the browser that draws it: each pixel counts the lines that cross it, however rows came and went."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from workbench.widgets.snapshot import STATIC

pytestmark = pytest.mark.browser

# Rows of random places on four axes, a few on the same two; counted one pixel after the other, and as the view does.
_COUNT = """
const [width, height, rows] = [61, 40, 400];
let seed = 7;
const draw = (below) => (seed = (seed * 48271) % 2147483647) % below;
const xs = [0, 12, 33, 60];
const ys = xs.map((_, axis) => Int32Array.from({ length: rows }, () => (axis === 1 ? 8 * draw(5) : draw(height))));
const levels = Uint8Array.from({ length: rows }, () => (draw(9) ? draw(16) : UNLEVELLED));
const density = lineDensity({ xs, ys, levels, width, height });
const faults = [];
for (const share of [10, 10, 9, 2, 0, 1, 10, 5]) {
  const mask = Uint8Array.from({ length: rows }, () => draw(10) < share);
  density.sync(mask);
  const found = density.read();
  const counts = new Uint32Array(width * height);
  const sums = new Float64Array(width * height);
  for (let row = 0; row < rows; row++) for (let axis = 0; mask[row] && axis < 3; axis++) {
    const step = (ys[axis + 1][row] - ys[axis][row]) / (xs[axis + 1] - xs[axis]);
    let place = ys[axis][row] + 0.5;
    for (let x = xs[axis]; x < xs[axis + 1]; x++) {
      const ends = [Math.floor(place), Math.floor((place += step))];
      for (let y = Math.min(...ends); y <= Math.max(...ends); y++) {
        counts[x * height + y] += 1;
        sums[x * height + y] += levels[row] === UNLEVELLED ? 0 : levels[row];
      }
    }
  }
  const differ = counts.reduce((sum, count, at) => sum + (count !== found.counts[at] || sums[at] !== found.sums[at]), 0);
  if (differ || found.most !== Math.max(...counts)) faults.push([share, differ]);
}
return faults;
"""


def test_each_pixel_counts_the_lines_that_cross_it(browser: Browser) -> None:
    page = browser.new_page()
    code = (STATIC / "density.js").read_text(encoding="utf-8")
    assert page.evaluate(f"() => {{ {code}\n{_COUNT} }}") == []
    page.close()
