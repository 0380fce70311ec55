// Draws a review and passes on what the reviewer wants. Nothing is decided here: Python answers every request.

function render({ model, el }) {
  el.classList.add("wb-view");
  const live = h("div", { class: "wb-say", role: "status", "aria-live": "polite" });
  const say = (text) => live.replaceChildren(text);
  const kernel = watchKernel(model, ENDED, AWAY, () => show());
  const requests = openRequests(model, kernel);
  const forms = openForms(model, requests, say);
  const parts = [head(say), changesPart(), modulesPart("local_code"), modulesPart("own_code"), scorePart(), outcomePart(), classesPart(), checksPart(), waiversPart(forms), objectionsPart(forms), questionsPart(model, requests, say), signPart(forms)];
  const show = () => [forms, ...parts].forEach((part) => part.show(model.get("state")));
  const heard = {
    hello: () => el.classList.add("wb-live"),
    // JupyterLab saves the notebook with its new snapshot, where our extension of it hears this; elsewhere nobody does.
    kept: () => el.dispatchEvent(new CustomEvent("workbench:save", { bubbles: true, composed: true })),
  };
  const hear = (message) => heard[message.kind]?.();

  el.append(kernel.node, ...parts.map((part) => part.node), explainWords(model.get("state").words), live);
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
    kernel.dispose();
    requests.dispose();
    forms.dispose();
  };
}

function section(title, ...children) {
  const heading = h("h3", {}, title);
  return { heading, node: h("section", {}, heading, ...children) };
}

function table(labels, rows, name) {
  return h("table", { class: "wb-table", "aria-label": name }, h("thead", {}, h("tr", {}, labels.map(([label, kind = "text"]) => h("th", { scope: "col", class: `wb-${kind}` }, label)))), h("tbody", {}, rows));
}

const cell = (...children) => h("td", { class: "wb-text" }, ...children);

// A part is drawn again only when what it shows changed, so that what the reader unfolded stays unfolded.
function redrawn(draw) {
  let drawn = "";
  return (value) => {
    const now = JSON.stringify(value);
    if (now !== drawn) draw(value);
    drawn = now;
  };
}

const lines = (texts) => h("ul", {}, texts.map((text) => h("li", {}, text)));

function command(label, text, say) {
  return h("p", { class: "wb-command wb-quiet" }, `${label}: `, h("code", {}, text), copyButton(() => text, "command", say));
}

function head(say) {
  const node = h("header", {});
  const list = (why, reasons) => h("details", { class: "wb-reasons" }, h("summary", {}, why), h("ul", {}, reasons.map((reason) => h("li", {}, prose(reason)))));
  const draw = redrawn(({ headline, tone, needed, why, reasons, items }) =>
    node.replaceChildren(h("p", { class: `wb-headline wb-tone-${tone}` }, headline), h("p", {}, prose(needed)), reasons.length ? list(why, reasons) : "", facts(items, say)),
  );
  const show = ({ headline, tone, needed, why, reasons, facts: items }) => draw({ headline, tone, needed, why, reasons, items });
  return { node, show };
}

const LINE_TAGS = { added: "ins", removed: "del", same: "span" };

const line = (item) => [h(LINE_TAGS[item.kind], { class: `wb-line wb-${item.kind}` }, `${item.mark} ${item.text}`), "\n"];
const hunk = (item) => h("div", {}, h("div", { class: "wb-quiet" }, item.title), h("pre", { class: "wb-diff" }, item.lines.flatMap(line)));
const code = ({ summary, hunks, open, more }) =>
  hunks.length ? h("details", { class: "wb-fold", open }, h("summary", {}, summary), hunks.map(hunk), more ? h("p", { class: "wb-quiet" }, more) : null) : h("p", {}, summary);

function changesPart() {
  const box = h("div", {});
  const { node, heading } = section("", box);
  const row = (item) => h("tr", {}, h("th", { scope: "row", class: "wb-text" }, item.name), cell(item.before), cell(item.after));
  const draw = redrawn((changes) => {
    heading.textContent = changes.title;
    const rows = changes.rows.length ? [table(changes.columns.map((column) => [column]), changes.rows.map(row), changes.title)] : [];
    box.replaceChildren(h("p", {}, changes.text), ...rows, ...(changes.code ? [code(changes.code)] : []));
  });
  return { node, show: (state) => draw(state.changes) };
}

function modulesPart(key) {
  const box = h("div", {});
  const { node, heading } = section("", box);
  const module = (item) => h("div", {}, item.code.map(code), item.detail ? h("div", { class: "wb-quiet" }, item.detail) : null);
  const draw = redrawn((own) => {
    heading.textContent = own.title;
    node.hidden = !own.modules.length;
    box.replaceChildren(...(own.text ? [h("p", { class: "wb-cautions" }, own.text)] : []), ...own.modules.map(module));
  });
  return { node, show: (state) => draw(state[key]) };
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

function outcomePart() {
  const box = h("div", {});
  const { node } = section("On the holdout", box);
  const said = ({ text, worth }) => [text, worth].filter(Boolean).map((each) => h("p", {}, each));
  const draw = redrawn((outcome) => {
    node.hidden = !outcome;
    box.replaceChildren(...(outcome ? [...said(outcome), pictures(outcome.pictures)] : []));
  });
  return { node, show: (state) => draw(state.outcome ?? null) };
}

function classesPart() {
  const box = h("div", {});
  const { node } = section("Classes", box);
  const value = (item) => [item.right ? h("strong", {}, item.text) : item.text, item.bounds ? [" ", h("span", { class: "wb-bounds" }, item.bounds)] : []].flat();
  const row = (item) => h("tr", {}, h("th", { scope: "row", class: "wb-text" }, item.name), item.cells.map((each) => h("td", { class: `wb-${each.kind}` }, value(each))));
  const found = (item) => {
    const drawn = table(item.columns, item.rows.map(row), item.name);
    drawn.classList.add("wb-classes");
    return drawn;
  };
  const draw = redrawn((classes) => {
    node.hidden = !classes;
    box.replaceChildren(...(classes ? [h("p", {}, classes.text), ...classes.tables.map(found), h("p", { class: "wb-quiet" }, `${classes.metrics} ${classes.note}`)] : []));
  });
  return { node, show: (state) => draw(state.classes ?? null) };
}

function checksPart() {
  const found = h("div", {});
  const summary = h("summary", {});
  const items = h("div", {});
  const checklist = h("details", { class: "wb-fold" }, summary, items);
  const { node, heading } = section("", found, checklist);
  const quiet = (text) => (text ? h("div", { class: "wb-quiet" }, text) : null);
  const row = (finding) =>
    h("tr", { "data-check": finding.check }, cell(status(finding.status)), h("th", { scope: "row", class: "wb-text" }, finding.label, quiet(finding.severity)), cell(finding.value), cell(finding.limit), cell(prose(finding.reason), quiet(finding.waiver.join("") && prose(finding.waiver))));
  const item = (row) => h("tr", {}, cell(row.id), h("th", { scope: "row", class: "wb-text" }, row.question), cell(status(row.status)), cell(row.severity), cell(row.by), cell(row.references));
  const group = ({ title, rows }) => h("div", { class: "wb-items" }, table(["Item", title, "Status", "Weight", "Settled by", "Asked by"].map((label) => [label]), rows.map(item), `Checklist: ${title}`));
  const rows = (findings, name) => (findings.length ? table([["Result"], ["Check"], ["Value"], ["Limit"], ["Reason"]], findings.map(row), name) : "");
  const drawFound = redrawn(({ findings, unfolded, passed: summary, checked }) => {
    const folded = findings.slice(unfolded);
    const passed = folded.length ? h("details", { class: "wb-fold", open: found.querySelector("details")?.open }, h("summary", {}, summary), rows(folded, "Checks that passed")) : "";
    found.replaceChildren(rows(findings.slice(0, unfolded), "Checks"), passed, h("p", { class: "wb-quiet" }, moment(checked), "; computed again before promotion."));
  });
  const drawItems = redrawn((given) => {
    checklist.hidden = !given;
    summary.replaceChildren(given ? given.summary : "");
    items.replaceChildren(...(given ? given.sections.map(group) : []));
  });
  const show = (state) => {
    heading.textContent = `Checks: ${state.tally}`;
    drawFound({ findings: state.findings, unfolded: state.unfolded, passed: state.passed, checked: state.checked });
    drawItems(state.checklist);
  };
  return { node, show };
}

function waiversPart(forms) {
  const box = h("div", {});
  const { node } = section("Waivers", box, forms.place("waive:"));
  const row = (waiver) =>
    h("tr", {}, cell(status(waiver.status)), h("th", { scope: "row", class: "wb-text" }, waiver.label), cell(waiver.who, h("div", { class: "wb-quiet" }, moment(waiver.given))), cell(waiver.reason, waiver.faults.length ? lines(waiver.faults) : null), cell(moment(waiver.expires)));
  const given = (waivers) => table([["Counts"], ["Check"], ["Waived by"], ["Why"], ["Expires"]], waivers.map(row), "Waivers");
  const draw = redrawn((waivers) => box.replaceChildren(waivers.length ? given(waivers) : h("p", {}, "Nobody waived anything.")));
  return { node, show: (state) => draw(state.waivers) };
}

function objectionsPart(forms) {
  const box = h("div", {});
  const { node } = section("Objections", box, forms.place("clear:"), forms.place("object"));
  const item = (objection) =>
    h(
      "div",
      { class: "wb-objection" },
      h("div", {}, status(objection.status), " ", h("strong", {}, objection.who), moment(objection.raised)),
      h("blockquote", { class: "wb-answer" }, objection.text),
      objection.resolution ? h("p", { class: "wb-quiet" }, moment(objection.cleared), `: ${objection.resolution}`) : null,
      objection.note ? h("div", { class: "wb-quiet" }, objection.note) : null,
    );
  const draw = redrawn((objections) => box.replaceChildren(...(objections.length ? objections.map(item) : [h("p", {}, "Nobody objected.")])));
  return { node, show: (state) => draw(state.objections) };
}

function questionsPart(model, requests, say) {
  const box = h("div", {});
  const line = h("div", {});
  const { node } = section("Questions only a person can answer", box, line);
  const drawLine = redrawn((text) => line.replaceChildren(command("On the command line", text, say)));
  const known = new Map();
  // A question keeps its text area for as long as the view lives, so that new state never takes focus or text away.
  const show = (state) =>
    state.questions.forEach((question) => {
      if (!known.has(question.name)) {
        known.set(question.name, questionItem(question.name, model, requests));
        box.append(known.get(question.name).node);
      }
      known.get(question.name).show(question);
      drawLine(state.commands.answer);
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

  const blocked = () => requests.obstacle(about, "Being saved") || (!area.value.trim() ? "Write an answer to save it" : area.value === saved ? "No change to save" : "");
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
    const { [name]: draft, ...others } = model.get("drafts");
    saved = question.answer;
    // What was typed last may reach Python after the request to save it did: a draft that says what is saved is none any more.
    if (draft !== undefined && draft.trim() === saved) {
      area.value = saved;
      model.set("drafts", others);
      model.save_changes();
    } else if (draft !== undefined) area.value = draft;
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

function signPart(forms) {
  const people = h("p", {});
  const approvals = h("div", {});
  const cautions = h("ul", { class: "wb-cautions" });
  const binds = h("p", { class: "wb-quiet" });
  const { node } = section("Approvals", people, approvals, cautions, binds, forms.place("approve"));
  const given = (approval) =>
    h("div", { class: "wb-given" }, h("div", {}, status(approval.status), " ", h("strong", {}, approval.who), moment(approval.signed), approval.expires), approval.faults.length ? lines(approval.faults) : null);
  const row = (role) => h("tr", {}, h("th", { scope: "row", class: "wb-text" }, role.role), cell(status(role.status)), cell(role.given.length ? role.given.map(given) : "nobody yet"));
  const draw = redrawn((roles) => approvals.replaceChildren(table([["Role"], ["Signed"], ["By"]], roles.map(row), "Approvals")));
  const show = (state) => {
    people.replaceChildren(state.people);
    draw(state.roles);
    cautions.replaceChildren(...state.sign.cautions.map((caution) => h("li", {}, caution)));
    binds.replaceChildren(state.sign.binds);
  };
  return { node, show };
}

export default { render };
