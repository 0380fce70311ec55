// What every view draws with. Text only ever becomes text nodes and attribute values: nothing here parses markup.
const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "line", "rect", "circle", "path", "polyline", "polygon", "text", "title", "desc"]);

// JupyterLab's one-key commands (x cuts a cell, d d deletes it) must not fire while one of these has the focus. It looks for
// the mark on the focused element itself; one on the view around it is not seen. Text fields it leaves alone by itself.
const KEYED_TAGS = new Set(["a", "button", "select", "summary"]);

// With the mark JupyterLab does not hear Ctrl+S, nor what opens its palette: such a letter is said once more beside it, and the
// browser kept from answering what was heard. Ctrl+Enter, which runs a cell, stays unheard.
function passLetters(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.length !== 1) return;
  const { key, code, keyCode, ctrlKey, metaKey, shiftKey } = event;
  const again = new KeyboardEvent("keydown", { key, code, keyCode, ctrlKey, metaKey, shiftKey, bubbles: true, cancelable: true, composed: true });
  const isUnheard = event.currentTarget.closest(".wb-view")?.dispatchEvent(again) ?? true;
  if (!isUnheard) event.preventDefault();
}

function h(tag, attributes = {}, ...children) {
  const node = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  if (KEYED_TAGS.has(tag) || attributes.type === "checkbox") {
    node.setAttribute("data-lm-suppress-shortcuts", "true");
    node.addEventListener("keydown", passLetters);
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

const percent = (fraction) => `${(100 * fraction).toFixed(2)}%`;

function status({ word, shape, tone }) {
  return h("span", { class: `wb-status wb-tone-${tone}` }, h("span", { class: "wb-shape", "aria-hidden": "true" }, shape), shape ? `\u00a0${word}` : word);
}

// Where JupyterLab serves a file, by its path on this machine; null outside of its folder and of JupyterLab.
function fileAddress(path, home) {
  const config = JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "{}");
  const root = (config.serverRoot ?? "").replace(/^~/, home);
  if (!path || !root || !path.startsWith(`${root}/`)) return null;
  return `${config.baseUrl}files/${path.slice(root.length + 1).split("/").map(encodeURIComponent).join("/")}`;
}

// Text and commands in turn, text first.
const prose = (parts) => parts.map((part, index) => (index % 2 ? h("code", {}, part) : part));

function copyButton(text, what, say) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      say(`Copied ${what}.`);
    } catch {
      say("The browser does not allow copying here; select the text instead.");
    }
  };
  const icon = h("svg", { viewBox: "0 0 16 16", width: "14", height: "14", "aria-hidden": "true" }, h("path", { class: "wb-icon", d: "M5.5 5.5h8v8h-8z M10.5 5.5v-3h-8v8h3" }));
  return h("button", { type: "button", class: "wb-copy", title: `Copy ${what}`, "aria-label": `Copy ${what}`, onclick: copy }, icon);
}

function estimate({ estimate, bounds }) {
  return [`${estimate} `, h("span", { class: "wb-bounds" }, bounds)];
}

const UNITS = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];

// A time as how long ago, in full on hover; what is not a time stays text.
function moment({ text, iso, time }) {
  const seconds = (Date.parse(iso) - Date.now()) / 1000;
  if (!iso || Number.isNaN(seconds)) return [text, time];
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) || ["minute", 60];
  const said = Math.abs(seconds) < 60 ? "just now" : new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(seconds / length), unit);
  return [text, h("time", { datetime: iso, title: time }, said)];
}

// A word; one of the glossary says on hover what it means.
const word = (text, means) => (means ? h("abbr", { class: "wb-word", title: means }, text) : text);

function explainWords(words) {
  const pairs = words.map((each) => h("div", {}, h("dt", {}, each.word), h("dd", {}, each.means)));
  return h("details", { class: "wb-words" }, h("summary", {}, "Words used here"), h("dl", {}, pairs));
}

function facts(items, say) {
  const digest = (fact) => h("span", { class: "wb-digest", title: fact.copy }, fact.digest, copyButton(() => fact.copy, `${fact.name.toLowerCase()} digest`, say));
  const pair = (fact) => h("div", {}, h("dt", {}, word(fact.name, fact.help)), h("dd", {}, prose(fact.parts), fact.digest ? digest(fact) : null));
  return h("dl", { class: "wb-facts" }, items.map(pair));
}

function ticks(axis) {
  return h("div", { class: "wb-ticks" }, axis.ticks.map((tick) => h("span", { class: `wb-tick${tick.minor ? " wb-minor" : ""}${tick.at > 0.88 ? " wb-tick-last" : ""}`, style: `left:${percent(tick.at)}` }, tick.text)));
}

function arrow(side) {
  const head = side === "left" ? "M0 0 L9 -5 V5 Z" : "M0 0 L-9 -5 V5 Z";
  return h("svg", { x: side === "left" ? "0%" : "100%", y: "50%", overflow: "visible" }, h("path", { class: "wb-arrow", d: head }));
}

function interval(axis, mark, of) {
  const [left, right] = axis.band;
  const line = (name, x1, x2, y1, y2) => h("line", { class: name, x1: percent(x1), x2: percent(x2), y1, y2 });
  const drawing = [
    h("rect", { class: "wb-band", x: percent(left), y: "0", width: percent(right - left), height: "100%" }),
    line("wb-zero", axis.zero, axis.zero, "0", "100%"),
  ];
  if (mark) {
    drawing.push(line("wb-line", mark.low, mark.high, "50%", "50%"));
    drawing.push(...mark.caps.map((at) => line("wb-cap", at, at, "38%", "62%")));
    drawing.push(...mark.cut.map(arrow));
    if (mark.shown) drawing.push(h("circle", { class: "wb-dot", cx: percent(mark.estimate), cy: "50%", r: "4.5" }));
  }
  return h("svg", { class: "wb-chart", role: "img", "aria-label": `Interval of ${of}` }, drawing);
}

// A picture as Python drew it, node by node, with the table that says the same.
const drawing = (node) => (typeof node === "string" ? node : h(node.tag, node.attributes, ...node.children.map(drawing)));

function saidTable(title, columns, rows) {
  const line = ([first, ...others]) => h("tr", {}, h("th", { scope: "row" }, first), others.map((text) => h("td", {}, text)));
  const head = h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)));
  return h("div", { class: "wb-wide", tabindex: "0", role: "group", "aria-label": `${title}, as a table` }, h("table", { class: "wb-said" }, h("thead", {}, head), h("tbody", {}, rows.map(line))));
}

// `files`, where a view has them, returns buttons that save a picture and its table.
function figure({ title, says, columns, rows, drawing: drawn }, files) {
  const told = saidTable(title, columns, rows);
  const caption = h("figcaption", {}, h("strong", {}, title), ` ${says}`);
  const svg = drawn ? drawing(drawn) : null;
  const saved = files ? files({ title, says, columns, rows, svg }) : null;
  return h("figure", {}, caption, ...(svg ? [h("div", { class: "wb-drawn" }, svg), h("details", {}, h("summary", {}, "As a table"), told)] : [told]), saved);
}

const pictures = (found, files) => h("div", { class: "wb-pictures" }, found.map((each) => figure(each, files)));
