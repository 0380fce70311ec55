// Draws a comparison. Which texts, places and orders there are is decided in Python; sorting picks one of the given orders.
const MOST_WITHOUT_SEARCH = 8;
const MOST_DRAWN = 6;

function render({ model, el }) {
  el.classList.add("wb-view", "wb-live");
  const live = h("div", { class: "wb-say", role: "status", "aria-live": "polite" });
  const say = (text) => live.replaceChildren(text);
  const hint = ({ text, command }) => h("p", {}, text, " ", h("code", {}, command), copyButton(() => command, "command", say));
  const refusal = h("p", { class: "wb-reply wb-refusal", role: "alert" });
  const holder = h("div", {});
  const drawn = h("div", {});
  const hear = hearReplies(model, refusal, say);
  let stop = () => {};

  function show() {
    stop();
    const state = model.get("state");
    const head = h("p", { class: "wb-headline" }, state.headline);
    if (state.empty) return holder.replaceChildren(head, hint(state.empty));
    const table = comparedRuns(model, say);
    stop = table.stop;
    const legend = h("p", { class: "wb-quiet wb-legend" }, state.legend);
    holder.replaceChildren(head, facts(state.facts, say), ...table.nodes, legend, hint(state.next), explainWords(state.words));
  }

  // The pictures of the runs that were selected; each has its colour beside its row.
  function showDrawn() {
    const { runs = [], pictures: found = [] } = model.get("shown");
    drawn.replaceChildren(...(found.length ? [h("h3", {}, runs.length === 1 ? "Its pictures" : "Side by side"), pictures(found, figureFiles)] : []));
    holder.querySelectorAll("[data-run]").forEach((mark) => {
      const place = runs.indexOf(mark.dataset.run);
      mark.setAttribute("class", place < 0 || runs.length < 2 ? "wb-swatch" : `wb-swatch wb-swatch-${place}`);
    });
  }

  model.on("change:state", show);
  model.on("change:reply", hear);
  model.on("change:shown", showDrawn);
  show();
  showDrawn();
  el.append(refusal, holder, live, drawn);
  return () => {
    stop();
    model.off("change:state", show);
    model.off("change:reply", hear);
    model.off("change:shown", showDrawn);
  };
}

// The table, with a search above and what can be done with selected runs below where anything can.
function comparedRuns(model, say) {
  const state = model.get("state");
  const ours = model.get("is_ours");
  const selected = new Set();
  const body = h("tbody", {});
  const rows = state.rows.map((row) => tableRow(row, model, say, ours && row.copy ? select : null));
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

  const search = h("input", { type: "search", placeholder: "any text shown", oninput: find });
  const searching = h("div", { class: "wb-row" }, h("label", { class: "wb-field" }, h("span", { class: "wb-quiet" }, "Search"), search));
  const deeds = h("div", { class: "wb-row wb-deeds" });

  function find() {
    const wanted = search.value.trim().toLowerCase();
    let count = 0;
    rows.forEach((row, index) => {
      row.hidden = !state.rows[index].is_reference && wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
      count += !row.hidden && !state.rows[index].is_reference;
    });
    say(wanted ? `${count.toLocaleString("en")} of ${(rows.length - 1).toLocaleString("en")} runs show that text.` : "");
  }

  function select(id, isSelected) {
    if (isSelected) selected.add(id);
    else selected.delete(id);
    showDeeds();
  }

  function showDeeds() {
    const chosen = [...selected];
    const hold = () => model.send({ kind: "hold against", run: chosen[0] });
    const pin = button("Hold all against it", hold, say, chosen.length === 1, "Select one run: all others are compared with it.");
    const draw = button("Show pictures", () => (say("Drawing …"), model.send({ kind: "draw", runs: chosen })), say, chosen.length > 0 && chosen.length <= MOST_DRAWN, `Select one run to ${MOST_DRAWN}.`);
    deeds.replaceChildren(countSelected(chosen.length), draw, pin, ...runDeeds(model, chosen, null, say));
  }

  model.on("change:order", showOrder);
  showOrder();
  if (ours) showDeeds();
  const nodes = [rows.length > MOST_WITHOUT_SEARCH ? searching : "", h("div", { class: "wb-scroll" }, table), ours ? deeds : ""];
  return { nodes, stop: () => model.off("change:order", showOrder) };
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

function tableRow(row, model, say, select) {
  const state = model.get("state");
  const copy = row.copy ? copyButton(() => row.copy, `run ${row.copy}`, say) : null;
  const name = row.name ? h("div", { class: "wb-note wb-name" }, row.name) : null;
  const check = select ? h("input", { type: "checkbox", "aria-label": `Select run ${row.run}`, onchange: () => select(row.copy, check.checked) }) : null;
  const cell = (content, kind, title) => h("td", { class: `wb-${kind}`, title: title || null }, content);
  return h(
    "tr",
    { class: `wb-tone-${row.verdict.tone}${row.is_reference ? " wb-reference" : ""}` },
    h("th", { scope: "row", class: "wb-text wb-run" }, check, row.copy ? h("span", { class: "wb-swatch", "data-run": row.copy, "aria-hidden": "true" }) : null, runCell(row, model.get("reports")), copy, name),
    row.cells.map((item) => cell(item.text, item.kind, item.full)),
    cell(row.value, "number"),
    cell(status(row.verdict), "text"),
    h("td", { class: "wb-chart" }, interval(state.axis, row.mark, `run ${row.run}`)),
    cell(estimate(row.interval), "number"),
  );
}

// Arrows move along the column heads, and down what selects the rows, or their copy buttons.
function moveFocus(event) {
  const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  if (!step) return;
  const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
  const down = event.currentTarget.querySelector(".wb-run input") ? ".wb-run input" : ".wb-run .wb-copy";
  const stops = [...event.currentTarget.querySelectorAll(sideways ? ".wb-sort" : down)];
  const here = stops.indexOf(event.target);
  const next = stops[here < 0 ? 0 : here + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

export default { render };
