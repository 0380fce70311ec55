// Draws the panel beside a notebook. What there is to say is decided in Python; what a person wants is passed on.
function drawPanel(node, server) {
  const live = h("div", { class: "wb-say", role: "status", "aria-live": "polite" });
  const say = (text) => live.replaceChildren(text);
  const title = h("h2", {});
  const place = h("p", { class: "wb-quiet" });
  const unsaved = h("p", { class: "wb-tone-open" });
  const refused = h("div", {});
  const failed = h("div", {});
  const form = drawForm((intent) => act(intent));
  const going = drawGoing((intent) => act(intent));
  const outlook = h("section", {});
  const last = h("section", {});
  const body = h("div", {}, unsaved, form.node, refused, failed, going.node, outlook, last);
  let context = null;
  let timer = 0;
  let asked = 0;
  let isSeen = false;
  let isShown = false;
  let entered = null;

  const dirty = () => unsaved.replaceChildren(context?.model.dirty ? "This notebook has unsaved changes; they are saved before it runs." : "");

  async function act(intent) {
    if (!context) return;
    const number = (asked += 1);
    const path = server.path(context);
    form.block(true);
    try {
      if (context.model.dirty && intent.values) await context.save();
      const state = await server.ask({ path, ...intent });
      refused.replaceChildren(...(state.error ? [failure(state.error)] : []));
      if (number === asked && !state.error) show(state, path);
      // A long form must not hide what became of it.
      (state.error ? refused : going.node).scrollIntoView({ block: "nearest" });
    } catch (error) {
      refused.replaceChildren(failure({ what: `The notebook could not be saved: ${error.message ?? error}`, reasons: [], next: ["Save it, then try again."] }));
    } finally {
      form.block(false);
      wait(1);
    }
  }

  async function look() {
    clearTimeout(timer);
    if (!context || !isSeen) return;
    const path = server.path(context);
    const number = (asked += 1);
    const state = await server.look(path);
    if (number !== asked || !context || path !== server.path(context)) return;
    if (state.error) failed.replaceChildren(failure(state.error));
    else show(state, path);
    wait(state.look_again_s ?? 5);
  }

  function wait(seconds) {
    clearTimeout(timer);
    timer = setTimeout(look, 1000 * seconds);
  }

  // The keyboard goes to the first field, if it is still where the panel was opened from.
  function enter(opened) {
    entered = context ? opened : null;
    const first = [...form.node.querySelectorAll("input, select, button")].find((each) => each.checkVisibility());
    if (!isShown || !first || document.activeElement !== opened) return;
    entered = null;
    first.focus();
  }

  function show(state, path) {
    isShown = true;
    title.replaceChildren(state.name);
    place.replaceChildren(state.place);
    form.show(state);
    going.show(state);
    draw.failed(state.failed);
    draw.outlook(state.outlook);
    draw.last({ runs: state.runs, empty: state.empty, path });
    if (entered) enter(entered);
  }

  const draw = {
    failed: redrawn((errors) => failed.replaceChildren(...errors.map(failure))),
    outlook: redrawn((state) => outlook.replaceChildren(...(state ? outlookPart(state, say) : []))),
    last: redrawn(({ runs, empty, path }) => last.replaceChildren(h("h3", {}, "Last runs"), empty ? h("p", {}, empty) : lastRuns(runs, (run) => server.report(path, run), say))),
  };

  const changed = (_, change) => change.name === "dirty" && dirty();
  const saved = (_, state) => state === "completed" && look();
  function turnTo(other) {
    context?.model.stateChanged.disconnect(changed);
    context?.saveState.disconnect(saved);
    context = other;
    isShown = false;
    context?.model.stateChanged.connect(changed);
    context?.saveState.connect(saved);
    [refused, failed, outlook, last, place].forEach((part) => part.replaceChildren());
    [form, going, ...Object.values(draw)].forEach((part) => part.forget());
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
  return { turnTo, wake, enter };
}

// What goes on keeps its place and its button for as long as it does, so that no news takes the focus away.
function drawGoing(act) {
  const starting = h("p", { class: "wb-quiet", role: "status" });
  const list = h("div", {});
  const node = h("section", { "aria-label": "What goes on" }, starting, list);
  let known = new Map();
  const show = (state) => {
    starting.replaceChildren(state.starting.join(" "));
    known = new Map(state.going.map((item) => [item.id, known.get(item.id) ?? goingItem(item.stop, act)]));
    [...list.children].filter((child) => ![...known.values()].some((each) => each.node === child)).forEach((child) => child.remove());
    state.going.forEach((item) => {
      known.get(item.id).show(item);
      if (!known.get(item.id).node.isConnected) list.append(known.get(item.id).node);
    });
  };
  return { node, show, forget: () => show({ starting: [], going: [] }) };
}

function goingItem(wish, act) {
  const ask = () => {
    stop.disabled = true;
    stop.replaceChildren("Asked for its end…");
    act({ kind: wish.kind, id: wish.id });
  };
  const headline = h("strong", { role: "status" });
  const bar = h("progress", { "aria-label": "Done so far" });
  const says = h("p", { class: "wb-quiet" });
  const lines = h("pre", { class: "wb-lines", tabindex: "0", "aria-label": "Last lines of output" });
  const stop = h("button", { type: "button", class: "wb-button", onclick: ask }, wish.text);
  const show = (item) => {
    if (headline.textContent !== item.headline) headline.replaceChildren(item.headline);
    bar.max = item.all;
    bar.value = item.done;
    says.replaceChildren(item.says);
    lines.hidden = !item.lines.length;
    lines.replaceChildren(item.lines.join("\n"));
  };
  return { node: h("div", { class: "wb-going" }, headline, bar, says, lines, stop), show };
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
  const fields = h("div", { class: "wb-asking" });
  const none = h("p", { class: "wb-quiet" });
  const search = h("select", { "aria-label": "How the sets of a sweep are chosen" });
  const trials = h("input", { type: "number", min: "1", max: "10000", step: "1", placeholder: "20", "aria-label": "How many runs at most" });
  const howSwept = h("div", { class: "wb-row", hidden: true }, search, trials);
  const hint = h("p", { class: "wb-quiet", hidden: true }, "Several values with commas between: 0.1,1,10. Whole numbers as 0..4. Drawn from log(0.01,100), uniform(0,1) or int(1,8).");
  const isSweep = h("input", { type: "checkbox", onchange: () => redraw() });
  const start = h("button", { type: "submit", class: "wb-button wb-primary" }, "Run");
  const reset = h("button", { type: "button", class: "wb-button", title: "Fill in the notebook's own values again", onclick: () => redraw() }, "Reset");
  const node = h("form", { onsubmit: send, "aria-label": "Parameters" }, h("h3", {}, "Parameters"), none, fields, h("label", { class: "wb-check" }, isSweep, " Sweep: several values each"), hint, howSwept, h("div", { class: "wb-row" }, start, reset));
  let inputs = [];
  let described = [];
  const draw = redrawn((state) => {
    described = state.fields;
    none.replaceChildren(...prose(state.no_fields));
    search.replaceChildren(...state.searches.map(({ value, text }) => h("option", { value }, text)));
    isSweep.parentElement.hidden = reset.hidden = !described.length;
    redraw();
  });

  function redraw() {
    hint.hidden = howSwept.hidden = !isSweep.checked;
    start.replaceChildren(isSweep.checked ? "Run the sweep" : "Run");
    inputs = described.map((field) => ({ field, input: isSweep.checked ? axisInput(field) : fieldInput(field) }));
    fields.replaceChildren(...inputs.map(({ field, input }) => h("label", { class: "wb-asked", title: field.expects }, h("span", {}, field.name), input, input.tagName === "SELECT" ? null : h("span", { class: "wb-quiet" }, field.expects))));
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

  const forget = () => {
    draw.forget();
    isSweep.checked = false;
    fields.replaceChildren();
  };
  return { node, forget, show: ({ fields, no_fields, searches }) => draw({ fields, no_fields, searches }), block: (is) => { start.disabled = is; } };
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

function outlookPart({ title, text, missing, command }, say) {
  const item = ({ about, text: parts }) => h("li", {}, h("strong", {}, about), " ", prose(parts));
  const line = h("p", { class: "wb-quiet" }, h("code", {}, command), copyButton(() => command, "command", say));
  return [h("h3", {}, title), h("p", {}, text), ...(missing.length ? [h("ul", {}, missing.map(item))] : []), ...(command ? [line] : [])];
}

function lastRuns(runs, address, say) {
  const item = (run) => {
    const link = h("a", { href: address(run.report), target: "_blank", rel: "noopener", title: "Open its report" }, run.id);
    const metric = run.metric ? h("span", { class: "wb-end" }, h("span", { class: "wb-quiet" }, `${run.metric.name} `), run.metric.value) : null;
    const facts = h("div", { class: "wb-quiet" }, moment(run.when), run.values ? ` · ${run.values}` : "");
    return h("li", {}, h("div", { class: "wb-run" }, link, copyButton(() => run.id, `run ${run.id}`, say), status(run.status), metric), facts, run.why.join("") ? h("div", { class: "wb-why", title: run.why.join("") }, prose(run.why)) : null);
  };
  return h("ul", { class: "wb-runs", "aria-label": "Last runs" }, runs.map(item));
}

function failure({ what, reasons, next }) {
  return h("div", { class: "wb-panel-failed", role: "alert" }, h("strong", {}, what), reasons.length ? h("ul", {}, reasons.map((each) => h("li", {}, prose(each)))) : null, next.join("") ? h("p", {}, "Next: ", prose(next)) : null);
}
