// Draws a run that goes on. What there is to say is decided in Python; a button emits the wish to stop it.
const SILENT_S = 15;

function render({ model, el }) {
  el.classList.add("wb-view", "wb-live");
  const say = (text) => live.replaceChildren(text);
  const headline = h("p", { class: "wb-headline", role: "status", "aria-live": "polite" });
  const silent = h("p", { class: "wb-tone-open" });
  const bar = h("progress", { class: "wb-wide", "aria-label": "Cells done" });
  const body = h("div", {});
  const live = h("span", { class: "wb-quiet", role: "status", "aria-live": "polite" });
  const stop = h("button", { type: "button", class: "wb-button", onclick: () => ask() }, "Stop this run");
  const line = h("code", {});
  const command = h("p", { class: "wb-quiet" }, "On the command line: ", line, copyButton(() => line.textContent, "command", say));
  let heard = Date.now();
  let told = "";

  function ask() {
    stop.disabled = true;
    model.send({ kind: "stop" });
  }

  function show() {
    const state = model.get("state");
    heard = Date.now();
    silent.replaceChildren();
    // A live region says what is put into it, also what stood there before.
    if (told !== state.headline) headline.replaceChildren((told = state.headline));
    headline.className = `wb-headline wb-tone-${state.tone}`;
    bar.max = Math.max(state.cells, 1);
    bar.value = state.done;
    bar.title = state.progress;
    bar.hidden = state.is_over;
    stop.hidden = state.is_over;
    line.replaceChildren(state.command);
    const rows = state.metrics.map((each) => h("tr", {}, h("th", { scope: "row", class: "wb-text" }, each.name), h("td", { class: "wb-number" }, each.value)));
    const head = h("thead", {}, h("tr", {}, h("th", { scope: "col", class: "wb-text" }, "Metric"), h("th", { scope: "col", class: "wb-number" }, "So far")));
    body.replaceChildren(
      ...[
        state.reason && h("p", {}, state.reason),
        h("p", { class: "wb-quiet" }, state.progress),
        rows.length && h("table", { class: "wb-table" }, head, h("tbody", {}, rows)),
        state.lines.length && h("pre", { class: "wb-lines", tabindex: "0", "aria-label": "Last lines of output" }, state.lines.join("\n")),
        state.empty && h("p", { class: "wb-quiet" }, state.empty),
      ].filter(Boolean),
    );
  }

  function showReply() {
    stop.disabled = false;
    say(model.get("reply"));
  }

  function listen() {
    const quiet = Math.round((Date.now() - heard) / 1000);
    if (quiet >= SILENT_S && !model.get("state").is_over) silent.replaceChildren(`Nothing was heard for ${quiet} s: the kernel of this view may have ended. Run this cell again.`);
  }

  const timer = setInterval(listen, 1000);
  model.on("change:state", show);
  model.on("change:reply", showReply);
  show();
  el.append(headline, silent, bar, body, h("div", { class: "wb-row" }, stop, live), command);
  return () => {
    clearInterval(timer);
    model.off("change:state", show);
    model.off("change:reply", showReply);
  };
}

export default { render };
