// A scatter of one parameter against one metric, with the mean for each value and its interval; both are computed in Python.
const ROOM = { left: 72, right: 24, top: 16, bottom: 48 };
const SCATTER_TALL = 336;
const DOT = 3; // pixels that a point darkens, across and down
const SPREAD = [0.3, 0.7];
const BESIDE_DOTS = 10;

// `given`: onAsk(what is to be drawn), tell(row), onPoint(row or null), onChoose(row).
function scatterPicture({ onAsk, tell: tellRow, onPoint, onChoose }) {
  const canvas = h("canvas", { class: "wb-density", "aria-hidden": "true" });
  const dots = h("g", { class: "wb-dots" });
  const frame = h("g", {});
  const pointed = h("g", { class: "wb-pointed" });
  const selected = h("g", { class: "wb-selected" });
  let chosen = new Map();
  const svg = h("svg", { class: "wb-picture wb-scatter", "aria-hidden": "true" }, dots, frame, selected, pointed);
  const stage = h("div", { class: "wb-stage" }, canvas, svg);
  const scroll = h("div", { class: "wb-across", role: "img" }, stage);
  const x = h("select", { onchange: () => ask({ x: x.value, x_is_log: null }) });
  const y = h("select", { onchange: () => ask({ y: y.value, y_is_log: null }) });
  const logs = ["x", "y"].map((of) => h("input", { type: "checkbox", onchange: (event) => ask({ [`${of}_is_log`]: event.target.checked }) }));
  const fit = h("input", { type: "checkbox", onchange: () => ask({ fits_means: fit.checked }) });
  const field = (label, control) => h("label", { class: "wb-field" }, h("span", { class: "wb-quiet" }, label), control);
  const tick = (box, text) => h("label", { class: "wb-tick-box" }, box, text);
  const choosing = h("div", { class: "wb-row" }, field("Parameter", x), tick(logs[0], " log"), field("Metric", y), tick(logs[1], " log"), tick(fit, " near the means"));
  const box = h("div", {}, choosing, scroll);
  let picture = null;
  let marks = [];
  let shown = new Uint8Array(0);
  let width = 0;
  pointing({ stage, find: findDot, mark: onPoint, tell: tellRow, onChoose });

  const across = (place) => ROOM.left + place * (width - ROOM.left - ROOM.right);
  const up = (place) => ROOM.top + (1 - place) * (SCATTER_TALL - ROOM.top - ROOM.bottom);

  function ask(change) {
    onAsk({ x: picture.x.name, y: picture.y.name, x_is_log: picture.x.is_log, y_is_log: picture.y.is_log, fits_means: picture.fits_means, ...change });
  }

  function show(scatter) {
    picture = scatter && { ...scatter, xs: floats32(scatter.x.places), ys: floats32(scatter.y.places) };
    scroll.hidden = choosing.hidden = !picture;
    if (!picture) return;
    const offer = (select, pairs, axis) => (select.replaceChildren(...pairs.map(([value, text]) => h("option", { value }, text))), (select.value = axis.name));
    offer(x, picture.params, picture.x);
    offer(y, picture.metrics, picture.y);
    for (const [index, axis] of [picture.x, picture.y].entries()) Object.assign(logs[index], { checked: axis.is_log, disabled: !axis.can_log });
    fit.checked = picture.fits_means;
    scroll.setAttribute("aria-label", `Scatter of ${picture.y.label} by ${picture.x.label}; its means are in the table below`);
    arrange();
  }

  function arrange() {
    if (!picture || !box.isConnected) return; // drawn once there is room for it
    width = Math.min(scroll.clientWidth || 800, 880);
    stage.style.width = `${width}px`;
    stage.style.height = `${SCATTER_TALL}px`;
    for (const [name, value] of Object.entries({ width, height: SCATTER_TALL, viewBox: `0 0 ${width} ${SCATTER_TALL}` })) svg.setAttribute(name, value);
    canvas.width = width;
    canvas.height = SCATTER_TALL;
    draw();
  }

  function filter(mask) {
    shown = mask;
    if (width) drawPoints();
  }

  function tell(told) {
    marks = told;
    if (width) draw();
  }

  function draw() {
    point(null);
    drawPoints();
    frame.replaceChildren(...drawAxes(), ...marks.map(drawMark));
  }

  function drawAxes() {
    const bottom = up(0);
    const text = (words, at, y, anchor, name = "wb-tick-text") => h("text", { class: name, x: at, y, "text-anchor": anchor }, words);
    const room = Math.max(4, Math.floor((width - ROOM.left - ROOM.right) / (7 * Math.max(picture.x.ticks.length, 1))) - 1);
    return [
      ...picture.y.ticks.flatMap((tick) => [h("line", { class: "wb-rule-line", x1: ROOM.left, x2: width - ROOM.right, y1: up(tick.at), y2: up(tick.at) }), text(tick.text, ROOM.left - 8, up(tick.at) + 4, "end")]),
      ...picture.x.ticks.flatMap((tick) => [h("line", { class: "wb-axis", x1: across(tick.at), x2: across(tick.at), y1: bottom, y2: bottom + 4 }), text(shorten(tick.text, room), across(tick.at), bottom + 18, "middle")]),
      h("line", { class: "wb-axis", x1: ROOM.left, x2: width - ROOM.right, y1: bottom, y2: bottom }),
      text(picture.y.title, 4, 12, "start", "wb-name"),
      text(picture.x.title, width - ROOM.right, bottom + 38, "end", "wb-name"),
    ];
  }

  const placeOfMean = ({ at, left, right, mean }) => [across(at) + (left < right ? 0 : BESIDE_DOTS), up(mean)];

  const isDrawn = (row) => picture && width && shown[row] && !Number.isNaN(picture.xs[row]) && !Number.isNaN(picture.ys[row]);
  const ring = (row, r, name) => h("circle", { cx: across(picture.xs[row]), cy: up(picture.ys[row]), r, class: name });

  // Selected runs above the others, each in its own colour.
  function select(series) {
    chosen = series;
    selected.replaceChildren(...[...chosen].filter(([row]) => isDrawn(row)).map(([row, number]) => ring(row, 5, `wb-series-${number}`)));
  }

  // A ring around the dot of a row, where it has one.
  function point(row) {
    pointed.replaceChildren(...(row !== null && isDrawn(row) ? [ring(row, 6)] : []));
  }

  // A mean lies above the dots.
  function findDot(x, y) {
    const mean = marks.find((mark) => Math.hypot(placeOfMean(mark)[0] - x, placeOfMean(mark)[1] - y) <= REACH);
    if (mean) return { text: mean.text };
    const found = nearestRow(shown, (row) => Math.hypot(across(picture.xs[row]) - x, up(picture.ys[row]) - y));
    return found && { ...found, what: "dots" };
  }

  // A mean is a diamond, its interval a line with ends; a bin has a line as wide as it is, a value stands beside its dots.
  function drawMark(mark) {
    const { left, right, low, high } = mark;
    const [x, y] = placeOfMean(mark);
    const line = (x1, x2, y1, y2) => `M${x1} ${y1}L${x2} ${y2}`;
    const path = [left < right ? line(across(left) + 1, across(right) - 1, y, y) : ""];
    if (low !== null) path.push(line(x, x, up(low), up(high)), line(x - 4, x + 4, up(low), up(low)), line(x - 4, x + 4, up(high), up(high)));
    const diamond = `M${x} ${y - 6}L${x + 6} ${y}L${x} ${y + 6}L${x - 6} ${y}Z`;
    return h("g", {}, h("path", { class: "wb-halo", d: path.join("") }), h("path", { class: "wb-interval", d: path.join("") }), h("path", { class: "wb-mean", d: diamond }));
  }

  function drawPoints() {
    const { xs, ys } = picture;
    const rows = [];
    for (let row = 0; row < shown.length; row++) if (shown[row] && !Number.isNaN(xs[row]) && !Number.isNaN(ys[row])) rows.push(row);
    canvas.hidden = rows.length <= picture.most_points;
    dots.replaceChildren(...(canvas.hidden ? rows.map((row) => h("circle", { cx: across(xs[row]).toFixed(1), cy: up(ys[row]).toFixed(1), r: 2.5 })) : []));
    if (!canvas.hidden) drawDensity(rows);
    select(chosen);
  }

  function drawDensity(rows) {
    const counts = new Uint32Array(width * SCATTER_TALL);
    const half = (DOT - 1) / 2;
    let most = 0;
    for (const row of rows) {
      const [left, top] = [Math.round(across(picture.xs[row])) - half, Math.round(up(picture.ys[row])) - half];
      for (let x = left; x < left + DOT; x++) for (let y = top; y < top + DOT; y++) most = Math.max(most, (counts[x * SCATTER_TALL + y] += 1));
    }
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, SCATTER_TALL);
    const colours = readColours(box);
    paintCounts(image, { counts, sums: counts, unlevelled: counts, most, width, height: SCATTER_TALL }, null, colours.point, SPREAD);
    context.putImageData(image, 0, 0);
  }

  // How to read the picture where nothing stands beside it.
  const caption = () => [`Dots: runs. Diamonds: mean of ${picture.y.label} with its 95 % interval, by ${picture.x.label}.`];

  return { box, caption, svg, canvas, show, filter, tell, point, select, arrange, axes: () => (picture ? [picture.x, picture.y] : []) };
}
