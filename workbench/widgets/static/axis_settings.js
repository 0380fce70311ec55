// What can be set of an axis of the parallel coordinates: from where to where it goes, powers of ten, its place among the others.
// What is brushed of an axis, in words.
function sayBrush(axis, { low, high, none }) {
  const parts = low === null ? [] : [axis.names.length ? sayNames(axis.names, low, high) : `${formatEdge(valueAt(axis, low))} to ${formatEdge(valueAt(axis, high))}`];
  return `${axis.label} ${[...parts, ...(none ? [axis.lane] : [])].join(" or ")}`;
}

function sayNames(names, low, high) {
  const chosen = names.slice(Math.round(low * names.length), Math.round(high * names.length)).reverse();
  return chosen.length <= 3 ? chosen.join(" or ") : `${chosen[0]} to ${chosen.at(-1)} (${chosen.length.toLocaleString("en")} of ${names.length.toLocaleString("en")} values)`;
}

// What a press would do at a height of an axis: move it, brush it, stretch or move its brush, or choose the rows without a value.
const NEAR = 6 / TALL;
const placeAt = (height) => Math.min(Math.max(1 - (height - HEAD) / TALL, 0), 1);

function cursorAt({ offsetY }, brush) {
  if (offsetY < HEAD - 8) return "grab";
  if (offsetY > HEAD + TALL + 4) return "pointer";
  if (!brush || brush.low === null) return "crosshair";
  const place = placeAt(offsetY);
  if (Math.min(Math.abs(place - brush.low), Math.abs(place - brush.high)) <= NEAR) return "ns-resize";
  return place > brush.low && place < brush.high ? "move" : "crosshair";
}

// A brush on an axis that is drawn otherwise now: the same values, where they have a place.
function carry(brush, from, to) {
  if (!from || !to) return null;
  if (from.names.length || to.names.length) return from.names.join("\n") === to.names.join("\n") ? brush : null;
  if (brush.low === null) return brush;
  const [low, high] = [brush.low, brush.high].map((place, end) => (place === end ? end : Math.min(Math.max(placeOf(to, valueAt(from, place)) || 0, 0), 1)));
  return low < high ? { ...brush, low, high } : null;
}

// Whole categories are in or out.
function snap(axis, low, high) {
  const parts = axis.names.length;
  return parts ? [Math.floor(low * parts) / parts, Math.ceil(high * parts) / parts] : [low, high];
}

// How far one key moves an edge.
const stepOf = (axis) => (axis.names.length && axis.names.length <= 50 ? 1 / axis.names.length : 1 / 50);

// `given`: onScale(what is asked), onMove(name, by), onChoose(name), onNone(name).
function axisSettings({ onScale, onMove, onChoose, onNone }) {
  let axis = null;
  let axes = [];
  const which = h("select", { onchange: () => choose(axes.find((each) => each.name === which.value), true) });
  const ask = () => onScale({ axis: axis.name, low: low.value, high: high.value, is_log: log.checked });
  const edge = () => h("input", { type: "text", class: "wb-short", inputmode: "decimal", onkeydown: (event) => event.key === "Enter" && ask() });
  const [low, high] = [edge(), edge()];
  const log = h("input", { type: "checkbox", onchange: ask });
  const button = (text, act, title) => h("button", { type: "button", class: "wb-button", title, onclick: act }, text);
  const field = (label, control) => h("label", { class: "wb-field" }, h("span", { class: "wb-quiet" }, label), control);
  const show = button("Show", ask, "Draw the axis from and to these values");
  const fit = button("Fit", () => onScale({ axis: axis.name, low: "", high: "", is_log: log.checked }), "Draw the axis so that it shows all values");
  const none = button("Rows without a value", () => onNone(axis.name), "Brush the rows without a value there, or not");
  const box = h(
    "details",
    { class: "wb-axis-settings" },
    h("summary", {}, "Axes: keys, range, log and order"),
    h("div", { class: "wb-row" }, field("Axis", which), field("From", low), field("To", high), h("label", { class: "wb-tick-box" }, log, " log"), show, fit, button("Move left", () => onMove(axis.name, -1)), button("Move right", () => onMove(axis.name, 1)), none),
  );

  function choose(chosen, isAsked = false) {
    if (!chosen) return;
    axis = chosen;
    which.value = axis.name;
    const isText = axis.names.length > 0;
    low.value = isText ? "" : formatEdge(axis.low);
    high.value = isText ? "" : formatEdge(axis.high);
    log.checked = axis.is_log;
    for (const control of [low, high, show, fit]) control.disabled = isText;
    log.disabled = !axis.can_log;
    none.disabled = !axis.none;
    if (isAsked) onChoose(axis.name);
  }

  function offer(offered, active) {
    axes = offered;
    which.replaceChildren(...axes.map((each) => h("option", { value: each.name }, each.label)));
    choose(axes.find((each) => each.name === active));
  }

  return { box, offer, choose };
}
