// Cards in the launcher, the panel beside the open notebook, and saving what a view asks to be saved. What there is to say is
// decided in Python: this draws state and passes on what a person wants.
const ICON = '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" fill="#616161" d="M3 4h18v3H3zM5 9h3v11H5zM10.5 9h3v11h-3zM16 9h3v11h-3z"/></svg>';

export default function start(lab) {
  lab.icon = new lab.ui.LabIcon({ name: "workbench:bench", svgstr: ICON });
  const settings = lab.services.ServerConnection.makeSettings();
  const address = (name, query = {}) => lab.coreutils.URLExt.join(settings.baseUrl, "workbench", name) + lab.coreutils.URLExt.objectToQueryString(query);
  // Whatever does not come from our own handlers (a server that ended, say) is told in the same three parts.
  lab.ask = async (name, { query, body } = {}) => {
    const failed = (what) => ({ failed: { what, reasons: [], next: ["Look whether the server of this page still runs, then try again."] } });
    try {
      const answer = await lab.services.ServerConnection.makeRequest(address(name, query), body ? { method: "POST", body: JSON.stringify(body) } : {}, settings);
      const said = await answer.json();
      return answer.ok ? said : { failed: said.what ? said : failed(said.message || answer.statusText).failed };
    } catch (error) {
      return failed(`The server does not answer: ${error.message}`);
    }
  };
  lab.address = address;
  document.head.append(h("link", { rel: "stylesheet", href: address("extension.css") }));
  addCards(lab);
  addPanel(lab);
  saveOnRequest(lab);
}

// Cards

async function addCards(lab) {
  const cards = await lab.ask("cards");
  if (cards.failed) return;
  cards.forEach((card, rank) => {
    const command = `workbench:${card.name}`;
    const execute = (given) => openCard(lab, card, given.cwd ?? "");
    lab.app.commands.addCommand(command, { label: card.label, caption: card.caption, icon: lab.icon, execute });
    lab.launcher?.add({ command, category: "Workbench", rank });
  });
}

async function openCard(lab, card, folder) {
  const opened = await lab.ask("cards", { body: { card: card.name, folder } });
  if (opened.failed) {
    await lab.apputils.showDialog({ title: card.label, body: asWidget(lab, error(opened.failed)), buttons: [lab.apputils.Dialog.okButton({ label: "Close" })] });
    return;
  }
  if (opened.said) lab.apputils.Notification.info(opened.said, { autoClose: 8000 });
  const panel = await lab.app.commands.execute("docmanager:open", { path: opened.path, factory: "Notebook" });
  if (!opened.runs) return;
  await panel.sessionContext.ready;
  lab.app.shell.activateById(panel.id);
  await lab.app.commands.execute("notebook:run-all-cells");
}

function asWidget(lab, node) {
  return new lab.widgets.Widget({ node: h("div", { class: "wb-view" }, node) });
}

function error({ what, reasons, next }) {
  return h("div", { class: "wb-panel-failed", role: "alert" }, h("strong", {}, what), reasons.length ? h("ul", {}, reasons.map((each) => h("li", {}, prose(each)))) : null, next.join("") ? h("p", {}, "Next: ", prose(next)) : null);
}

// Saving

// A view that changed what its snapshot shows asks for it; nobody hears that where there is no JupyterLab.
function saveOnRequest(lab) {
  document.addEventListener("workbench:save", ({ target }) => {
    lab.tracker.find((panel) => panel.node.contains(target))?.context.save();
  });
}

// The panel

function addPanel(lab) {
  const node = h("div", { class: "wb-view wb-panel", role: "region", "aria-label": "Workbench" });
  const panel = new lab.widgets.Widget({ node });
  panel.id = "workbench-panel";
  panel.title.icon = lab.icon;
  panel.title.caption = "Workbench: run this notebook, its last runs, what is missing to nominate";
  lab.app.shell.add(panel, "right", { rank: 300 });
  const shown = drawPanel(node, {
    ask: (body) => lab.ask("panel", { body }),
    look: (path) => lab.ask("panel", { query: { path } }),
    report: (path, run) => lab.address("report", { path, run }),
  });
  const turn = () => shown.turnTo(lab.tracker.currentWidget?.context ?? null);
  lab.tracker.currentChanged.connect(turn);
  new MutationObserver(() => shown.wake(panel.isVisible)).observe(node, { attributes: true, attributeFilter: ["class"] });
  turn();
}

function drawPanel(node, server) {
  const live = h("div", { class: "wb-say", role: "status", "aria-live": "polite" });
  const say = (text) => live.replaceChildren(text);
  const title = h("h2", {});
  const place = h("p", { class: "wb-quiet" });
  const unsaved = h("p", { class: "wb-tone-open" });
  const problem = h("div", {});
  const form = drawForm((intent) => act(intent));
  const going = h("section", { "aria-label": "What goes on" });
  const outlook = h("section", {});
  const last = h("section", {});
  const body = h("div", {}, unsaved, problem, form.node, going, outlook, last);
  let context = null;
  let timer = 0;
  let asked = 0;
  let isSeen = false;

  const dirty = () => unsaved.replaceChildren(context?.model.dirty ? "This notebook has unsaved changes; they are saved before it runs." : "");

  async function act(intent) {
    if (!context) return;
    form.block(true);
    const path = context.path;
    try {
      if (context.model.dirty) await context.save();
      show(await server.ask({ path, ...intent }), path);
    } finally {
      form.block(false);
    }
  }

  async function look() {
    clearTimeout(timer);
    if (!context || !isSeen) return;
    const path = context.path;
    const number = (asked += 1);
    const state = await server.look(path);
    if (number === asked) show(state, path);
  }

  function show(state, path) {
    if (path !== context?.path) return;
    clearTimeout(timer);
    timer = setTimeout(look, 1000 * (state.look_again_s ?? 5));
    problem.replaceChildren(...(state.failed?.what ? [error(state.failed)] : (state.failed ?? []).map(error)));
    if (!state.fields) return;
    title.replaceChildren(state.name);
    place.replaceChildren(state.place);
    form.show(state);
    draw.going({ starting: state.starting, going: state.going });
    draw.outlook(state.outlook);
    draw.last({ runs: state.runs, empty: state.empty, path });
  }

  const draw = {
    going: redrawn(({ starting, going: items }) => going.replaceChildren(...starting.map((text) => h("p", { class: "wb-quiet", role: "status" }, text)), ...items.map((item) => goingItem(item, act)))),
    outlook: redrawn((state) => outlook.replaceChildren(...(state ? outlookPart(state, say) : []))),
    last: redrawn(({ runs, empty, path }) => last.replaceChildren(h("h3", {}, "Last runs"), empty ? h("p", {}, empty) : lastRuns(runs, (run) => server.report(path, run), say))),
  };

  const changed = (_, change) => change.name === "dirty" && dirty();
  const saved = (_, state) => state === "completed" && look();
  function turnTo(other) {
    context?.model.stateChanged.disconnect(changed);
    context?.saveState.disconnect(saved);
    context = other;
    context?.model.stateChanged.connect(changed);
    context?.saveState.connect(saved);
    [problem, going, outlook, last, place].forEach((part) => part.replaceChildren());
    form.clear();
    Object.values(draw).forEach((each) => each.forget());
    title.replaceChildren(context ? context.path.split("/").pop() : "No notebook is open");
    body.hidden = !context;
    if (!context) place.replaceChildren("Open one, or make one with the launcher's card “New experiment”.");
    dirty();
    look();
  }

  function wake(isVisible) {
    if (isVisible === isSeen) return;
    isSeen = isVisible;
    look();
  }

  node.append(title, place, body, live);
  return { turnTo, wake };
}

// A part is drawn again only when what it shows changed, so that focus and what was unfolded stay.
function redrawn(paint) {
  let painted = "";
  const show = (state) => {
    const now = JSON.stringify(state);
    if (now !== painted) paint(state);
    painted = now;
  };
  show.forget = () => { painted = ""; };
  return show;
}

function drawForm(act) {
  const fields = h("div", { class: "wb-fields" });
  const none = h("p", { class: "wb-quiet" });
  const search = h("select", { "aria-label": "How the sets of a sweep are chosen" });
  const trials = h("input", { type: "number", min: "1", max: "10000", step: "1", placeholder: "20", "aria-label": "How many runs at most" });
  const howSwept = h("div", { class: "wb-row", hidden: true }, search, trials);
  const hint = h("p", { class: "wb-quiet", hidden: true }, "Several values with commas between: 0.1,1,10. Whole numbers as 0..4. Drawn from log(0.01,100), uniform(0,1) or int(1,8).");
  const isSweep = h("input", { type: "checkbox", onchange: () => redraw() });
  const start = h("button", { type: "submit", class: "wb-button wb-primary" }, "Run");
  const reset = h("button", { type: "button", class: "wb-button", onclick: () => redraw() }, "Back to the notebook's values");
  const node = h("form", { onsubmit: send, "aria-label": "Parameters" }, h("h3", {}, "Parameters"), none, fields, h("label", { class: "wb-check" }, isSweep, " Sweep: several values each"), hint, howSwept, h("div", { class: "wb-row" }, start, reset));
  let inputs = [];
  let described = [];
  const draw = redrawn((state) => {
    described = state.fields;
    none.replaceChildren(state.no_fields);
    search.replaceChildren(...state.searches.map(({ value, text }) => h("option", { value }, text)));
    isSweep.parentElement.hidden = reset.hidden = !described.length;
    redraw();
  });

  function redraw() {
    hint.hidden = howSwept.hidden = !isSweep.checked;
    start.replaceChildren(isSweep.checked ? "Run the sweep" : "Run");
    inputs = described.map((field) => ({ field, input: isSweep.checked ? axisInput(field) : fieldInput(field) }));
    fields.replaceChildren(...inputs.map(({ field, input }) => h("label", { class: "wb-field", title: field.expects }, h("span", {}, field.name), input, h("span", { class: "wb-quiet" }, field.expects))));
    if (isSweep.checked) search.onchange = () => { trials.hidden = search.selectedIndex === 0; };
    search.onchange?.();
  }

  // Only what differs from the notebook is sent.
  function read() {
    const said = inputs.map(({ field, input }) => [field, input.value === "" && !isSweep.checked ? field.empty ?? "" : input.value]);
    return Object.fromEntries(said.filter(([field, text]) => text !== (isSweep.checked ? field.axis : field.value) && !(text === field.empty && field.value === "")).map(([field, text]) => [field.name, text]));
  }

  function send(event) {
    event.preventDefault();
    act(isSweep.checked ? { kind: "sweep", values: read(), search: search.value, trials: trials.hidden ? "" : trials.value } : { kind: "run", values: read() });
  }

  const clear = () => { draw.forget(); isSweep.checked = false; fields.replaceChildren(); };
  return { node, clear, show: ({ fields, no_fields, searches }) => draw({ fields, no_fields, searches }), block: (is) => { start.disabled = is; } };
}

function fieldInput(field) {
  const attributes = { ...field.attributes, "aria-label": field.name, required: field.empty === null };
  const node = field.control === "select" ? h("select", attributes, field.options.map((value) => h("option", { value }, value))) : h("input", { type: field.control, spellcheck: "false", ...attributes });
  node.value = field.value;
  return node;
}

function axisInput(field) {
  const node = h("input", { type: "text", spellcheck: "false", "aria-label": field.name });
  node.value = field.axis;
  return node;
}

function goingItem(item, act) {
  const stop = h("button", { type: "button", class: "wb-button", onclick: () => { stop.disabled = true; act({ kind: item.stop.kind, id: item.stop.id }); } }, item.stop.text);
  return h("div", { class: "wb-going" }, h("strong", { role: "status" }, item.headline), h("progress", { class: "wb-wide", max: item.all, value: item.done, "aria-label": "Done so far" }), h("p", { class: "wb-quiet" }, item.says), item.lines.length ? h("pre", { class: "wb-lines" }, item.lines.join("\n")) : null, stop);
}

function outlookPart({ title, text, missing, command }, say) {
  const item = ({ about, text: parts }) => h("li", {}, h("strong", {}, about), " ", prose(parts));
  const line = h("p", { class: "wb-quiet" }, h("code", {}, command), copyButton(() => command, "command", say));
  return [h("h3", {}, title), h("p", {}, text), ...(missing.length ? [h("ul", {}, missing.map(item))] : []), ...(command ? [line] : [])];
}

function lastRuns(runs, address, say) {
  const row = (run) =>
    h(
      "tr",
      {},
      h("th", { scope: "row", class: "wb-text wb-run" }, h("a", { href: address(run.report), target: "_blank", rel: "noopener", title: "Open its report" }, run.id), copyButton(() => run.id, `run ${run.id}`, say), h("div", { class: "wb-quiet" }, run.values)),
      h("td", { class: "wb-text", title: run.why || null }, status(run.status), h("div", { class: "wb-quiet" }, moment(run.when))),
      h("td", { class: "wb-number" }, run.metric ? [run.metric.value, h("div", { class: "wb-quiet" }, run.metric.name)] : ""),
    );
  const head = h("tr", {}, h("th", { scope: "col", class: "wb-text" }, "Run"), h("th", { scope: "col", class: "wb-text" }, "State"), h("th", { scope: "col", class: "wb-number" }, "Metric"));
  return h("table", { class: "wb-table", "aria-label": "Last runs" }, h("thead", {}, head), h("tbody", {}, runs.map(row)));
}
