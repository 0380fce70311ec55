// The pictures above the table: which is shown, what it says, its table and its files. The table's search and a picture's brushes
// choose the same rows.
const PICTURES = [["parallel", "Parallel coordinates"], ["scatter", "Scatter"], ["none", "None"]];
const PAUSE_MS = 200;
const LATE_MS = 3_000; // from then on words are not taken for those of the rows in sight

// `given`: model, prefix, say, onAsk(), onBrush(rows that are left as a mask, or null), tell(row) (its name and what it shows),
// onChoose(row).
function runPictures({ model, prefix, say, onAsk, onBrush, tell: tellRow, onChoose }) {
  const parallel = parallelCoordinates({ prefix, say, onBrush: (mask) => ((kept = mask), onBrush(mask), rowsChanged()), onScale: (asked) => ask({ kind: "scale", ...asked }), tell: tellRow, onPoint: point, onChoose });
  const scatter = scatterPicture({ onAsk: (asked) => ask({ kind: "choose", ...asked }), tell: tellRow, onPoint: point, onChoose });
  const pictures = { parallel, scatter };
  const which = h("select", { onchange: () => choose(which.value) }, PICTURES.map(([value, text]) => h("option", { value }, text)));
  const button = (text, what, act) => h("button", { type: "button", class: "wb-button", title: `Save ${what} as a file`, onclick: () => save(act, what) }, text);
  const files = h("span", { class: "wb-files", role: "group", "aria-label": "Save as a file" }, h("span", { class: "wb-quiet" }, "Save as "), button("SVG", "the picture", saveSvg), button("PNG", "the picture", savePng), button("CSV", "the rows that are shown", saveRows));
  const says = h("p", { class: "wb-quiet wb-says" });
  const drawn = h("div", {});
  const table = h("div", {});
  const told = h("details", {}, h("summary", {}, "As a table"), table);
  const box = h("section", { class: "wb-pictures wb-run-pictures", "aria-label": "Pictures of the runs" }, h("div", { class: "wb-row" }, h("label", { class: "wb-field" }, h("span", { class: "wb-quiet" }, "Picture"), which), files), says, drawn, told, parallel.foot);
  let shown = "parallel";
  let found = new Uint8Array(0);
  let kept = null;
  let rows = 0;
  let asked = 0;
  let waiting = null;
  let late = null;
  let marked = null; // the row that is marked in the table: it stands out while no other is pointed at

  function point(row) {
    pictures[shown]?.point(row ?? marked);
  }

  const ask = (content) => (onAsk(), model.send(content));
  const inSight = () => (kept ? found.map((isFound, row) => isFound & kept[row]) : found);

  function show() {
    const state = model.get("state");
    marked = null;
    if (rows !== state.rows) found = new Uint8Array((rows = state.rows)).fill(1);
    const { parallel: lines, scatter: points } = model.get("pictures");
    parallel.show(lines, rows);
    const isGrouped = state.is_grouped;
    which.querySelector("option[value=scatter]").disabled = isGrouped;
    if (isGrouped && shown === "scatter") shown = "parallel";
    scatter.show(points);
    which.value = shown;
    box.hidden = rows < 2;
    choose(shown);
    parallel.tellTable();
  }

  function choose(value) {
    shown = value;
    files.hidden = says.hidden = told.hidden = value === "none";
    parallel.foot.hidden = value === "none" && !kept;
    drawn.replaceChildren(...(value === "none" ? [] : [pictures[value].box]));
    if (value !== "none") pictures[value].arrange();
    point(null);
    if (value === "scatter") scatter.filter(inSight());
    tell();
  }

  // The table's search found other rows.
  function filter(mask) {
    found = mask ?? new Uint8Array(rows).fill(1);
    parallel.filter(found);
    rowsChanged();
  }

  // What rows are like is asked once they rest.
  function rowsChanged() {
    if (shown === "scatter") scatter.filter(inSight());
    clearTimeout(waiting);
    waiting = setTimeout(describe, PAUSE_MS);
    clearTimeout(late);
    late = setTimeout(() => says.prepend("Before the rows changed: "), LATE_MS);
  }

  function describe() {
    const mask = inSight();
    const chosen = [];
    for (let row = 0; row < rows; row++) if (mask[row]) chosen.push(row);
    const areSome = chosen.length < rows;
    if (!areSome && model.get("told").count === rows) return tell();
    model.send({ kind: "describe", number: `${prefix}-${(asked += 1)}`, are_some: areSome }, undefined, areSome ? [Int32Array.from(chosen).buffer] : []);
  }

  function tell() {
    if (shown === "none") return;
    const found = model.get("told");
    if (found.answers && !found.answers.startsWith(`${prefix}-`)) return; // another view of the same asked
    const { says: words, columns, rows: lines, marks } = found[shown];
    says.replaceChildren(words);
    clearTimeout(late);
    table.replaceChildren(saidTable(PICTURES.find(([value]) => value === shown)[1], columns, lines));
    if (shown === "scatter") scatter.tell(marks);
  }

  async function save(act, what) {
    try {
      await act(shown === "parallel" ? "parallel_coordinates" : shown, pictures[shown]);
      say(`Saved ${what}.`);
    } catch (error) {
      say(`The browser cannot save ${what}: ${error.message}`);
    }
  }

  function saveRows(name, { axes }) {
    const state = model.get("state");
    const columns = axes().map((axis) => state.columns.find((column) => column.name === axis.name));
    const read = columns.map((column) => {
      const values = column.kind === "text" ? codes(column.codes) : floats(column.values);
      return column.kind === "text" ? (row) => (values[row] < 0 ? null : column.texts[values[row]]) : (row) => values[row];
    });
    const mask = inSight();
    const lines = [];
    for (let row = 0; row < rows; row++) if (mask[row]) lines.push([...(state.is_grouped ? [] : [state.ids[row]]), ...read.map((value) => value(row))]);
    saveCsv(name, [...(state.is_grouped ? [] : ["run"]), ...columns.map((column) => column.name)], lines);
  }

  const redraw = () => shown !== "none" && (pictures[shown].arrange(), point(null));
  let wide = 0;
  const size = new ResizeObserver(() => {
    if (box.clientWidth === wide) return; // words that take another line change nothing
    wide = box.clientWidth;
    requestAnimationFrame(redraw);
  });
  size.observe(box);
  const theme = new MutationObserver(() => requestAnimationFrame(redraw));
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  const redrawn = () => {
    if (rows !== model.get("state").rows) return; // the state that comes with it shows all anew
    const { parallel: lines, scatter: points } = model.get("pictures");
    parallel.show(lines, rows);
    scatter.show(points);
    parallel.tellTable();
  };
  model.on("change:pictures", redrawn);
  model.on("change:told", tell);
  const stop = () => {
    size.disconnect();
    theme.disconnect();
    clearTimeout(waiting);
    clearTimeout(late);
    model.off("change:pictures", redrawn);
    model.off("change:told", tell);
  };
  const select = (series) => Object.values(pictures).forEach((each) => each.select(series));
  return { box, show, filter, point, select, mark: (row) => ((marked = row), point(null)), stop };
}
