// Pictures and their numbers as files, made in the browser: nothing is sent anywhere.
const DRAWN_STYLES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linejoin", "opacity", "font-family", "font-size", "font-weight", "text-anchor", "paint-order"];

function saveFile(name, blob) {
  const address = URL.createObjectURL(blob);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

const CAPTION_LINE = 18;
// A picture of Python's has units of its own and is stretched on the page; it is saved in these, at twice their size as PNG.
const unitsOf = (svg) => (svg.viewBox.baseVal?.width ? svg.viewBox.baseVal : { width: svg.clientWidth, height: svg.clientHeight });
const heightOf = ({ svg, caption }) => unitsOf(svg).height + CAPTION_LINE * caption().length + 8;

// An SVG as text that needs no style sheet, on the page's own ground, with what stands on the canvas below it and how to read it.
function spellSvg(picture) {
  const { svg, canvas, caption } = picture;
  const [width, height] = [unitsOf(svg).width, heightOf(picture)];
  const copy = svg.cloneNode(true);
  const [sources, copies] = [svg.querySelectorAll("*"), copy.querySelectorAll("*")];
  sources.forEach((source, index) => {
    const style = getComputedStyle(source);
    if (style.display === "none") return copies[index].setAttribute("display", "none");
    for (const name of ["style", "class"]) copies[index].removeAttribute(name);
    for (const name of DRAWN_STYLES) copies[index].setAttribute(name, style.getPropertyValue(name));
  });
  for (const [name, value] of Object.entries({ xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}` })) copy.setAttribute(name, value);
  if (canvas && !canvas.hidden) {
    const image = document.createElementNS(SVG, "image");
    for (const [name, value] of Object.entries({ href: canvas.toDataURL(), x: canvas.offsetLeft, y: canvas.offsetTop, width: canvas.offsetWidth, height: canvas.offsetHeight })) image.setAttribute(name, value);
    copy.prepend(image);
  }
  const ink = { fill: getComputedStyle(svg.closest(".wb-view")).color, "font-size": 12, "font-family": getComputedStyle(svg).fontFamily };
  copy.append(...caption().map((line, index) => h("text", { x: 8, y: unitsOf(svg).height + CAPTION_LINE * (index + 1), ...ink }, line)));
  copy.prepend(h("rect", { width: "100%", height: "100%", fill: getComputedStyle(svg.closest(".wb-view")).backgroundColor }));
  return new XMLSerializer().serializeToString(copy);
}

const saveSvg = (name, picture) => saveFile(`${name}.svg`, new Blob([spellSvg(picture)], { type: "image/svg+xml" }));

async function savePng(name, picture) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(spellSvg(picture))}`;
  await image.decode();
  const sheet = h("canvas", { width: 2 * unitsOf(picture.svg).width, height: 2 * heightOf(picture) });
  sheet.getContext("2d").drawImage(image, 0, 0, sheet.width, sheet.height);
  saveFile(`${name}.png`, await new Promise((done) => sheet.toBlob(done, "image/png")));
}

// Values as they are, numbers in full. A text that a spreadsheet would take for a formula gets an apostrophe.
function spellCsv(head, lines) {
  const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const cell = (value) => (typeof value === "string" ? quoted(/^[=+\-@\t]/.test(value) ? `'${value}` : value) : value === null || Number.isNaN(value) ? "" : String(value));
  return [head, ...lines].map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
}

const saveCsv = (name, head, lines) => saveFile(`${name}.csv`, new Blob(["\ufeff", spellCsv(head, lines)], { type: "text/csv" }));

const LONGEST_LINE = 56;

// A sentence in lines of so many characters.
function fold(text, longest) {
  const lines = [""];
  for (const word of text.split(" ")) {
    if (lines.at(-1) && lines.at(-1).length + word.length >= longest) lines.push(word);
    else lines[lines.length - 1] += lines.at(-1) ? ` ${word}` : word;
  }
  return lines;
}

// Buttons that save a picture drawn in Python, and the table that says the same.
function figureFiles({ title, says, columns, rows, svg }) {
  const name = title.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-").replaceAll(/^-|-$/g, "") || "picture";
  const save = (kind, act) => h("button", { type: "button", class: "wb-small", "aria-label": `Save ${title} as ${kind}`, onclick: act }, kind);
  if (svg) pointAtCurves(svg, columns);
  const picture = { svg, canvas: null, caption: () => [title, ...fold(says, LONGEST_LINE)] };
  return h("p", { class: "wb-quiet wb-saved" }, "Save as ", svg ? [save("SVG", () => saveSvg(name, picture)), save("PNG", () => savePng(name, picture))] : null, save("CSV", () => saveCsv(name, columns, rows)));
}
