// The difference of two runs: parts that differ, folded by whoever reads, then what is the same. Nothing is decided here.
const MOST_ROWS = 8;
const MOST_LINES = 40;
const TAGS = { added: "ins", removed: "del", same: "span" };

function render({ model, el }) {
  el.classList.add("wb-view", "wb-live");
  const state = model.get("state");
  const live = h("div", { class: "wb-say", role: "status", "aria-live": "polite" });
  const say = (text) => live.replaceChildren(text);
  el.append(
    h("p", { class: "wb-headline" }, state.headline),
    twoRuns(state.runs, say),
    ...foldedParts(state.parts, say),
    ...(state.same.length ? [sameParts(state.same)] : []),
    h("p", { class: "wb-quiet" }, "On the command line: ", h("code", {}, state.command), copyButton(() => state.command, "command", say)),
    live,
  );
}

function twoRuns(runs, say) {
  const run = ({ key, id, text, error }) =>
    h("div", {}, h("dt", {}, `Run ${key}`), h("dd", {}, h("code", {}, id), copyButton(() => id, `run ${id}`, say), ` ${text}`, error ? h("div", {}, error) : null));
  return h("dl", { class: "wb-facts wb-two-runs" }, runs.map(run));
}

// The first, which is the most consequential, is open; all together they are an overview.
function foldedParts(parts, say) {
  const found = parts.map((part, place) => differingPart(part, place === 0, say));
  const open = (isOpen) => () => {
    found.forEach((part) => (part.open = isOpen));
    say(isOpen ? "All parts are open." : "All parts are folded.");
  };
  const act = (text, isOpen) => h("button", { type: "button", class: "wb-button", onclick: open(isOpen) }, text);
  return found.length ? [h("div", { class: "wb-row" }, act("Open all parts", true), act("Fold all parts", false)), ...found] : [];
}

function differingPart(part, isOpen, say) {
  const head = h("summary", {}, h("strong", {}, part.title), " ", status(part.status), h("span", { class: "wb-part-says" }, part.says));
  return h("details", { class: "wb-part", open: isOpen }, head, part.tables.map((table) => shownTable(table, say)), part.excerpts.map(shownExcerpt), untold(part.unknown));
}

// Of a long table the first rows; a button shows those that came with it, and where the focus was they begin.
function shownTable({ title, is_headed: isHeaded, note, columns, rows, left_out: leftOut, columns_left: columnsLeft }, say) {
  const named = ({ kind, is_short: isShort }) => `wb-${kind}${isShort ? " wb-short" : ""}`;
  const cell = (text, place) => h("td", { class: named(columns[place]) }, text);
  const line = (row) => h("tr", {}, row.map(cell));
  const body = h("tbody", {}, rows.slice(0, MOST_ROWS).map(line));
  const head = h("tr", {}, columns.map((column) => h("th", { scope: "col", class: named(column) }, column.label)));
  const table = h("table", { class: "wb-table wb-differing", "aria-label": title }, h("thead", {}, head), body);
  const quiet = (text) => (text ? h("p", { class: "wb-quiet" }, text) : null);
  const left = quiet(leftOut ? `And ${leftOut.toLocaleString("en")} more.` : "");
  const more = rows.length > MOST_ROWS ? h("button", { type: "button", class: "wb-button", onclick: showAll }, `Show ${(rows.length - MOST_ROWS).toLocaleString("en")} more`) : null;

  function showAll() {
    const rest = rows.slice(MOST_ROWS).map(line);
    body.append(...rest);
    rest[0].tabIndex = -1;
    rest[0].focus();
    more.remove();
    say(`${title}: ${rows.length.toLocaleString("en")} rows shown.`);
  }

  const box = h("div", { class: "wb-scroll", tabindex: "0", role: "group", "aria-label": title }, table);
  return h("div", { class: "wb-shown" }, isHeaded ? h("h4", {}, title) : null, box, more, left, quiet(columnsLeft), quiet(note));
}

function shownExcerpt({ title, lines, cut }) {
  const line = ({ mark, text, kind }) => [h(TAGS[kind], { class: `wb-line wb-${kind}` }, `${mark} ${text}`), "\n"];
  const text = h("pre", { class: "wb-diff" }, lines.flatMap(line));
  return h("details", { class: "wb-fold", open: lines.length <= MOST_LINES }, h("summary", { class: "wb-quiet" }, title), text, cut ? h("p", { class: "wb-quiet" }, cut) : null);
}

function untold(lines) {
  const item = ({ parts }) => h("li", {}, prose(parts));
  const head = h("strong", { class: "wb-status wb-tone-open" }, "Not known, or not shown");
  return lines.length ? h("div", { class: "wb-untold" }, head, h("ul", {}, lines.map(item))) : null;
}

function sameParts(parts) {
  const item = ({ title, says, unknown }) => h("li", {}, h("strong", {}, title), `: ${says}`, untold(unknown));
  return h("section", {}, h("h3", {}, "The same"), h("ul", {}, parts.map(item)));
}

export default { render };
