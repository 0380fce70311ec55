// Cards in the launcher, the panel beside the open notebook, and saving what a view asks to be saved. What there is to say is
// decided in Python: this draws state and passes on what a person wants.
const SHAPES = {
  bench: "M3 4h18v3H3zM5 9h3v11H5zM10.5 9h3v11h-3zM16 9h3v11h-3z",
  new: "M9 3h6v2h-1v4l5.4 9.4A1.8 1.8 0 0 1 17.8 21H6.2a1.8 1.8 0 0 1-1.6-2.6L10 9V5H9zm2.6 7L9 15h6l-2.6-5z",
  compare: "M11 3h2v18h-2zM4 7h9v3H4zm4 7h12v3H8z",
  review: "M5 3h14v18H5zm2 2v14h10V5zm9.2 4.3-5.4 5.9-3-2.8 1.3-1.4 1.6 1.5 4.1-4.5z",
  tour: "M5 3h2v1h11l-3 4 3 4H7v9H5z",
};

const SAVE_AFTER_MS = [100, 900, 3000];

export default function start(lab) {
  lab.icon = (name) => new lab.ui.LabIcon({ name: `workbench:${name}`, svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" fill="#616161" fill-rule="evenodd" d="${SHAPES[name] ?? SHAPES.bench}"/></svg>` });
  const settings = lab.services.ServerConnection.makeSettings();
  const address = (name, query = {}) => lab.coreutils.URLExt.join(settings.baseUrl, "workbench", name) + lab.coreutils.URLExt.objectToQueryString(query);
  // Whatever does not come from our own handlers (a server that ended, say) is told in the same three parts.
  lab.ask = async (name, { query, body } = {}) => {
    const failed = (what) => ({ error: { what, reasons: [], next: ["Look whether the server of this page still runs, then try again."] } });
    try {
      const answer = await lab.services.ServerConnection.makeRequest(address(name, query), body ? { method: "POST", body: JSON.stringify(body) } : {}, settings);
      const said = await answer.json();
      return answer.ok ? said : said.what ? { error: said } : failed(said.message || answer.statusText);
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
  if (cards.error) return;
  cards.forEach((card, rank) => {
    const command = `workbench:${card.name}`;
    const execute = (given) => openCard(lab, card, given.cwd ?? "");
    lab.app.commands.addCommand(command, { label: card.label, caption: card.caption, icon: lab.icon(card.name), execute });
    lab.launcher?.add({ command, category: "Workbench", rank });
    lab.palette?.addItem({ command, category: "Workbench" });
  });
}

async function openCard(lab, card, folder) {
  const opened = await lab.ask("cards", { body: { card: card.name, folder } });
  if (opened.error) {
    await lab.apputils.showDialog({ title: card.label, body: asWidget(lab, failure(opened.error)), buttons: [lab.apputils.Dialog.okButton({ label: "Close" })] });
    return;
  }
  if (opened.said) lab.apputils.Notification.info(opened.said, { autoClose: 8000 });
  const panel = await lab.app.commands.execute("docmanager:open", { path: opened.path, factory: "Notebook" });
  if (!opened.runs) return;
  await panel.sessionContext.ready;
  lab.app.shell.activateById(panel.id);
  await lab.app.commands.execute("notebook:run-all-cells");
  panel.content.activeCellIndex = 0;
  panel.content.scrollToItem(0);
  panel.content.activate(); // the keyboard was left at the last cell, out of sight
}

function asWidget(lab, node) {
  return new lab.widgets.Widget({ node: h("div", { class: "wb-told" }, h("div", { class: "wb-view" }, node)) });
}

// Saving

// A view that changed what its snapshot shows asks for it; nobody hears that where there is no JupyterLab. Snapshot and state of
// the view may reach the notebook later than the request, and two saves at once would be a conflict for JupyterLab: one after
// the other, for as long as something changes.
function saveOnRequest(lab) {
  const going = new WeakSet(), again = new WeakSet();
  document.addEventListener("workbench:save", async ({ target }) => {
    const context = lab.tracker.find((panel) => panel.node.contains(target))?.context;
    if (!context || (again.add(context) && going.has(context))) return;
    going.add(context);
    try {
      while (again.delete(context)) for (const pause of SAVE_AFTER_MS) await saveLater(context, pause);
    } finally {
      going.delete(context);
    }
  });
}

async function saveLater(context, pause) {
  await new Promise((done) => setTimeout(done, pause));
  if (!context.isDisposed && context.model.dirty) await context.save();
}

// The panel

function addPanel(lab) {
  const node = h("div", { class: "wb-view", role: "region", "aria-label": "Workbench" });
  const panel = new lab.widgets.Widget({ node: h("div", { class: "wb-panel" }, node) });
  panel.id = "workbench-panel";
  panel.title.icon = lab.icon("bench");
  panel.title.caption = "Workbench: run this notebook, its last runs, what is missing to nominate";
  panel.node.tabIndex = -1;
  // Its sign comes after it in the page: without this, Tab leads away from what was just opened. What it shows may still be on its way.
  panel.onActivateRequest = () => {
    panel.node.focus();
    shown.enter(panel.node);
  };
  lab.app.shell.add(panel, "right", { rank: 300 });
  // The palette gives the focus back to where it was before; what it opened comes after that.
  const command = "workbench:panel";
  lab.app.commands.addCommand(command, { label: "Workbench: Run This Notebook, See Its Runs", execute: () => setTimeout(() => lab.app.shell.activateById(panel.id), 100) });
  lab.palette?.addItem({ command, category: "Workbench" });
  const shown = drawPanel(node, {
    path: (context) => lab.app.serviceManager.contents.localPath(context.path),
    ask: (body) => lab.ask("panel", { body }),
    look: (path) => lab.ask("panel", { query: { path } }),
    report: (path, run) => lab.address("report", { path, run }),
  });
  const turn = () => shown.turnTo(lab.tracker.currentWidget?.context ?? null);
  lab.tracker.currentChanged.connect(turn);
  new MutationObserver(() => shown.wake(panel.isVisible)).observe(panel.node, { attributes: true, attributeFilter: ["class"] });
  turn();
}
