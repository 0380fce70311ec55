// Parallel coordinates: an upright axis for each column, a line for each row. Where rows stand, ticks and categories are decided in
// Python; here they are drawn, and what is brushed is told.
const HEAD = 40;
const TALL = 256;
const LANE = 28;
const LEFT = 96;
const RIGHT = 48;
const NARROWEST = 88;
const STRIP = 18;
const FAINT = [0.05, 0.16];
const DARK = [0.24, 0.76];

const floats32 = (view) => new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
const bytes = (view) => new Uint8Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

// What stands at a place of an axis.
const valueAt = (axis, place) => (axis.is_log ? axis.low * (axis.high / axis.low) ** place : axis.low + place * (axis.high - axis.low));
const placeOf = (axis, value) => (axis.is_log ? Math.log(value / axis.low) / Math.log(axis.high / axis.low) : (value - axis.low) / (axis.high - axis.low));

// `given`: prefix, say, onBrush(kept rows as a mask, or null), onScale(what is asked of an axis), tell(row), onPoint(row or null), onChoose(row).
function parallelCoordinates({ prefix, say, onBrush, onScale, tell, onPoint, onChoose }) {
  const canvas = h("canvas", { class: "wb-density", "aria-hidden": "true" });
  const lines = { out: h("g", { class: "wb-out" }), in: h("g", { class: "wb-in" }) };
  const frame = h("g", {});
  const pointed = h("g", { class: "wb-pointed" });
  const selected = h("g", { class: "wb-selected" });
  const svg = h("svg", { class: "wb-picture wb-parallel", "aria-hidden": "true" }, lines.out, lines.in, selected, pointed, frame);
  const stage = h("div", { class: "wb-stage" }, canvas, svg);
  const scroll = h("div", { class: "wb-across", role: "group", "aria-label": "Parallel coordinates" }, stage);
  const brushed = h("span", { role: "status", "aria-live": "polite" });
  const clear = h("button", { type: "button", class: "wb-button", onclick: () => clearAll() }, "Clear brushes");
  const settings = axisSettings({ onScale, onMove: moveAxis, onChoose: (name) => (active = name), onNone: (name) => toggleNone(find(name)) });
  const keys = h("p", { class: "wb-quiet wb-keys", id: `${prefix}-keys` }, "On an axis: ← → the next one, ↑ ↓ its upper edge, Shift ↑ ↓ its lower edge, Shift ← → moves it, N rows without a value, Esc clears it. Or drag: along an axis to brush, its name to move it. A line that is pointed at says its run, a click finds it in the table; the row marked there stands out here.");
  const legend = h("p", { class: "wb-quiet wb-ramp-legend" });
  const foot = h("div", { class: "wb-row wb-brushed" }, clear, brushed);
  const box = h("div", {}, legend, scroll, settings.box);
  settings.box.append(keys);
  pointing({ stage, find: findLine, mark: onPoint, tell, onChoose });

  let picture = null;
  let axes = [];
  let order = []; // names of axes, as somebody arranged them
  let active = null;
  let levels = new Uint8Array(0);
  let found = new Uint8Array(0);
  let within = null; // rows that the brushes leave, as a mask; null is all
  let kept = new Uint8Array(0);
  let brushes = new Map();
  let strips = new Map();
  let drawn = []; // the line of each row, where lines are elements
  let densities = null;
  let colours = null;
  let width = 0;
  let chosen = new Map();

  const find = (name) => axes.find((axis) => axis.name === name);
  const xOf = (index) => Math.round(LEFT + (axes.length > 1 ? (index * (width - LEFT - RIGHT)) / (axes.length - 1) : 0));
  const yOf = (place) => (Number.isNaN(place) ? HEAD + TALL + LANE / 2 : HEAD + (1 - place) * TALL);
  const isDense = () => axes.length > 1 && count(found) > picture.most_lines;

  function show(parallel, rows) {
    const before = new Map(axes.map((axis) => [axis.name, axis]));
    picture = parallel;
    levels = bytes(parallel.levels);
    axes = parallel.axes.map((axis) => ({ ...axis, at: floats32(axis.places) }));
    axes.sort((a, b) => rank(a) - rank(b));
    order = axes.map((axis) => axis.name);
    brushes = new Map([...brushes].map(([name, brush]) => [name, carry(brush, before.get(name), find(name))]).filter(([, brush]) => brush));
    active = find(active)?.name ?? order[0];
    if (found.length !== rows) found = new Uint8Array(rows).fill(1);
    settings.box.hidden = !axes.length;
    settings.offer(axes, active);
    keep();
    arrange();
  }

  const rank = (axis) => (order.includes(axis.name) ? order.indexOf(axis.name) : order.length + picture.axes.findIndex((each) => each.name === axis.name));

  // Everything anew: axes were moved or scaled, the room or the theme is another.
  function arrange() {
    if (!box.isConnected) return; // drawn once there is room for it
    width = Math.max(scroll.clientWidth || 800, LEFT + RIGHT + NARROWEST * Math.max(axes.length - 1, 1));
    const height = HEAD + TALL + LANE + 16;
    stage.style.width = `${width}px`;
    stage.style.height = `${height}px`;
    for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) svg.setAttribute(name, value);
    canvas.width = width - LEFT - RIGHT + 1;
    canvas.height = TALL + LANE;
    canvas.style.left = `${LEFT}px`;
    canvas.style.top = `${HEAD}px`;
    colours = readColours(box);
    densities = null;
    drawn = [];
    drawFrame();
    drawLegend();
    draw();
  }

  function drawLegend() {
    const { colour } = picture;
    if (!colour) return legend.replaceChildren("");
    const bar = h("span", { class: "wb-ramp-bar", "aria-hidden": "true" });
    const dark = isDense() ? "; the stronger, the more lines" : "";
    legend.replaceChildren(`${colour.label} `, colour.low, bar, colour.high, dark);
  }

  function drawFrame() {
    point(null);
    const hadFocus = [...strips.values()].includes(document.activeElement);
    const most = Math.floor((axes.length > 1 ? xOf(1) - xOf(0) : 200) / 9); // bold letters
    const tickMost = Math.min(14, Math.max(4, most - 2));
    frame.replaceChildren(...axes.flatMap((axis, index) => drawAxis(axis, xOf(index), most, index ? tickMost : 13)));
    strips = new Map(axes.map((axis, index) => [axis.name, strip(axis, index)]));
    stage.replaceChildren(canvas, svg, ...strips.values());
    if (hadFocus) strips.get(active)?.focus();
  }

  function drawAxis(axis, x, most, tickMost) {
    const text = (words, y, at, anchor, name) => h("text", { class: name, x: at, y, "text-anchor": anchor }, words);
    const label = shorten(axis.label, Math.max(most, 8));
    const log = axis.is_log ? [text("log", 31, x, "middle", "wb-tick-text")] : [];
    const lane = axis.none ? [h("line", { class: "wb-axis wb-lane", x1: x - 8, x2: x + 8, y1: yOf(NaN), y2: yOf(NaN) }), text(`${axis.lane} ${axis.none.toLocaleString("en")}`, yOf(NaN) + 17, x, "middle", "wb-tick-text")] : [];
    const ticks = axis.ticks.flatMap((tick) => [h("line", { class: "wb-axis", x1: x - 4, x2: x, y1: yOf(tick.at), y2: yOf(tick.at) }), text(shorten(tick.text, tickMost), yOf(tick.at) + 4, x - 10, "end", "wb-tick-text")]);
    return [h("line", { class: "wb-axis", x1: x, x2: x, y1: HEAD, y2: HEAD + TALL }), ...ticks, ...lane, ...log, text(label, 16, x, "middle", "wb-name"), h("g", { "data-brush": axis.name })];
  }

  // The part of the picture that is touched and has the focus: one stop of Tab, arrows lead from axis to axis.
  function strip(axis, index) {
    const node = h("div", { class: "wb-strip", role: "slider", tabindex: axis.name === active ? "0" : "-1", "aria-orientation": "vertical", "aria-valuemin": "0", "aria-valuemax": "100", "aria-describedby": `${prefix}-keys`, "data-lm-suppress-shortcuts": "true", title: `${axis.label}: ${axis.says}`, onkeydown: (event) => press(event, find(axis.name)), onfocus: () => choose(axis.name), onpointermove: (event) => event.buttons || (node.style.cursor = cursorAt(event, brushes.get(axis.name))), onpointerdown: (event) => grasp(event, find(axis.name), node) });
    node.addEventListener("keydown", passLetters);
    node.style.left = `${xOf(index) - STRIP}px`;
    node.style.height = `${HEAD + TALL + LANE}px`;
    return node;
  }

  function choose(name) {
    active = name;
    strips.forEach((node, each) => node.setAttribute("tabindex", each === name ? "0" : "-1"));
    settings.choose(find(name));
  }

  // Rows and brushes: which rows are in, and what that looks like.
  function filter(mask) {
    found = mask;
    keep();
    drawLegend();
    draw();
  }

  function keep() {
    within = brushes.size ? new Uint8Array(found.length).fill(1) : null;
    for (const [name, { low, high, none }] of brushes) {
      const { at } = find(name);
      for (let row = 0; row < within.length; row++) {
        const place = at[row];
        if (!(Number.isNaN(place) ? none : low !== null && place >= low && place <= high)) within[row] = 0;
      }
    }
    kept = within ? found.map((isFound, row) => isFound & within[row]) : found;
  }

  // What the brushes leave, for the table has its own search.
  const tellTable = () => onBrush(within);

  function brush(axis, change) {
    if (change) brushes.set(axis.name, change);
    else brushes.delete(axis.name);
    keep();
    draw();
    tellTable();
  }

  function clearAll() {
    brushes.clear();
    keep();
    draw();
    tellTable();
    strips.get(active)?.focus();
  }

  function toggleNone(axis) {
    const { low, high, none } = brushes.get(axis.name) ?? { low: null, high: null, none: false };
    if (none) brush(axis, low === null ? null : { low, high, none: false });
    else if (axis.none) brush(axis, { low, high, none: true });
    else say(`Every row has a place on ${axis.label}.`);
  }

  function draw() {
    if (!colours) return;
    const dense = isDense();
    canvas.hidden = !dense;
    if (dense) drawDensity();
    else drawLines();
    drawBrushes();
    select(chosen);
    const [shown, all] = [count(kept), count(found)];
    if (brushes.size) clear.removeAttribute("aria-disabled");
    else clear.setAttribute("aria-disabled", "true");
    brushed.replaceChildren(brushes.size ? `${shown.toLocaleString("en")} of ${all.toLocaleString("en")} rows: ${[...brushes].map(([name, each]) => sayBrush(find(name), each)).join("; ")}.` : "Nothing is brushed.");
  }

  function drawDensity() {
    lines.out.replaceChildren();
    lines.in.replaceChildren();
    densities ??= makeDensities();
    const context = canvas.getContext("2d");
    const image = brushes.size ? drawFaint(context) : context.createImageData(canvas.width, canvas.height);
    densities.kept.sync(kept);
    densities.shown = kept;
    if (densities.kept.count()) paintCounts(image, densities.kept.read(), colours.ramp, colours.grey, DARK);
    context.putImageData(image, 0, 0);
  }

  // What was brushed away: all rows that were found, in grey; painted once until others are.
  function drawFaint(context) {
    if (densities.faint?.of !== found) {
      if (densities.shown !== found) densities.all.sync(found); // else they are counted already
      const counts = (densities.shown === found ? densities.kept : densities.all).read();
      densities.faint = { of: found, image: context.createImageData(canvas.width, canvas.height) };
      paintCounts(densities.faint.image, { ...counts, unlevelled: null }, null, colours.grey, FAINT);
    }
    return new ImageData(densities.faint.image.data.slice(), canvas.width, canvas.height);
  }

  function makeDensities() {
    const xs = axes.map((_, index) => xOf(index) - LEFT);
    const ys = axes.map((axis) => Int32Array.from(axis.at, (place) => Math.min(Math.round(yOf(place)) - HEAD, canvas.height - 1)));
    const size = { xs, ys, width: canvas.width, height: canvas.height };
    return { kept: lineDensity({ ...size, levels }), all: lineDensity({ ...size, levels: new Uint8Array(levels.length) }) };
  }

  function drawLines() {
    const parts = { in: [], out: [] };
    for (let row = 0; row < found.length && axes.length > 1; row++) if (found[row]) parts[kept[row] ? "in" : "out"].push((drawn[row] ??= drawLine(row)));
    lines.out.replaceChildren(...parts.out);
    lines.in.replaceChildren(...parts.in);
    lines.in.setAttribute("class", parts.in.length > 300 ? "wb-in wb-many" : "wb-in");
  }

  const pointsOf = (row) => axes.map((axis, index) => `${xOf(index)},${yOf(axis.at[row]).toFixed(1)}`).join(" ");

  // The line of a row above all others, where it is drawn.
  function point(row) {
    const isDrawn = row !== null && axes.length > 1 && found[row];
    pointed.replaceChildren(...(isDrawn ? [0, 1].map(() => h("polyline", { points: pointsOf(row) })) : []));
  }

  // Selected runs above the others, each in its own colour.
  function select(series) {
    chosen = series;
    const rows = [...chosen].filter(([row]) => axes.length > 1 && found[row]);
    selected.replaceChildren(...rows.flatMap(([row, number]) => ["wb-halo", `wb-series-${number}`].map((name) => h("polyline", { points: pointsOf(row), class: name }))));
  }

  function findLine(x, y) {
    const index = axes.findIndex((_, each) => each + 1 < axes.length && x >= xOf(each) && x <= xOf(each + 1));
    if (index < 0 || y < HEAD - REACH) return null;
    const [left, right] = [index, index + 1];
    return nearestRow(kept, (row) => distanceToLine(x, y, [xOf(left), yOf(axes[left].at[row])], [xOf(right), yOf(axes[right].at[row])]));
  }

  function drawLine(row) {
    const points = pointsOf(row);
    const [red, green, blue] = colours.ofLevel(levels[row]);
    return h("polyline", { points, class: levels[row] === UNLEVELLED ? "wb-uncoloured" : null, style: `--wb-line:rgb(${red} ${green} ${blue})` });
  }

  function drawBrushes() {
    for (const group of frame.querySelectorAll("[data-brush]")) {
      const name = group.getAttribute("data-brush");
      const [axis, each] = [find(name), brushes.get(name)];
      const x = xOf(axes.indexOf(axis));
      const part = (top, bottom) => h("rect", { class: "wb-brush", x: x - 5, width: 10, y: top, height: Math.max(bottom - top, 2), rx: 2 });
      group.replaceChildren(...(each ? [each.low === null ? null : part(yOf(each.high), yOf(each.low)), each.none ? part(yOf(NaN) - 7, yOf(NaN) + 7) : null].filter(Boolean) : []));
      tellStrip(axis, each, strips.get(name));
    }
  }

  function tellStrip(axis, each, node) {
    node.setAttribute("aria-label", `${axis.label}, axis ${axes.indexOf(axis) + 1} of ${axes.length}`);
    node.setAttribute("aria-valuenow", String(Math.round(100 * (each?.high ?? 1))));
    node.setAttribute("aria-valuetext", each ? sayBrush(axis, each) : `not brushed, ${axis.says}`);
  }

  // Fingers and keys.
  function press(event, axis) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) moveEdge(axis, step * stepOf(axis), event.shiftKey);
    else if (side && event.shiftKey) moveAxis(axis.name, side);
    else if (side) strips.get(axes[Math.min(Math.max(axes.indexOf(axis) + side, 0), axes.length - 1)].name).focus();
    else if (event.key.toLowerCase() === "n") toggleNone(axis);
    else if (event.key === "Escape") brush(axis, null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function moveEdge(axis, by, isLower) {
    const now = brushes.get(axis.name) ?? { low: 0, high: 1, none: false };
    let [low, high] = [now.low ?? 0, now.high ?? 1];
    const least = stepOf(axis);
    if (isLower) low = Math.min(Math.max(low + by, 0), high - least);
    else high = Math.max(Math.min(high + by, 1), low + least);
    const rounded = [low, high].map((edge) => Math.round(edge / least) * least);
    const isWhole = rounded[0] < 1e-9 && rounded[1] > 1 - 1e-9;
    brush(axis, isWhole && !now.none ? null : { low: rounded[0], high: Math.min(rounded[1], 1), none: now.none });
  }

  function moveAxis(name, by) {
    const from = order.indexOf(name);
    const to = Math.min(Math.max(from + by, 0), order.length - 1);
    if (from === to) return say(`${find(name).label} is the ${by < 0 ? "first" : "last"} axis.`);
    order.splice(to, 0, ...order.splice(from, 1));
    axes.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
    settings.offer(axes, active);
    arrange();
    say(`${find(name).label} is axis ${to + 1} of ${axes.length}.`);
  }

  const heightOn = (event) => event.clientY - stage.getBoundingClientRect().top;

  function grasp(event, axis, node) {
    if (event.button !== 0) return;
    node.focus();
    event.preventDefault();
    const from = heightOn(event);
    if (from < HEAD - 8) return follow(event, (moved) => dragAxis(axis, moved));
    if (from > HEAD + TALL + 4) return toggleNone(axis);
    const now = brushes.get(axis.name);
    const start = placeAt(from);
    const none = now?.none ?? false;
    const isRange = now && now.low !== null;
    if (isRange && start > now.low + NEAR && start < now.high - NEAR) {
      const span = now.high - now.low;
      return follow(event, (moved) => {
        const at = Math.min(Math.max(now.low + placeAt(heightOn(moved)) - start, 0), 1 - span);
        const low = axis.names.length ? Math.round(at * axis.names.length) / axis.names.length : at;
        brush(axis, { low, high: low + span, none });
      }, () => brush(axis, none ? { low: null, high: null, none } : null));
    }
    const anchor = isRange && Math.abs(start - now.low) <= NEAR ? now.high : isRange && Math.abs(start - now.high) <= NEAR ? now.low : start;
    return follow(event, (moved) => {
      const place = placeAt(heightOn(moved));
      const [low, high] = snap(axis, Math.min(anchor, place), Math.max(anchor, place));
      if (high > low) brush(axis, { low, high, none });
    }, () => brush(axis, none ? { low: null, high: null, none } : null));
  }

  function dragAxis(axis, moved) {
    const x = moved.clientX - stage.getBoundingClientRect().left;
    const target = axes.reduce((best, _, index) => (Math.abs(xOf(index) - x) < Math.abs(xOf(best) - x) ? index : best), 0);
    const by = target - order.indexOf(axis.name);
    if (by) moveAxis(axis.name, by);
  }

  // A node is drawn anew while it is dragged, so the page is listened to. A click without a drag is `onClick`'s.
  function follow(begun, onMove, onClick = () => {}) {
    let isDrag = false;
    const move = (event) => {
      isDrag ||= Math.hypot(event.clientX - begun.clientX, event.clientY - begun.clientY) > 2;
      if (isDrag) onMove(event);
    };
    const end = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", end);
      window.removeEventListener("pointercancel", end);
      if (!isDrag) onClick();
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end);
    window.addEventListener("pointercancel", end);
  }

  // How to read the picture where nothing stands beside it.
  function caption() {
    const { colour } = picture;
    const rows = brushes.size ? brushed.textContent : `${count(found).toLocaleString("en")} rows.`;
    return [rows, `Colour: ${colour.label} from ${colour.low} (blue) to ${colour.high} (orange). At the bottom: rows without a value.`];
  }

  return { box, foot, caption, svg, canvas, show, filter, arrange, point, select, tellTable, axes: () => axes };
}

const count = (mask) => {
  let ones = 0;
  for (let row = 0; row < mask.length; row++) ones += mask[row];
  return ones;
};
