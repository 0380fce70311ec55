// Draws the run table. What is asked of runs is answered in Python; search, order and selection of what came are the grid's.
const MOST_OFFERED = 200;
const MODES = [["runs", "Each run"], ["group_by", "Groups that share"], ["all_but", "Groups that share all but"]];
let views = 0;

function render({ model, el }) {
  el.classList.add("wb-view", "wb-live");
  const prefix = `wb-runs-${(views += 1)}`;
  const live = h("span", { class: "wb-say", role: "status", "aria-live": "polite" });
  const say = (text) => live.replaceChildren(text);
  const headline = h("p", { class: "wb-headline" });
  const place = h("p", { class: "wb-quiet" });
  const asking = h("div", { class: "wb-row" });
  const deeds = h("div", { class: "wb-row wb-deeds" });
  const holder = h("div", {});
  const legend = h("p", { class: "wb-quiet" });
  const worth = h("div", {});
  const refusal = h("p", { class: "wb-reply wb-refusal", role: "alert" });
  const drawn = runPictures({ model, prefix, say, onAsk: () => refusal.replaceChildren(), onBrush: (kept) => (grid.limit(kept), grid.chosen().length && showDeeds()), tell: (row) => ({ name: nameOf(row), pairs: grid.tell(row) }), onChoose: (row) => grid.mark(row) && say(`${nameOf(row)} is marked in the table.`) });
  let grid = null;
  let mode = "runs";
  let pinnedId = null;
  let shownKind = "";
  let colours = new Map(); // of few that are selected, in the table and in the picture

  const search = h("input", { type: "search", placeholder: "any text shown", oninput: () => find() });
  const where = h("input", { type: "text", placeholder: "roc_auc > 0.9 and family = 'forest'", onkeydown: (event) => event.key === "Enter" && ask({ where: where.value }) });
  const rows = h("select", { onchange: () => changeMode(rows.value) }, MODES.map(([value, text]) => h("option", { value }, text)));
  const keys = chooser("Which parameters", (names) => ask({ [mode]: names }));
  const shown = chooser("Columns", (names) => ask({ columns: names }));
  const field = (label, control, name = "wb-field") => h("label", { class: name }, h("span", { class: "wb-quiet" }, label), control);
  asking.append(field("Search", search), field("Condition (Enter asks)", where, "wb-field wb-long"), field("Rows", rows), keys.box, shown.box);

  function ask(change) {
    const now = model.get("state").question;
    refusal.replaceChildren();
    say("Asking …");
    const question = { ...now, ...change };
    if (change.group_by) question.all_but = [];
    if (change.all_but) question.group_by = [];
    model.send({ kind: "ask", question });
  }

  function changeMode(value) {
    mode = value;
    if (mode === "runs") return ask({ group_by: [], all_but: [] });
    keys.box.hidden = false;
    keys.open();
    say("Choose the parameters.");
  }

  function find() {
    const found = grid.search(search.value);
    drawn.filter(found);
    showDeeds();
    say(found ? `${count(found).toLocaleString("en")} of ${model.get("state").rows.toLocaleString("en")} rows show that text.` : "");
  }

  function show() {
    const state = model.get("state");
    const { question } = state;
    headline.replaceChildren(state.headline);
    place.replaceChildren(state.place);
    legend.replaceChildren(state.legend);
    where.value = question.where;
    mode = question.group_by.length ? "group_by" : question.all_but.length ? "all_but" : "runs";
    rows.value = mode;
    keys.box.hidden = mode === "runs";
    keys.offer(["params", "tags", "run"].flatMap((of) => state.known[of].map((key) => `${of}.${key}`)), question[mode] ?? []);
    shown.offer(["metrics", "params", "tags", "run"].flatMap((of) => state.known[of].map((key) => `${of}.${key}`)), question.columns);
    const selectable = !state.is_grouped;
    grid = runGrid({
      state,
      prefix,
      selectable,
      label: state.headline,
      firstLabel: state.is_grouped ? "group" : "run",
      idOf: (row) => (state.is_grouped ? "" : state.ids[row]),
      first: (row) => (state.is_grouped ? groupButton(row) : [swatch(row), runName(state.ids[row])]),
      onOpen: (row) => (state.is_grouped ? openGroup(row) : openReport(state.ids[row])),
      onSelect: () => (colour(), showDeeds()),
      onPoint: drawn.point,
      onMark: drawn.mark,
      say,
    });
    holder.replaceChildren(state.rows ? grid.box : h("p", {}, question.where ? "Of no run this is true." : "There are no runs here yet. Run a notebook: ", question.where ? null : h("code", {}, "workbench run NOTEBOOK")));
    pinnedId = null;
    colours = new Map();
    drawn.select(colours);
    const kind = `${state.is_grouped} ${state.within}`;
    if (kind !== shownKind) search.value = "";
    shownKind = kind;
    drawn.show();
    if (search.value) find();
    showDeeds();
    requestAnimationFrame(() => grid.draw());
  }

  const groupButton = (row) => h("button", { type: "button", class: "wb-sort", tabindex: "-1", title: "Show the runs of this group", onclick: () => openGroup(row) }, `Show runs`);
  const openGroup = (row) => model.send({ kind: "open group", group: row });

  function reportOf(id) {
    const reports = model.get("reports");
    return fileAddress(reports.paths?.[id], reports.home);
  }

  function runName(id) {
    const address = reportOf(id);
    const text = h("code", { title: id }, id.slice(0, 12));
    return address ? h("a", { href: address, target: "_blank", rel: "noopener", tabindex: "-1", title: `Open the report of run ${id}` }, text) : text;
  }

  function colour() {
    const rows = grid.chosen();
    const series = rows.length <= SERIES ? chooseSeries(rows.map((row) => model.get("state").ids[row])) : [];
    colours = new Map(series.map((number, at) => [rows[at], number]));
    drawn.select(colours);
  }

  const swatch = (row) => (colours.has(row) ? h("span", { class: `wb-swatch wb-swatch-${colours.get(row)}`, "aria-hidden": "true" }) : null);

  // A run by its id, a group by what its runs share.
  function nameOf(row) {
    const { is_grouped: isGrouped, columns, ids } = model.get("state");
    if (!isGrouped) return `Run ${ids[row]}`;
    const shared = grid.tell(row).slice(0, columns.findIndex((column) => column.name === "runs"));
    return shared.map((pair) => pair.join(" ")).join(", ") || "All runs";
  }

  function openReport(id) {
    const address = reportOf(id);
    if (address) window.open(address, "_blank", "noopener");
    else say(`JupyterLab serves no report of run ${id}: workbench open ${id} shows it.`);
  }

  // What can be done with the rows that are selected, or with the marked one.
  function showDeeds() {
    const state = model.get("state");
    const command = copyButton(() => state.command, "the command that asks the same", say);
    const measured = state.question.columns.find((name) => name.startsWith("metrics."));
    const what = measured ? measured.slice("metrics.".length) : "a metric";
    const explain = button(`What decides ${what}`, () => (say("Learning from these runs …"), model.send({ kind: "explain", metric: measured })), say, Boolean(measured), "Choose a metric among the columns.");
    const again = button("Look again", () => ask({}), say);
    const back = state.within ? button("Back to the groups", () => ask({}), say) : null;
    if (state.is_grouped) return deeds.replaceChildren(again, h("span", { class: "wb-quiet" }, h("code", {}, state.command), command), live);
    const chosen = grid.chosen().map((row) => state.ids[row]);
    const one = chosen.length === 1;
    const ours = model.get("is_ours");
    deeds.replaceChildren(
      ...[
        back,
        again,
        explain,
        countSelected(chosen.length, () => (grid.clear(), say("None is selected.")), grid.countHidden()),
        pinnedId ? button("Unpin", () => pin(pinnedId), say) : button("Pin", () => pin(chosen[0]), say, one, "Select one run: it stays on top as the reference."),
        ...(ours ? runDeeds(model, chosen, pinnedId, say) : []),
        h("span", { class: "wb-quiet" }, h("code", {}, state.command), command),
        live,
      ].filter(Boolean),
    );
  }

  function pin(id) {
    const row = model.get("state").ids.indexOf(id);
    pinnedId = grid.pin(row) === null ? null : id;
    showDeeds();
    say(pinnedId ? `Run ${id} stays on top; comparisons are held against it.` : `Run ${id} is not pinned any more.`);
    grid.draw();
  }

  const hear = hearReplies(model, refusal, say, refusalBeside(el, refusal, () => asking.after(refusal)));
  model.on("change:state", show);
  const showWorth = () => worth.replaceChildren(model.get("worth").title ? pictures([model.get("worth")], figureFiles) : "");
  model.on("change:reply", hear);
  model.on("change:worth", showWorth);
  show();
  showWorth();
  el.append(headline, place, asking, refusal, drawn.box, holder, deeds, legend, worth);
  return () => {
    drawn.stop();
    model.off("change:state", show);
    model.off("change:reply", hear);
    model.off("change:worth", showWorth);
  };
}

// Names to choose from, those of very many by typing a part; what is chosen is asked for once it is closed or Enter is pressed.
function chooser(label, onChange) {
  let offered = [];
  let chosen = new Set();
  let before = "";
  const count = h("span", { class: "wb-quiet" });
  const part = h("input", { type: "search", placeholder: "part of a name", "aria-label": `${label}: part of a name`, oninput: () => draw() });
  const list = h("div", { class: "wb-offered" });
  const done = h("button", { type: "button", class: "wb-button", onclick: () => (box.open = false) }, "Show");
  const away = (event) => box.isConnected && !event.composedPath().includes(box) && (box.open = false);
  const box = h("details", { class: "wb-chooser", ontoggle: () => (box.open ? begin() : end()), onkeydown: (event) => event.key === "Escape" && close(event) }, h("summary", {}, label, " ", count), h("div", { class: "wb-choices" }, part, list, done));

  const spell = () => JSON.stringify([...chosen]);
  const begin = () => ((before = spell()), window.addEventListener("pointerdown", away), part.focus());
  const end = () => (window.removeEventListener("pointerdown", away), spell() !== before && onChange([...chosen]));
  function close(event) {
    event.stopPropagation();
    chosen = new Set(JSON.parse(before));
    box.open = false;
    draw();
    box.querySelector("summary").focus();
  }

  function draw() {
    const wanted = part.value.trim().toLowerCase();
    const found = offered.filter((name) => !wanted || name.toLowerCase().includes(wanted));
    const first = [...found.filter((name) => chosen.has(name)), ...found.filter((name) => !chosen.has(name))].slice(0, MOST_OFFERED);
    const choice = (name) => {
      const check = h("input", { type: "checkbox", onchange: () => (check.checked ? chosen.add(name) : chosen.delete(name), tell()) });
      check.checked = chosen.has(name);
      return h("label", {}, check, " ", name);
    };
    const more = found.length - first.length;
    list.replaceChildren(...first.map(choice), more > 0 ? h("p", { class: "wb-quiet" }, `${more.toLocaleString("en")} more: type a part of the name.`) : "");
    tell();
  }

  const tell = () => count.replaceChildren(`(${chosen.size})`);
  return {
    box,
    open: () => ((box.open = true), part.focus()),
    offer: (names, wanted) => {
      offered = names;
      chosen = new Set(wanted);
      before = spell();
      draw();
    },
  };
}

export default { render };
