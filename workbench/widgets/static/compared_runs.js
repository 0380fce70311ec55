// The table of compared runs. All of few runs are searched and sorted here; of many those in sight are shown, and Python searches,
// sorts and measures: what comes into view and has no interval yet is asked for.
const MOST_WITHOUT_SEARCH = 8;
const MOST_DRAWN = 6;
const AT_ONCE = 10;
const REST_MS = 250;
const counted = (count, what) => `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;

// The table, with a search above and what can be done with selected runs below where anything can.
function comparedRuns(model, say, kernel, changed) {
  let state = model.get("state");
  const ours = model.get("is_ours");
  const selected = new Set();
  const asked = new Set();
  const inView = new Set();
  let isBusy = false;
  let awaited = null; // what was asked to be in sight and has not come yet
  let pauseOfSearch = 0;
  let pauseOfView = 0;
  let rows = [];
  const body = h("tbody", {});
  const headers = state.columns.map((column) => headerCell(column, () => sortBy(column)));
  const table = h("table", { class: "wb-table wb-compared", onkeydown: moveFocus, onfocusin: (event) => letIn(event.target.closest("tbody tr")) }, h("thead", {}, h("tr", {}, headers.map((header) => header.cell))), body);
  const seeing = new IntersectionObserver(notice);
  const asks = () => state.sight && !kernel.hasEnded();

  function sortBy(column) {
    const order = awaited ?? model.get("order");
    const descending = order.key === column.key ? order.direction !== "descending" : column.kind !== "text";
    const direction = descending ? "descending" : "ascending";
    if (asks()) return arrange({ key: column.key, direction, first: 0 }, `Sorting ${counted(state.sight.all, "run")} …`);
    model.set("order", { key: column.key, direction });
    if (!kernel.hasEnded()) model.save_changes();
    say(`Sorted by ${column.label}, ${direction}${state.sight ? ", of the runs shown" : ""}.`);
  }

  // Somebody who is faster than the kernel goes on from what was asked, not from what is still shown.
  const sight = () => ({ ...state.sight, ...awaited });

  // Beyond the last runs there are none: these have come then.
  const hasCome = () => ["search", "key", "direction"].every((name) => awaited[name] === state.sight[name]) && (awaited.first === state.sight.first || (awaited.first > state.sight.first && !canTurn(1, state.sight)));

  function arrange(change, doing) {
    const { search, key, direction, first } = sight();
    awaited = { search, key, direction, first, ...change };
    say(doing);
    asked.clear();
    model.send({ kind: "arrange", ...awaited });
  }

  function showOrder() {
    const { key, direction } = model.get("order");
    // What Python put in order stays so while it is there to be asked.
    const order = asks() ? rows.map((_, index) => index) : (state.orders[key]?.[direction] ?? state.orders.value.descending);
    const nodes = order.map((index) => rows[index]);
    if (nodes.some((node, index) => node !== body.children[index]) || nodes.length !== body.children.length) body.replaceChildren(...nodes);
    headers.forEach(({ cell }, index) => cell.setAttribute("aria-sort", state.columns[index].key === key ? direction : "none"));
    letInFocused();
  }

  // One row at a time is reached with Tab, so that what stands below the table is near: arrows lead to the others.
  function letIn(row) {
    if (!row || rows.length <= MOST_WITHOUT_SEARCH + 1) return;
    for (const each of rows) each.querySelectorAll(".wb-run :is(a, input, button)").forEach((control) => control.setAttribute("tabindex", each === row ? "0" : "-1"));
  }

  function letInFocused() {
    const focused = table.getRootNode().activeElement;
    const control = body.contains(focused) ? focused : body.querySelector("tr:not([hidden]) .wb-run :is(a, input, button)");
    letIn(control?.closest("tr"));
  }

  const search = h("input", { type: "search", placeholder: "any text shown", oninput: () => (asks() ? searchSoon() : find()) });
  const searching = h("label", { class: "wb-field" }, h("span", { class: "wb-quiet" }, "Search"), search);
  const deeds = h("div", { class: "wb-row wb-deeds" });
  const says = h("span", { class: "wb-quiet" });
  const turning = h("div", { class: "wb-row wb-end" }, says);
  const turns = [turnButton("First", -Infinity), turnButton("Previous", -1), turnButton("Next", 1), turnButton("Last", Infinity)];

  function turnButton(word, way) {
    const node = h("button", { type: "button", class: "wb-button", onclick: () => turn(way) });
    return { node, show: () => (node.replaceChildren(Number.isFinite(way) ? `${word} ${state.sight.most}` : word), node.setAttribute("aria-disabled", String(!canTurn(way)))) };
  }

  const canTurn = (way, { first, most, found } = sight()) => (way < 0 ? first > 0 : first + most < found);
  const lastFirst = () => Math.max(0, Math.floor((state.sight.found - 1) / state.sight.most) * state.sight.most);

  function turn(way) {
    if (kernel.hasEnded()) return say("The kernel has ended: run this cell again to see other runs.");
    if (!canTurn(way)) return say(way < 0 ? "These are the first." : "These are the last.");
    box.scrollTop = 0;
    arrange({ first: Math.min(Math.max(sight().first + way * state.sight.most, 0), lastFirst()) }, "Turning …");
  }

  function searchSoon() {
    clearTimeout(pauseOfSearch);
    pauseOfSearch = setTimeout(() => asks() && search.value.trim() !== sight().search && arrange({ search: search.value.trim(), first: 0 }, `Searching ${counted(state.sight.all, "run")} …`), REST_MS);
  }

  function find() {
    const wanted = search.value.trim().toLowerCase();
    let count = 0;
    rows.forEach((row, index) => {
      row.hidden = !state.rows[index].is_reference && wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
      count += !row.hidden && !state.rows[index].is_reference;
    });
    letInFocused();
    say(wanted ? `${count.toLocaleString("en")} of ${(rows.length - 1).toLocaleString("en")} runs${state.sight ? " shown" : ""} show that text.` : "");
  }

  function notice(entries) {
    for (const { target, isIntersecting } of entries) isIntersecting ? inView.add(target) : inView.delete(target);
    measureSoon();
  }

  function measureSoon() {
    clearTimeout(pauseOfView);
    pauseOfView = setTimeout(measure, REST_MS);
  }

  // Asks for the intervals of some rows in view, and for those of others once these are there.
  function measure() {
    if (!asks() || isBusy) return;
    const wanted = state.rows.filter((row, index) => !row.is_measured && inView.has(rows[index]) && !asked.has(row.copy)).slice(0, AT_ONCE);
    if (!wanted.length) return;
    isBusy = true;
    wanted.forEach((row) => {
      asked.add(row.copy);
      rows[state.rows.indexOf(row)].querySelector(".wb-verdict").replaceChildren(h("span", { class: "wb-quiet" }, "Measuring …"));
    });
    say(`Measuring ${counted(wanted.length, "run")} in view …`);
    model.send({ kind: "measure", runs: wanted.map((row) => row.copy) });
  }

  function select(id, isSelected) {
    if (isSelected) selected.add(id);
    else selected.delete(id);
    showDeeds();
  }

  function showDeeds() {
    const chosen = [...selected];
    const hold = () => (say("Comparing …"), model.send({ kind: "hold against", run: chosen[0] }));
    const pin = button("Hold all against it", hold, say, chosen.length === 1, "Select one run: all others are compared with it.");
    const draw = button("Show pictures", () => (say("Drawing …"), model.send({ kind: "draw", runs: chosen })), say, chosen.length > 0 && chosen.length <= MOST_DRAWN, `Select one run to ${MOST_DRAWN}.`);
    const clear = () => (selected.clear(), table.querySelectorAll("tbody input:checked").forEach((check) => (check.checked = false)), showDeeds(), say("None is selected."));
    const hidden = chosen.filter((id) => !state.rows.some((row) => row.copy === id)).length;
    deeds.replaceChildren(countSelected(chosen.length, clear, hidden), draw, pin, ...runDeeds(model, chosen, null, say));
  }

  const choose = (row) => (ours && row.copy ? { isSelected: selected.has(row.copy), act: select } : null);

  // Draws the rows of a state; those of the same runs stay the nodes they were, so that nothing loses its place or the focus.
  function drawRows() {
    const known = new Map(rows.map((node) => [node.dataset.key, node]));
    rows = state.rows.map((row) => {
      const node = known.get(row.copy ?? row.run) ?? tableRow(row, model, say, choose(row));
      fillRow(node, row, state.axis);
      return node;
    });
    known.forEach((node) => rows.includes(node) || (seeing.unobserve(node), inView.delete(node)));
    if (state.sight) rows.forEach((node) => seeing.observe(node));
    headers.forEach((header, index) => header.show(state.columns[index], state.axis));
    showOrder();
    changed();
  }

  function showSight() {
    if (!state.sight) return;
    says.replaceChildren(state.sight.says);
    turns.forEach((each) => each.show());
    if (!search.matches(":focus") && !awaited) search.value = state.sight.search;
  }

  // Shows the same runs after others were measured or came into sight; false where it is another comparison.
  function update(next) {
    const isSame = state.sight && next.sight && next.times === state.times && next.columns.length === state.columns.length;
    if (!isSame) return false;
    state = next;
    if (awaited && hasCome()) awaited = null;
    drawRows();
    showSight();
    if (selected.size) showDeeds();
    return true;
  }

  function hear() {
    isBusy = false;
    if (state.sight) measureSoon();
  }

  function showKernel() {
    rows.forEach((row) => (row.hidden = false));
    showOrder();
    if (search.value) find();
  }

  model.on("change:order", showOrder);
  const box = h("div", { class: "wb-scroll" }, table);
  if (state.sight) turning.append(...turns.map((each) => each.node));
  drawRows();
  showSight();
  if (ours) showDeeds();
  const keys = h("p", { class: "wb-quiet wb-keys" }, "Arrows move from run to run and from column to column.");
  const isLong = rows.length > MOST_WITHOUT_SEARCH;
  const node = h("div", {}, isLong ? h("div", { class: "wb-row" }, searching, state.sight ? turning : "") : "", box, isLong ? keys : "", ours ? deeds : "");
  const stop = () => (clearTimeout(pauseOfSearch), clearTimeout(pauseOfView), seeing.disconnect(), model.off("change:order", showOrder));
  return { node, update, hear, showKernel, stop };
}

function headerCell(column, sort) {
  const note = column.note ? h("span", { class: "wb-note" }, `, ${column.note}`) : null;
  const button = h("button", { type: "button", class: "wb-sort", onclick: sort, title: column.help || null }, column.label, note);
  const scale = h("div", {});
  const cell = h("th", { scope: "col", class: `wb-${column.kind}` }, button, column.kind === "chart" ? scale : null);
  return { cell, show: (_, axis) => column.kind === "chart" && scale.replaceChildren(ticks(axis)) };
}

// A run leads to its report where JupyterLab serves that.
function runCell(row, reports) {
  const address = fileAddress(reports.paths?.[row.copy], reports.home);
  const id = h("code", {}, row.run);
  return address ? h("a", { href: address, target: "_blank", rel: "noopener", title: `Open the report of run ${row.run}` }, id) : id;
}

function tableRow(row, model, say, choice) {
  const copy = row.copy ? copyButton(() => row.copy, `run ${row.copy}`, say) : null;
  const name = row.name ? h("div", { class: "wb-note wb-name" }, row.name) : null;
  const check = choice ? h("input", { type: "checkbox", "aria-label": `Select run ${row.run}`, onchange: () => choice.act(row.copy, check.checked) }) : null;
  if (check) check.checked = choice.isSelected;
  const swatch = row.copy ? h("span", { class: "wb-swatch", "data-run": row.copy, "aria-hidden": "true" }) : null;
  return h("tr", { "data-key": row.copy ?? row.run }, h("th", { scope: "row", class: "wb-text wb-run" }, check, swatch, runCell(row, model.get("reports")), copy, name));
}

// What a row says beside its run, whose cell stays: it may have the focus.
function fillRow(node, row, axis) {
  const cell = (content, kind, title) => h("td", { class: `wb-${kind}`, title: title || null }, content);
  node.setAttribute("class", `wb-tone-${row.verdict.tone}${row.is_reference ? " wb-reference" : ""}`);
  while (node.children.length > 1) node.lastChild.remove();
  node.append(
    ...row.cells.map((item) => cell(item.text, item.kind, item.full)),
    cell(row.value, "number"),
    h("td", { class: "wb-text wb-verdict" }, status(row.verdict), row.needed && h("div", { class: "wb-note", title: row.needed.full }, row.needed.text)),
    h("td", { class: "wb-chart" }, interval(axis, row.mark, `run ${row.run}`)),
    cell(estimate(row.interval), "number"),
    ...row.beside.map((each) => cell(besideValue(each), "number", each.verdict && `${each.verdict.word}: ${each.full}`)),
  );
}

// A value by a further metric with the sign of its verdict.
function besideValue({ text, verdict }) {
  return verdict ? [`${text}\u00a0`, h("span", { class: `wb-status wb-tone-${verdict.tone}`, role: "img", "aria-label": verdict.word }, verdict.shape)] : [text];
}

// Arrows move along the column heads, and down what selects the rows, or their copy buttons.
function moveFocus(event) {
  const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  if (!step) return;
  const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
  const down = `tr:not([hidden]) .wb-run ${event.currentTarget.querySelector(".wb-run input") ? "input" : ".wb-copy"}`;
  const stops = [...event.currentTarget.querySelectorAll(sideways ? ".wb-sort" : down)];
  const here = stops.indexOf(event.target);
  const next = stops[here < 0 ? 0 : here + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

