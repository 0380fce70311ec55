// Draws a comparison. Which texts, places and orders there are is decided in Python; sorting picks one of the given orders.
function render({ model, el }) {
  el.classList.add("wb-view", "wb-live");
  const live = h("div", { class: "wb-say", role: "status", "aria-live": "polite" });
  const say = (text) => live.replaceChildren(text);
  const state = model.get("state");
  const hint = ({ text, command }) => h("p", {}, text, " ", h("code", {}, command), copyButton(() => command, "command", say));
  el.append(h("p", { class: "wb-headline" }, state.headline));
  if (state.empty) {
    el.append(hint(state.empty), live);
    return;
  }
  const body = h("tbody", {});
  const rows = state.rows.map((row) => tableRow(row, model, say));
  const headers = state.columns.map((column) => headerCell(column, state.axis, () => sortBy(column)));
  const table = h("table", { class: "wb-table wb-compared", onkeydown: moveFocus }, h("thead", {}, h("tr", {}, headers)), body);

  function sortBy(column) {
    const order = model.get("order");
    const descending = order.key === column.key ? order.direction !== "descending" : column.kind !== "text";
    model.set("order", { key: column.key, direction: descending ? "descending" : "ascending" });
    model.save_changes();
    say(`Sorted by ${column.label}, ${descending ? "descending" : "ascending"}.`);
  }

  function showOrder() {
    const { key, direction } = model.get("order");
    body.replaceChildren(...state.orders[key][direction].map((index) => rows[index]));
    headers.forEach((cell, index) => cell.setAttribute("aria-sort", state.columns[index].key === key ? direction : "none"));
  }

  model.on("change:order", showOrder);
  showOrder();
  el.append(facts(state.facts, say), h("div", { class: "wb-scroll" }, table), h("p", { class: "wb-quiet wb-legend" }, state.legend), hint(state.next), explainWords(state.words), live);
  return () => model.off("change:order", showOrder);
}

function headerCell(column, axis, sort) {
  const note = column.note ? h("span", { class: "wb-note" }, `, ${column.note}`) : null;
  const button = h("button", { type: "button", class: "wb-sort", onclick: sort, title: column.help || null }, column.label, note);
  return h("th", { scope: "col", class: `wb-${column.kind}` }, button, column.kind === "chart" ? ticks(axis) : null);
}

// A run leads to its report where JupyterLab serves that.
function runCell(row, reports) {
  const address = fileAddress(reports.paths?.[row.copy], reports.home);
  const id = h("code", {}, row.run);
  return address ? h("a", { href: address, target: "_blank", rel: "noopener", title: `Open the report of run ${row.run}` }, id) : id;
}

function tableRow(row, model, say) {
  const state = model.get("state");
  const copy = row.copy ? copyButton(() => row.copy, `run ${row.copy}`, say) : null;
  const name = row.name ? h("div", { class: "wb-note wb-name" }, row.name) : null;
  const cell = (content, kind, title) => h("td", { class: `wb-${kind}`, title: title || null }, content);
  return h(
    "tr",
    { class: `wb-tone-${row.verdict.tone}${row.is_reference ? " wb-reference" : ""}` },
    h("th", { scope: "row", class: "wb-text wb-run" }, runCell(row, model.get("reports")), copy, name),
    row.cells.map((item) => cell(item.text, item.kind, item.full)),
    cell(row.value, "number"),
    cell(status(row.verdict), "text"),
    h("td", { class: "wb-chart" }, interval(state.axis, row.mark, `run ${row.run}`)),
    cell(estimate(row.interval), "number"),
  );
}

// Arrows move along the column heads, and down the rows' copy buttons.
function moveFocus(event) {
  const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  if (!step) return;
  const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
  const stops = [...event.currentTarget.querySelectorAll(sideways ? ".wb-sort" : ".wb-run .wb-copy")];
  const here = stops.indexOf(event.target);
  const next = stops[here < 0 ? 0 : here + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

export default { render };
