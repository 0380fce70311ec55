// What a view asks of Python, and the forms it asks with. A passphrase leaves its field with one request and is nowhere else.
const PATIENCE_MS = 5000;

const ENDED = "The kernel that answers this page has ended: nothing is saved or signed here any more. Copy what you typed, then load this page again, or in JupyterLab run its cell again.";
const AWAY = "The kernel that answers this page cannot be reached: what you do here waits until it can. If that lasts, whoever opened this page has stopped it.";

// One request at a time for each thing asked about, so that a second click cannot sign twice.
function openRequests(model, kernel) {
  const open = new Map();
  let count = 0;
  let told = null;
  const ask = (about, message, output, done) => {
    if (open.has(about)) return;
    // What became of the request before is history: its next step may be done by now.
    if (told && told !== output) told.replaceChildren();
    told = output;
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
  const obstacle = (about, busy) => (kernel.hasEnded() ? "The kernel has ended" : open.has(about) ? busy : "");
  return { ask, close, dispose, obstacle };
}

function reply(output, { tone, what, reasons = [], next = [] }) {
  const shape = { good: "✓ ", bad: "✕ ", open: "? " }[tone] || "";
  output.replaceChildren(
    h("div", { class: `wb-status wb-tone-${tone}` }, shape + what),
    ...(reasons.length ? [h("ul", {}, reasons.map((reason) => h("li", {}, prose(reason))))] : []),
    ...(next.length ? [h("div", {}, tone === "bad" ? "Next: " : "", prose(next))] : []),
  );
}

const output = () => h("div", { class: "wb-reply", role: "status", "aria-live": "polite" });

// A blocked button stays reachable and says why; a disabled one would drop the focus and tell nobody.
function block(button, why, reason) {
  button.setAttribute("aria-disabled", String(Boolean(reason)));
  why.replaceChildren(reason);
}

// One form for each signed request. A form lives as long as its request can be made, so that new state never takes focus or text away;
// what became of a request that is done is said where its form stood.
function openForms(model, requests, say) {
  const places = new Map();
  const known = new Map();
  const place = (start) => {
    places.set(start, h("div", {}));
    return places.get(start);
  };
  const placeOf = (about) => [...places].find(([start]) => about.startsWith(start))[1];
  const show = ({ requests: possible }) => {
    for (const [about, form] of known) if (!possible[about]) form.retire(), known.delete(about);
    for (const [about, request] of Object.entries(possible)) {
      if (!known.has(about)) {
        known.set(about, requestForm(about, request, model, requests, say));
        placeOf(about).append(known.get(about).node);
      }
      known.get(about).show(request);
    }
  };
  const dispose = () => known.forEach((form) => form.dispose());
  return { place, show, dispose };
}

function requestForm(about, request, model, requests, say) {
  const id = `wb-${Math.random().toString(36).slice(2)}`;
  const out = output();
  const why = h("span", { id: `${id}-why`, class: "wb-quiet" });
  const holder = h("p", { id: `${id}-holder`, class: "wb-holder", role: "status" });
  const line = h("code", {});
  const fields = request.fields.map((field) => requestField(field, `${id}-${field.name}`, `${about}:${field.name}`, model, () => refresh()));
  const key = h("input", { id: `${id}-key`, type: "text", placeholder: "~/.ssh/id_ed25519", autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-holder ${id}-hint` });
  const passphrase = h("input", { id: `${id}-passphrase`, type: "password", autocomplete: "off", placeholder: "if it has one", "aria-describedby": `${id}-hint` });
  const button = h("button", { type: "button", class: about === "approve" ? "wb-button wb-primary" : "wb-button", "aria-describedby": `${id}-why` });
  let current = request;

  const label = () => fields.reduce((text, field) => text.replace(`{${field.name}}`, field.value()), current.button);
  const blocked = () => {
    const { blocked: told = {}, key_path } = model.get("holder");
    const role = fields.find((field) => field.name === "role");
    const obstacle = requests.obstacle(about, "Working…");
    if (obstacle) return obstacle;
    if (current.unsaved && Object.keys(model.get("drafts")).some((name) => !name.includes(":"))) return current.unsaved;
    const refused = key_path === key.value.trim() && told[role ? `${about}:${role.value()}` : about];
    return refused || fields.map((field) => field.missing()).find(Boolean) || (key.value.trim() ? "" : "Name the file of your SSH key");
  };
  const refresh = () => {
    const { key_path, text, tone } = model.get("holder");
    const given = fields.map((field) => `${field.option} ${quote(field.value().trim() || "…")}`).join(" ");
    button.replaceChildren(label());
    line.replaceChildren(`${current.command} ${given} --key ${quote(key.value.trim() || "~/.ssh/id_ed25519")}`);
    holder.replaceChildren(text && key_path === key.value.trim() ? h("span", { class: `wb-status wb-tone-${tone}` }, { good: "✓ ", bad: "✕ ", open: "? " }[tone] + text) : "");
    block(button, why, blocked());
  };
  const follow = () => {
    if (key !== key.getRootNode().activeElement) key.value = model.get("key_path");
    refresh();
  };
  let pause = 0;
  const keep = () => {
    model.set("key_path", key.value);
    model.save_changes();
    clearTimeout(pause);
    pause = setTimeout(() => model.send({ kind: "holder", key_path: key.value.trim() }), 400);
    refresh();
  };
  const done = () => {
    fields.forEach((field) => model.get("reply").tone === "good" && field.clear());
    refresh();
  };
  const submit = () => {
    if (blocked()) return;
    const values = Object.fromEntries(fields.map((field) => [field.name, field.value().trim()]));
    const secret = passphrase.value;
    passphrase.value = "";
    requests.ask(about, { kind: current.kind, ...current.given, ...values, key_path: key.value.trim(), passphrase: secret }, out, done);
    refresh();
  };
  key.addEventListener("input", keep);
  button.addEventListener("click", submit);
  [key, passphrase].forEach((input) => input.addEventListener("keydown", (event) => event.key === "Enter" && (event.preventDefault(), submit())));
  passphrase.addEventListener("keydown", (event) => event.key === "Escape" && (passphrase.value = ""));
  const watched = ["change:key_path", "change:holder", "change:drafts"];
  watched.forEach((name) => model.on(name, follow));
  key.value = model.get("key_path");

  const hint = h("p", { id: `${id}-hint`, class: "wb-quiet" }, "Your private key, or its .pub when an agent or a hardware key holds it. It stays where it is; the passphrase is used once and not kept.");
  const texts = fields.filter((field) => field.isText).map((field) => field.node);
  const small = fields.filter((field) => !field.isText).map((field) => field.node);
  const body = [
    ...texts,
    h("div", { class: "wb-row" }, ...small, h("div", { class: "wb-field" }, h("label", { for: key.id }, "SSH key"), key), h("div", { class: "wb-field" }, h("label", { for: passphrase.id }, "Passphrase"), passphrase)),
    holder,
    hint,
    h("div", { class: "wb-row" }, button, why),
    out,
    h("p", { class: "wb-command wb-quiet" }, "On the command line: ", line, copyButton(() => line.textContent, "command", say)),
  ];
  const name = h("span", {});
  const form = h("div", { class: "wb-form", role: "group", "aria-label": about }, body);
  const node = about === "approve" ? form : h("details", { class: "wb-fold wb-request", "data-request": about }, h("summary", {}, name), form);
  const show = (state) => {
    current = state;
    name.replaceChildren(state.summary);
    form.setAttribute("aria-label", about === "approve" ? "Sign" : state.summary);
    refresh();
  };
  const dispose = () => watched.forEach((event) => model.off(event, follow));
  const retire = () => {
    dispose();
    node.replaceWith(out);
  };
  return { node, show, dispose, retire };
}

// A field of a form: text is kept as a draft until its request is done, a choice or a date only as long as the view lives.
function requestField(field, id, draft, model, changed) {
  const isText = field.kind === "text";
  const input =
    isText ? h("textarea", { id, rows: "3" })
    : field.kind === "choice" ? h("select", { id }, field.choices.map((value) => h("option", { value, selected: value === field.value }, value)))
    : h("input", { id, type: field.kind, class: "wb-short", value: field.value });
  if (isText) input.value = model.get("drafts")[draft] || "";
  const keep = () => {
    const { [draft]: _, ...others } = model.get("drafts");
    if (isText) model.set("drafts", input.value ? { ...others, [draft]: input.value } : others);
    if (draft === "approve:role") model.set("role", input.value);
    model.save_changes();
    changed();
  };
  if (draft === "approve:role" && field.choices.includes(model.get("role"))) input.value = model.get("role");
  input.addEventListener(isText ? "input" : "change", keep);
  const clear = () => {
    if (isText) input.value = "";
    if (isText) keep();
  };
  const node = h("div", { class: isText ? "wb-wide" : "wb-field" }, h("label", { for: id }, field.label), input);
  return { node, isText, name: field.name, option: field.option, value: () => input.value, missing: () => (input.value.trim() ? "" : field.missing), clear };
}

const quote = (word) => (/^[\w@%+=:,.~/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

