// Fills a page that stands alone with all of its rows: they are unpacked, searched, limited and sorted here, without any network.
async function unpack() {
  const packed = Uint8Array.from(atob(document.getElementById("wb-rows").textContent), (letter) => letter.charCodeAt(0));
  const bytes = new Uint8Array(await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const data = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let place = 4 + length;
  const columns = data.columns.map((column) => {
    if (column.kind === "text") return { ...column, codes: Int32Array.from(column.values.split("\n"), Number) };
    if (column.values !== undefined) return { ...column, values: Float64Array.from(column.values.split("\n"), readText) };
    const block = bytes.subarray(place, (place += BYTES * data.rows));
    return { ...column, values: Float64Array.from({ length: data.rows }, (_, row) => readNumber(block, row, data.rows)) };
  });
  return { ...data, columns };
}

const BYTES = 6;
const SPECIAL = new Map([[32767, NaN], [32766, Infinity], [32765, -Infinity]]);
const readText = (text) => (text === "" ? NaN : Number(text.replace("inf", "Infinity")));

// A number is a whole one of four bytes and a power of ten of two; first come the first bytes of all rows, then the second ones.
function readNumber(block, row, rows) {
  const byte = (plane) => block[plane * rows + row];
  const whole = byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24);
  const power = ((byte(4) | (byte(5) << 8)) << 16) >> 16;
  return SPECIAL.has(power) ? SPECIAL.get(power) : Number(`${whole}e${power}`);
}

function showRows(section, state) {
  const status = h("p", { class: "wb-say", role: "status", "aria-live": "polite" });
  const say = (text) => status.replaceChildren(text);
  const plural = `${state.what}s`;
  const idOf = (row) => state.ids[row] ?? `${row + 1}`;
  const grid = runGrid({
    state,
    prefix: "wb-row",
    selectable: false,
    label: `All ${plural}`,
    firstLabel: state.what,
    idOf,
    first: (row) => h("code", { title: idOf(row) }, idOf(row).slice(0, 12)),
    onOpen: () => {},
    onSelect: () => {},
    say,
  });
  const numbers = state.columns.filter((column) => column.kind === "number");
  const name = (column) => [column.of, column.label].filter(Boolean).join(" ");
  const search = h("input", { type: "search", placeholder: "any text shown", oninput: find });
  const limited = h("select", { onchange: limit }, numbers.map((column, place) => h("option", { value: place }, name(column))));
  const from = h("input", { type: "number", step: "any", class: "wb-short", oninput: limit });
  const to = h("input", { type: "number", step: "any", class: "wb-short", oninput: limit });
  const field = (label, control) => h("label", { class: "wb-field" }, h("span", { class: "wb-quiet" }, label), control);
  let found = null;
  let kept = null;

  function find() {
    found = grid.search(search.value);
    count();
  }

  function limit() {
    const [low, high] = [from, to].map((input) => (input.value === "" ? null : input.valueAsNumber));
    const values = numbers[limited.value].values;
    const isAll = low === null && high === null;
    kept = isAll ? null : Uint8Array.from(values, (value) => (low === null || value >= low) && (high === null || value <= high) && !Number.isNaN(value));
    grid.limit(kept);
    count();
  }

  function count() {
    let shown = 0;
    for (let row = 0; row < state.rows; row++) shown += (!found || found[row]) && (!kept || kept[row]) ? 1 : 0;
    say(found || kept ? `${shown.toLocaleString("en")} of ${state.rows.toLocaleString("en")} ${plural} are shown.` : "");
  }

  const asking = [field("Search", search), ...(numbers.length ? [field("Only where", limited), field("is at least", from), field("and at most", to)] : [])];
  const title = h("h2", {}, `All ${state.rows.toLocaleString("en")} ${plural}`);
  const hint = h("p", { class: "wb-quiet" }, `A click on a column's name sorts by it. ${state.note}`);
  section.replaceChildren(title, h("div", { class: "wb-row" }, asking), grid.box, status, hint);
  grid.draw();
}

window.requestIdleCallback ??= (act) => setTimeout(act);
unpack().then((state) => showRows(document.getElementById("wb-all"), state));
