// What the mouse points at in a picture of runs: the row whose line or dot is nearest, and what stands beside it. By keyboard the row
// that is marked in the table is the one pointed at.
const REACH = 6; // pixels from a line or dot that still mean it
const AS_NEAR = 1;
const MOST_TOLD = 12;

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

// `given`: stage, find(x, y) (what is there: a row and how many, or text), mark(row, or null: none is pointed at), tell(row) (its name and what it shows),
// onChoose(row).
function pointing({ stage, find, mark, tell, onChoose }) {
  const tip = h("div", { class: "wb-tip", "aria-hidden": "true", hidden: true });
  let found = null;
  let pressed = null;

  function look(event) {
    const { left, top } = stage.getBoundingClientRect();
    found = event.buttons ? null : find(event.clientX - left, event.clientY - top);
    mark(found?.row ?? null);
    stage.classList.toggle("wb-at-line", Number.isInteger(found?.row));
    if (!found) return hide();
    tip.replaceChildren(...(found.text ? [found.text] : describe(found)));
    if (tip.parentNode !== stage) stage.append(tip);
    tip.hidden = false;
    place(event.clientX - left, event.clientY - top);
  }

  function describe({ row, many, what = "lines" }) {
    const { name, pairs } = tell(row);
    const more = pairs.length - MOST_TOLD;
    const notes = [many > 1 ? `one of ${many.toLocaleString("en")} ${what} here` : "", more > 0 ? `${more} more columns in the table` : ""].filter(Boolean);
    return [h("b", {}, name), h("div", {}, pairs.slice(0, MOST_TOLD).flatMap((pair) => pair.map((text) => h("span", {}, text)))), notes.length ? h("span", { class: "wb-quiet" }, notes.join("; ")) : ""];
  }

  // Beside the mouse, on the side where there is room.
  function place(x, y) {
    const [wide, tall] = [stage.clientWidth, stage.clientHeight];
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
