// A grid of very many rows: columns as typed arrays, of which only the rows in sight are elements. It sorts and searches what it was
// given; which values there are is decided in Python.
const ROW = 32;
const BESIDE = 12;
const SAMPLE = 200;

const floats = (view) => new Float64Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
const codes = (view) => new Int32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
const NONE = "\u2013";

// A column with what it shows in each row, and where each row stands in its order; missing values stand last, whichever way.
function readColumn(column) {
  if (column.kind === "text") {
    const values = codes(column.codes);
    const rank = new Int32Array(column.texts.length);
    const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
    column.texts.map((text, code) => [text, code]).sort((a, b) => collator.compare(a[0], b[0])).forEach(([, code], place) => (rank[code] = place));
    const lower = column.texts.map((text) => text.toLowerCase());
    return { ...column, text: (row) => (values[row] < 0 ? NONE : column.texts[values[row]]), key: (row) => (values[row] < 0 ? NaN : rank[values[row]]), lower: (row) => (values[row] < 0 ? "" : lower[values[row]]) };
  }
  const values = floats(column.values);
  const format = column.kind === "time" ? formatMoment : column.decimals === null ? formatDigits : formatDecimals(column.decimals);
  const said = new Array(values.length);
  const text = (row) => (said[row] ??= Number.isNaN(values[row]) ? NONE : format(values[row]));
  return { ...column, text, key: (row) => values[row], lower: text };
}

function formatDecimals(decimals) {
  const format = new Intl.NumberFormat("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return (value) => {
    const text = format.format(value).replace("-", "\u2212");
    // Decimals that are all zero would hide a value that is not.
    return value !== 0 && Number.isFinite(value) && !/[1-9]/.test(text) ? value.toExponential(2).replace("-", "\u2212") : text;
  };
}

const DIGITS = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

// A whole number in full, for it may be a seed; of others four digits, from ten thousand as a whole one.
function formatDigits(value) {
  const size = Math.abs(value);
  if (Number.isFinite(value) && value !== 0 && (size < 1e-4 || size >= 1e15)) return value.toExponential(2).replace("-", "\u2212");
  return (Number.isInteger(value) || size >= 1e4 ? WHOLE : DIGITS).format(value).replace("-", "\u2212");
}

const MOMENT = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const formatMoment = (value) => MOMENT.format(value);

// How wide a column is, in pixels, by its head and some of its rows; in characters a bold head would be wider than its column.
function measure(column, rows) {
  const step = Math.max(1, Math.floor(rows / SAMPLE));
  const head = (column.of ? column.of.length + 1 : 0) + column.label.length + 1;
  let most = 0;
  for (let row = 0; row < rows; row += step) most = Math.max(most, column.text(row).length);
  return Math.round(Math.max(7.5 * Math.min(most, 28), 8.5 * Math.min(head, 40), 40) + 16);
}

// `given`: state, first (what stands first in a row: nodes by row), idOf, selectable, onOpen, onSelect, onPoint(row or null),
// onMark(row), say.
function runGrid(given) {
  const { state, idOf, onOpen, onSelect, onPoint, onMark, say, selectable } = given;
  const columns = state.columns.map(readColumn);
  const selected = new Set();
  let order = Int32Array.from({ length: state.rows }, (_, row) => row);
  let active = 0;
  let sorting = { column: null, descending: false };
  let wanted = "";
  let found = null; // rows that show the text searched for, as a mask; null is all
  let kept = null; // rows that a picture's brushes leave
  let ranked = order; // all rows in the order asked for
  let texts = null; // what each row shows, in small letters
  let pinned = null;
  let last = null; // the place that was selected last: with Shift all from there to the next one are

  const widths = [...(selectable ? [32, 176] : [128]), ...columns.map((column) => measure(column, state.rows))];
  const fixed = selectable ? 2 : 1;
  const head = h("div", { class: "wb-grid-row wb-grid-head", role: "row", "aria-rowindex": "1" });
  const above = h("div", { "aria-hidden": "true" });
  const seen = h("div", { role: "rowgroup", onpointerleave: () => onPoint(null) });
  const below = h("div", { "aria-hidden": "true" });
  const frame = h("div", { class: "wb-grid-frame", role: "rowgroup" }, head);
  const box = h("div", { class: "wb-grid", role: "grid", tabindex: "0", "aria-multiselectable": selectable ? "true" : null, "aria-label": given.label, "data-lm-suppress-shortcuts": "true", onkeydown: move, onscroll: draw }, frame, above, seen, below);
  // How wide it is at least is said in numbers: by its content each column would be as wide as the widest.
  box.style.setProperty("--wb-grid-columns", widths.map((width, at) => (at < fixed ? `${width}px` : `minmax(${width}px, ${width}fr)`)).join(" "));
  box.style.height = `${Math.min(ROW * Math.max(state.rows + 1, 5) + 24, 480)}px`; // as many as there are, whatever is found
  box.style.setProperty("--wb-grid-least", `${widths.reduce((sum, width) => sum + width, 0)}px`);
  box.addEventListener("keydown", passLetters);

  const all = selectable ? h("input", { type: "checkbox", "aria-label": "Select all rows that are shown", onchange: () => choose(order, all.checked) }) : null;
  const heads = columns.map((column) => {
    const label = column.of ? `${column.of} ${column.label}` : column.label;
    const button = h("button", { type: "button", class: "wb-sort", title: `Sort by ${label}`, onclick: () => sortBy(column) }, column.of ? [h("span", { class: "wb-note" }, column.of), " ", column.label] : column.label);
    return h("div", { role: "columnheader", class: `wb-grid-cell wb-${column.kind}`, "aria-sort": "none" }, button);
  });
  head.append(...[all ? h("div", { role: "columnheader", class: "wb-grid-cell" }, all) : null, h("div", { role: "columnheader", class: "wb-grid-cell" }, given.firstLabel), ...heads].filter(Boolean));

  function sortBy(column) {
    const isSame = sorting.column === column;
    sorting = { column, descending: isSame ? !sorting.descending : column.kind !== "text" };
    rank();
    arrange();
    say(`Sorted by ${column.of ? `${column.of} ` : ""}${column.label}, ${sorting.descending ? "descending" : "ascending"}.`);
  }

  function rank() {
    const { key } = sorting.column;
    const sign = sorting.descending ? -1 : 1;
    const keys = Float64Array.from({ length: state.rows }, (_, row) => key(row));
    ranked = Int32Array.from({ length: state.rows }, (_, row) => row).sort((a, b) => {
      const [one, other] = [keys[a], keys[b]];
      if (one === other) return a - b;
      if (Number.isNaN(one)) return Number.isNaN(other) ? a - b : 1;
      return Number.isNaN(other) ? -1 : sign * (one - other);
    });
  }

  function arrange() {
    order = ranked.filter((row) => (!found || found[row]) && (!kept || kept[row]));
    last = null;
    active = Math.min(active, Math.max(order.length - 1, 0));
    heads.forEach((cell, index) => cell.setAttribute("aria-sort", columns[index] !== sorting.column ? "none" : sorting.descending ? "descending" : "ascending"));
    box.setAttribute("aria-rowcount", String(order.length + 1));
    box.scrollTop = 0;
    showChosen();
    draw();
  }

  function readTexts() {
    texts ??= Array.from({ length: state.rows }, (_, row) => [idOf(row), ...columns.map((column) => column.lower(row).toLowerCase())].join("\n"));
  }

  // Returns the rows that show a text, as a mask, or null where none is searched for.
  function search(text) {
    wanted = text.trim().toLowerCase();
    readTexts();
    found = wanted ? Uint8Array.from(texts, (each) => each.includes(wanted)) : null;
    active = 0;
    arrange();
    return found;
  }

  // Leaves only some rows, given as a mask; null leaves all.
  function limit(mask) {
    kept = mask;
    active = 0;
    arrange();
  }

  function draw() {
    const height = box.clientHeight || 480;
    const first = Math.max(0, Math.floor(box.scrollTop / ROW) - BESIDE);
    const last = Math.min(order.length, Math.ceil((box.scrollTop + height) / ROW) + BESIDE);
    above.style.height = `${first * ROW}px`;
    below.style.height = `${Math.max(0, order.length - last) * ROW}px`;
    const rows = [];
    for (let place = first; place < last; place++) rows.push(drawRow(order[place], place));
    seen.replaceChildren(...rows);
    drawPinned();
    const shown = order.length && active >= first && active < last;
    if (shown) box.setAttribute("aria-activedescendant", `${given.prefix}-${active}`);
    else box.removeAttribute("aria-activedescendant");
  }

  function drawRow(row, place, isPinned = false) {
    const id = isPinned ? null : `${given.prefix}-${place}`;
    const check = selectable ? h("input", { type: "checkbox", tabindex: "-1", "aria-label": `Select run ${idOf(row)}`, onclick: (event) => (event.stopPropagation(), tick(event, row, place)) }) : null;
    if (check) check.checked = selected.has(row);
    const name = `wb-grid-row${!isPinned && place === active ? " wb-active" : ""}${selected.has(row) ? " wb-chosen" : ""}${isPinned ? " wb-reference" : ""}`;
    const cells = columns.map((column) => h("div", { role: "gridcell", class: `wb-grid-cell wb-${column.kind}`, title: column.text(row).length > 26 ? column.text(row) : null }, column.text(row)));
    const first = h("div", { role: "rowheader", class: "wb-grid-cell" }, [given.first(row)].flat(), isPinned ? h("span", { class: "wb-note" }, " pinned") : null);
    return h(
      "div",
      { class: name, role: "row", id, onpointerenter: () => onPoint(row), "aria-rowindex": isPinned ? null : String(place + 2), "aria-selected": selectable ? String(selected.has(row)) : null, onclick: (event) => (isPinned ? null : point(event, place)), ondblclick: () => onOpen(row) },
      check ? h("div", { role: "gridcell", class: "wb-grid-cell wb-tick-cell", title: "Shift and a click selects all rows between", onclick: (event) => tick(event, row, place), ondblclick: (event) => event.stopPropagation() }, check) : null,
      first,
      cells,
    );
  }

  function point(event, place) {
    if (event.target.closest("a, button, input")) return;
    active = place;
    draw();
    onMark(order[active]);
  }

  function choose(rows, isChosen) {
    for (const row of rows) isChosen ? selected.add(row) : selected.delete(row);
    showChosen();
    onSelect([...selected]);
    draw();
  }

  // By mouse: a row, or with Shift all those from the one before.
  function tick(event, row, place) {
    const isRange = event.shiftKey && last !== null && place >= 0 && last < order.length;
    const rows = isRange ? order.subarray(Math.min(last, place), Math.max(last, place) + 1) : [row];
    if (event.shiftKey) getSelection()?.removeAllRanges();
    if (place >= 0) last = active = place;
    choose(rows, !selected.has(row));
    if (isRange) say(`${rows.length.toLocaleString("en")} rows ${selected.has(row) ? "selected" : "no longer selected"}.`);
  }

  function showChosen() {
    if (!all) return;
    let count = 0;
    for (const row of order) count += selected.has(row);
    all.checked = count > 0 && count === order.length;
    all.indeterminate = count > 0 && count < order.length;
  }

  // Marks a row and brings it into sight; false where it is not among those shown.
  function mark(row) {
    const place = order.indexOf(row);
    if (place < 0) return false;
    active = place;
    bringIntoSight();
    seen.querySelector(".wb-active")?.scrollIntoView({ block: "nearest" });
    onMark(row);
    return true;
  }

  // What a row shows, by column.
  const tell = (row) => columns.map((column) => [column.of ? `${column.of} ${column.label}` : column.label, column.text(row)]);

  // How many of those selected a search or a brush hides.
  function countHidden() {
    let hidden = selected.size;
    for (const row of order) hidden -= selected.has(row);
    return hidden;
  }

  function drawPinned() {
    if (head.nextSibling) head.nextSibling.remove(); // the head stays: it may have the focus
    if (pinned !== null) frame.append(drawRow(pinned, -1, true));
  }

  function pin(row) {
    pinned = pinned === row ? null : row;
    draw();
    return pinned;
  }

  // Arrows move the marked row, a blank selects it, Enter opens it.
  function move(event) {
    if (event.target !== box || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(box.clientHeight / ROW) - 2);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -order.length, End: order.length }[event.key];
    if (step !== undefined && order.length) {
      active = Math.min(Math.max(active + step, 0), order.length - 1);
      bringIntoSight();
      onMark(order[active]);
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      box.scrollLeft += event.key === "ArrowLeft" ? -96 : 96;
    } else if (event.key === " " && selectable && order.length) {
      choose([order[active]], !selected.has(order[active]));
    } else if (event.key === "Enter" && order.length) {
      onOpen(order[active]);
    } else return;
    event.preventDefault();
  }

  function bringIntoSight() {
    const top = active * ROW;
    const room = box.clientHeight - frame.offsetHeight;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + ROW > box.scrollTop + room) box.scrollTop = top + ROW - room;
    draw();
  }

  arrange();
  requestIdleCallback(readTexts); // so that the first letter is answered as fast as the next
  return { box, search, limit, pin, draw, mark, tell, activeRow: () => (order.length ? order[active] : null), chosen: () => [...selected], clear: () => choose([...selected], false), countHidden };
}
