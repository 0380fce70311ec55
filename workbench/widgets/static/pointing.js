// What the mouse points at in a picture of runs: the row whose line or dot is nearest, and what stands beside it. By keyboard the row
// that is marked in the table is the one pointed at.
const REACH = 6; // pixels from a line or dot that still mean it
const AS_NEAR = 1;
const MOST_TOLD = 12;
const LONGEST_TOLD = 32;
const EDGE = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const formatEdge = (value) => (value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(2) : EDGE.format(value)).replace("-", "\u2212");

// Names that begin alike differ at their end, so that is kept.
const shorten = (text, most) => (text.length > most ? `${text.slice(0, Math.ceil((most - 1) / 2))}…${text.slice(text.length - Math.floor((most - 1) / 2))}` : text);

// The row nearest to a place, of those in a mask, and how many are as near; `distance(row)` is in pixels, NaN where a row is not drawn.
function nearestRow(mask, distance) {
  let [nearest, least, many] = [null, REACH, 0];
  for (let row = 0; row < mask.length; row++) {
    if (!mask[row]) continue;
    const far = distance(row);
    if (!(far <= REACH)) continue;
    many += far <= AS_NEAR;
    if (far < least || nearest === null) [nearest, least] = [row, far];
  }
  return nearest === null ? null : { row: nearest, many: Math.max(many, 1) };
}

// How far a place lies from the line between two axes, at a right angle to it.
const distanceToLine = (x, y, [left, from], [right, to]) => Math.abs(from + ((to - from) * (x - left)) / (right - left) - y) / Math.hypot(1, (to - from) / (right - left));

// `given`: stage (an element, or an SVG within one), find(x, y) (what is there: a row and how many, or text), mark(row, or null: none is pointed at), tell(row) (its name and what it shows),
// onChoose(row).
function pointing({ stage, find, mark, tell, onChoose }) {
  const room = () => (stage.ownerSVGElement === undefined ? stage : stage.parentNode);
  const tip = h("div", { class: "wb-tip", "aria-hidden": "true", hidden: true });
  let found = null;
  let pressed = null;

  function look(event) {
    const { left, top } = room().getBoundingClientRect();
    found = event.buttons ? null : find(event.clientX - left, event.clientY - top);
    mark(found?.row ?? null, found);
    stage.classList.toggle("wb-at-line", Number.isInteger(found?.row));
    if (!found) return hide();
    tip.replaceChildren(...(found.text ? [found.text] : describe(found, found.told ?? tell(found.row))));
    if (tip.parentNode !== room()) room().append(tip);
    tip.hidden = false;
    place(event.clientX - left, event.clientY - top);
  }

  function describe({ many, what = "lines" }, { name, pairs }) {
    const more = pairs.length - MOST_TOLD;
    const notes = [many > 1 ? `one of ${many.toLocaleString("en")} ${what} here` : "", more > 0 ? `${more} more columns in the table` : ""].filter(Boolean);
    return [h("b", {}, name), h("div", {}, pairs.slice(0, MOST_TOLD).flatMap((pair) => pair.map((text) => h("span", {}, shorten(text, LONGEST_TOLD))))), notes.length ? h("span", { class: "wb-quiet" }, notes.join("; ")) : ""];
  }

  // Beside the mouse, on the side where there is room.
  function place(x, y) {
    const [wide, tall] = [room().clientWidth, room().clientHeight];
    tip.style.left = `${x + 16 + tip.offsetWidth > wide ? Math.max(0, x - 16 - tip.offsetWidth) : x + 16}px`;
    tip.style.top = `${Math.max(0, Math.min(y + 16, tall - tip.offsetHeight))}px`;
  }

  function hide() {
    tip.hidden = true;
    found = null;
  }

  stage.addEventListener("pointermove", look);
  stage.addEventListener("pointerdown", (event) => (hide(), (pressed = event)));
  stage.addEventListener("pointerleave", () => (hide(), mark(null), stage.classList.remove("wb-at-line")));
  stage.addEventListener("click", (event) => {
    const isDrag = !pressed || Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) > 2;
    if (isDrag || pressed.target.closest(".wb-strip")) return;
    look(event);
    if (Number.isInteger(found?.row)) onChoose(found.row);
  });
}

// A picture of several runs, drawn in Python: the line that is pointed at says its run, and the values of its nearest point.
function pointAtCurves(svg, [, across, up]) {
  const lines = [...svg.querySelectorAll("[data-name]")].map((node) => [node, node.getAttribute("points").split(" ").map((pair) => pair.split(",").map(Number))]);
  if (!lines.length) return;
  const scales = ["x", "y"].map((of) => svg.dataset[of].split(" ").map(Number));
  const valueOf = (place, [low, high, from, to]) => formatEdge(low + ((place - from) / (to - from)) * (high - low));
  const strong = (found) => lines.forEach(([node]) => node.classList.toggle("wb-strong", node === found));

  function find(x, y) {
    const unit = svg.viewBox.baseVal.width / svg.clientWidth;
    const at = [x * unit, y * unit];
    const far = ([, points]) => Math.min(...points.slice(1).map((point, index) => distanceToPiece(at, points[index], point)));
    const near = lines.map((line) => [far(line), line]).filter(([distance]) => distance <= REACH * unit);
    if (!near.length) return null;
    const [, [node, points]] = near.reduce((best, each) => (each[0] < best[0] ? each : best));
    const point = points.reduce((best, each) => (Math.hypot(each[0] - at[0], each[1] - at[1]) < Math.hypot(best[0] - at[0], best[1] - at[1]) ? each : best));
    return { node, many: near.length, told: { name: node.dataset.name, pairs: [across, up].map((name, index) => [name, valueOf(point[index], scales[index])]) } };
  }

  pointing({ stage: svg, find, mark: (_, found) => strong(found?.node), onChoose: () => {} });
}

// How far a place lies from a piece of a line, whichever way it runs.
function distanceToPiece([x, y], [left, top], [right, bottom]) {
  const [across, down] = [right - left, bottom - top];
  const share = Math.min(Math.max(((x - left) * across + (y - top) * down) / (across ** 2 + down ** 2 || 1), 0), 1);
  return Math.hypot(left + share * across - x, top + share * down - y);
}
