// Draws a review and passes on what the reviewer wants. Nothing is decided here: Python answers every request.
const PATIENCE_MS = 5000;

function render({ model, el }) {
  el.classList.add("wb-view");
  const live = h("div", { class: "wb-say", role: "status", "aria-live": "polite" });
  const say = (text) => live.replaceChildren(text);
  const requests = openRequests(model);
  const parts = [head(model, say), scorePart(model), checksPart(model), questionsPart(model, requests), signPart(model, requests, say)];
  const show = () => parts.forEach((part) => part.show(model.get("state")));
  const hear = (message) => message.kind === "hello" && el.classList.add("wb-live");

  el.append(...parts.map((part) => part.node), live);
  model.on("change:state", show);
  model.on("change:reply", requests.close);
  model.on("msg:custom", hear);
  show();
  // Only a kernel that answers makes this view live; until then the reader sees the snapshot.
  model.send({ kind: "hello" });
  return () => {
    model.off("change:state", show);
    model.off("change:reply", requests.close);
    model.off("msg:custom", hear);
    requests.dispose();
  };
}

// One request at a time for each thing asked about, so that a second click cannot sign twice.
function openRequests(model) {
  const open = new Map();
  let count = 0;
  const ask = (about, message, output, done) => {
    if (open.has(about)) return;
    const wait = setTimeout(() => reply(output, { tone: "open", what: "No answer from the kernel yet: it is busy or stopped. Your text is kept." }), PATIENCE_MS);
    open.set(about, { output, done, wait, number: ++count });
    reply(output, { tone: "plain", what: "Working…" });
    model.send({ ...message, about, number: count });
  };
  const close = () => {
    const said = model.get("reply");
    const request = open.get(said.about);
    if (!request || request.number !== said.number) return;
    clearTimeout(request.wait);
    open.delete(said.about);
    reply(request.output, said);
    request.done();
  };
  const dispose = () => open.forEach((request) => clearTimeout(request.wait));
  return { ask, close, dispose, isOpen: (about) => open.has(about) };
}

function reply(output, { tone, what, reasons = [], next = "" }) {
  const shape = { good: "✓ ", bad: "✕ ", open: "? " }[tone] || "";
  output.replaceChildren(
    h("div", { class: `wb-status wb-tone-${tone}` }, shape + what),
    ...(reasons.length ? [h("ul", {}, reasons.map((reason) => h("li", {}, reason)))] : []),
    ...(next ? [h("div", {}, `Next: ${next}`)] : []),
  );
}

const output = () => h("div", { class: "wb-reply", role: "status", "aria-live": "polite" });

function section(title, ...children) {
  const heading = h("h3", {}, title);
  return { heading, node: h("section", {}, heading, ...children) };
}

function table(labels, rows, name) {
  return h("table", { class: "wb-table", "aria-label": name }, h("thead", {}, h("tr", {}, labels.map(([label, kind = "text"]) => h("th", { scope: "col", class: `wb-${kind}` }, label)))), h("tbody", {}, rows));
}

const cell = (...children) => h("td", { class: "wb-text" }, ...children);

function head(model, say) {
  const node = h("header", {});
  const reasons = (state) =>
    h("details", { class: "wb-reasons" }, h("summary", {}, `All ${state.reasons.length} reasons`), h("ul", {}, state.reasons.map((reason) => h("li", {}, prose(reason)))));
  const next = (state) => h("p", {}, "Next: ", h("code", {}, state.next), copyButton(() => state.next, "command", say));
  const show = (state) =>
    node.replaceChildren(h("p", { class: `wb-headline wb-tone-${state.tone}` }, state.headline), state.next ? next(state) : reasons(state), facts(state.facts, say));
  return { node, show };
}

function scorePart() {
  const box = h("div", {});
  const { node } = section("Score", box);
  const labels = [["Against"], ["Advantage, right is better", "chart"], ["Estimate, lower to upper bound", "number"], ["Verdict"]];
  const row = (score) =>
    h(
      "tr",
      { class: `wb-tone-${score.verdict.tone}` },
      h("th", { scope: "row", class: "wb-text" }, score.name, h("div", { class: "wb-quiet" }, score.detail)),
      h("td", { class: "wb-chart" }, h("div", { class: "wb-chart-box" }, interval(score.axis, score.mark, score.name)), ticks(score.axis)),
      h("td", { class: "wb-number" }, estimate(score.interval)),
      cell(status(score.verdict)),
    );
  const show = (state) => box.replaceChildren(h("p", {}, state.score), ...(state.scores.length ? [table(labels, state.scores.map(row), "Score")] : []));
  return { node, show };
}

function checksPart() {
  const box = h("div", {});
  const { node, heading } = section("", box);
  const row = (finding) =>
    h("tr", { "data-check": finding.check }, cell(status(finding.status)), h("th", { scope: "row", class: "wb-text" }, finding.label), cell(finding.value), cell(finding.limit), cell(prose(finding.reason)));
  const show = (state) => {
    heading.textContent = `Checks: ${state.tally}`;
    box.replaceChildren(table([["Result"], ["Check"], ["Value"], ["Limit"], ["Reason"]], state.findings.map(row), "Checks"), h("p", { class: "wb-quiet" }, moment(state.checked), "; computed again before promotion."));
  };
  return { node, show };
}

function questionsPart(model, requests) {
  const box = h("div", {});
  const { node } = section("Questions only a person can answer", box);
  const known = new Map();
  // A question keeps its text area for as long as the view lives, so that new state never takes focus or text away.
  const show = (state) =>
    state.questions.forEach((question) => {
      if (!known.has(question.name)) {
        known.set(question.name, questionItem(question.name, model, requests));
        box.append(known.get(question.name).node);
      }
      known.get(question.name).show(question);
    });
  return { node, show };
}

function questionItem(name, model, requests) {
  const about = `answer:${name}`;
  const id = `wb-${Math.random().toString(36).slice(2)}`;
  const label = h("label", { for: id });
  const area = h("textarea", { id, rows: "3", "aria-describedby": `${id}-answered ${id}-why` });
  const answered = h("span", { id: `${id}-answered`, class: "wb-quiet wb-end" });
  const why = h("span", { id: `${id}-why`, class: "wb-quiet" });
  const out = output();
  const button = h("button", { type: "button", class: "wb-button" });
  let saved = "";

  const blocked = () => (requests.isOpen(about) ? "Being saved" : !area.value.trim() ? "Write an answer to save it" : area.value === saved ? "No change to save" : "");
  const refresh = () => block(button, why, blocked());
  const keepDraft = () => {
    const { [name]: _, ...others } = model.get("drafts");
    model.set("drafts", area.value === saved ? others : { ...others, [name]: area.value });
    model.save_changes();
    refresh();
  };
  const save = () => {
    if (blocked()) return;
    requests.ask(about, { kind: "answer", question: name, text: area.value }, out, refresh);
    refresh();
  };
  area.addEventListener("input", keepDraft);
  button.addEventListener("click", save);
  const show = (question) => {
    const untouched = area.value === saved;
    saved = question.answer;
    const draft = model.get("drafts")[name];
    if (draft !== undefined) area.value = draft;
    else if (untouched) area.value = saved;
    label.replaceChildren(h("strong", {}, question.label), `: ${question.text}`);
    button.replaceChildren("Save answer");
    button.setAttribute("aria-label", `Save answer to ${question.label}`);
    answered.replaceChildren(...moment(question.answered));
    refresh();
  };
  const node = h("div", { class: "wb-question", "data-question": name }, label, area, h("div", { class: "wb-row" }, button, why, answered), out);
  return { node, show };
}

// A blocked button stays reachable and says why; a disabled one would drop the focus and tell nobody.
function block(button, why, reason) {
  button.setAttribute("aria-disabled", String(Boolean(reason)));
  why.replaceChildren(reason);
}

function signPart(model, requests, say) {
  const people = h("p", {});
  const approvals = h("div", {});
  const form = signForm(model, requests, say);
  const { node } = section("Approvals", people, approvals, form.node);
  const given = (approval) =>
    h("div", { class: "wb-given" }, h("div", {}, status(approval.status), " ", h("strong", {}, approval.who), moment(approval.signed), approval.expires), approval.faults.length ? h("ul", {}, approval.faults.map((fault) => h("li", {}, fault))) : null);
  const row = (role) => h("tr", {}, h("th", { scope: "row", class: "wb-text" }, role.role), cell(status(role.status)), cell(role.given.length ? role.given.map(given) : "nobody yet"));
  const show = (state) => {
    people.replaceChildren(state.people);
    approvals.replaceChildren(table([["Role"], ["Signed"], ["By"]], state.roles.map(row), "Approvals"));
    form.show(state.sign);
  };
  return { node, show };
}

function signForm(model, requests, say) {
  const id = `wb-${Math.random().toString(36).slice(2)}`;
  const role = h("select", { id: `${id}-role` });
  const key = h("input", { id: `${id}-key`, type: "text", placeholder: "~/.ssh/id_ed25519", autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-hint` });
  const button = h("button", { type: "button", class: "wb-button wb-primary", "aria-describedby": `${id}-why` });
  const why = h("span", { id: `${id}-why`, class: "wb-quiet" });
  const out = output();
  const cautions = h("ul", { class: "wb-cautions" });
  const binds = h("p", {});
  const command = h("code", {});
  let sign = { command: "" };

  const blocked = () => {
    if (requests.isOpen("approve")) return "Being signed";
    if (Object.keys(model.get("drafts")).length) return "Save your answers first: signing covers them";
    return key.value.trim() ? "" : "Name the file of your SSH key";
  };
  const refresh = () => {
    button.replaceChildren(`Sign as ${role.value}`);
    command.replaceChildren(`${sign.command} --role ${quote(role.value)} --key ${quote(key.value.trim() || "~/.ssh/id_ed25519")}`);
    block(button, why, blocked());
  };
  const keep = () => {
    model.set("role", role.value);
    model.set("key_path", key.value);
    model.save_changes();
    refresh();
  };
  const submit = (event) => {
    event.preventDefault();
    if (blocked()) return;
    requests.ask("approve", { kind: "approve", role: role.value, key_path: key.value.trim() }, out, refresh);
    refresh();
  };
  role.addEventListener("change", keep);
  key.addEventListener("input", keep);
  button.addEventListener("click", submit);
  key.addEventListener("keydown", (event) => event.key === "Enter" && submit(event));
  model.on("change:drafts", refresh);
  key.value = model.get("key_path");
  const show = (state) => {
    sign = state;
    const chosen = model.get("role");
    role.replaceChildren(...[...state.roles].sort().map((name) => h("option", { value: name, selected: name === chosen }, name)));
    cautions.replaceChildren(...state.cautions.map((caution) => h("li", {}, caution)));
    binds.replaceChildren(state.binds);
    refresh();
  };
  const hint = h("p", { id: `${id}-hint`, class: "wb-quiet" }, "The path only; the key itself stays where it is. A key with a passphrase must be loaded in ssh-agent; otherwise sign on the command line:");
  const node = h(
    "div",
    { class: "wb-form", role: "group", "aria-label": "Sign" },
    cautions,
    binds,
    h("div", { class: "wb-row" }, h("label", { for: role.id }, "Role"), role, h("label", { for: key.id }, "SSH key"), key),
    h("div", { class: "wb-row" }, button, why),
    out,
    hint,
    h("p", { class: "wb-command" }, command, copyButton(() => command.textContent, "command", say)),
  );
  return { node, show };
}

const quote = (word) => (/^[\w@%+=:,.~/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

export default { render };
