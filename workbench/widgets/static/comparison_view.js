// Draws a comparison. Which texts, places and orders there are is decided in Python; of many runs those in sight are drawn.
const ENDED = "The kernel of this view has ended. What is shown can still be searched and sorted; other runs, intervals and pictures need a kernel: run this cell again.";
const AWAY = "The kernel of this view cannot be reached. What is shown can still be searched and sorted; all else waits until it can be.";

function render({ model, el }) {
  el.classList.add("wb-view", "wb-live");
  const live = h("div", { class: "wb-say", role: "status", "aria-live": "polite" });
  const say = (text) => live.replaceChildren(text);
  const hint = ({ text, command }) => h("p", {}, text, " ", h("code", {}, command), copyButton(() => command, "command", say));
  const refusal = h("p", { class: "wb-reply wb-refusal", role: "alert" });
  const holder = h("div", {});
  const drawn = h("div", {});
  const above = h("div", {});
  const below = h("div", {});
  const kernel = watchKernel(model, ENDED, AWAY, () => table?.showKernel());
  let table = null;

  function show() {
    const state = model.get("state");
    const head = h("p", { class: "wb-headline" }, state.headline);
    if (state.empty) {
      table?.stop();
      table = null;
      return holder.replaceChildren(head, hint(state.empty), live);
    }
    above.replaceChildren(head, facts(state.facts, say));
    below.replaceChildren(h("p", { class: "wb-quiet wb-legend" }, state.legend), hint(state.next), ...state.others.map(otherTable), explainWords(state.words));
    if (table?.update(state)) return;
    table?.stop();
    table = comparedRuns(model, say, kernel, markDrawn);
    holder.replaceChildren(above, table.node, live, below);
  }

  // Each run that was drawn has its colour beside its row.
  function markDrawn() {
    const { runs = [], series = [] } = model.get("shown");
    holder.querySelectorAll("[data-run]").forEach((mark) => {
      const place = runs.indexOf(mark.dataset.run);
      mark.setAttribute("class", place < 0 || runs.length < 2 ? "wb-swatch" : `wb-swatch wb-swatch-${series[place]}`);
    });
  }

  // The pictures of the runs that were selected.
  function showDrawn() {
    const { runs = [], pictures: found = [] } = model.get("shown");
    drawn.replaceChildren(...(found.length ? [h("h3", {}, runs.length === 1 ? "Its pictures" : "Side by side"), pictures(found, figureFiles)] : []));
    markDrawn();
  }

  const sayHeard = hearReplies(model, refusal, say, refusalBeside(el, refusal, () => holder.before(refusal)));
  const hear = () => (sayHeard(), table?.hear());
  model.on("change:state", show);
  model.on("change:reply", hear);
  model.on("change:shown", showDrawn);
  show();
  showDrawn();
  el.append(kernel.node, refusal, holder, drawn);
  return () => {
    table?.stop();
    kernel.dispose();
    model.off("change:state", show);
    model.off("change:reply", hear);
    model.off("change:shown", showDrawn);
  };
}

// What lies on another holdout, or what splits say together: a table that is only read.
function otherTable({ text, heads, rows }) {
  const cell = (each) => h("td", { class: `wb-${each.kind === "number" ? "number" : "text"}` }, each.verdict ? status(each.verdict) : each.text);
  const head = h("tr", {}, heads.map((each) => h("th", { scope: "col", class: `wb-${each.kind}` }, each.text)));
  const table = h("table", { class: "wb-table" }, h("thead", {}, head), h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell)))));
  return h("section", { class: "wb-elsewhere" }, h("p", {}, text), h("div", { class: "wb-scroll" }, table));
}

export default { render };
