// How many lines or points cross each pixel, exactly: every row counts, none is drawn over another. Rows come and go one by one, so that
// moving a brush costs what it changes.
const LEVEL_UNIT = 2 ** 24; // a weight is one row and its level, in one number that adds up
const UNLEVELLED = 255;

// `xs`: where the axes stand, whole pixels in rising order; `ys(axis)`: the pixel of each row there.
function lineDensity({ xs, ys, levels, width, height }) {
  const deep = height + 1; // differences down a column of pixels: one more than there are
  const coloured = new Float64Array(width * deep);
  const plain = new Float64Array(width * deep);
  const isIn = new Uint8Array(levels.length);
  const given = { counts: new Uint32Array(width * height), sums: new Float32Array(width * height), unlevelled: new Uint32Array(width * height) };
  let count = 0;
  let hasPlain = false;

  // Adds lines, or takes them away, column of pixels by column: all that is written to at a time is one of them.
  function add(counts, rows, weights) {
    const size = rows.length;
    const places = new Float64Array(size);
    const steps = new Float64Array(size);
    const pixels = new Int32Array(size);
    for (let axis = 0; axis + 1 < xs.length; axis++) {
      const [from, to] = [ys[axis], ys[axis + 1]];
      const [first, last] = [xs[axis], xs[axis + 1]];
      for (let at = 0; at < size; at++) {
        pixels[at] = from[rows[at]];
        places[at] = pixels[at] + 0.5;
        steps[at] = (to[rows[at]] - pixels[at]) / (last - first);
      }
      for (let x = first; x < last; x++) addColumn(counts.subarray(x * deep, (x + 1) * deep), places, steps, pixels, weights);
    }
  }

  // Makes the rows counted those of a mask.
  function sync(mask) {
    let [changed, wanted] = [0, 0];
    for (let row = 0; row < mask.length; row++) {
      changed += mask[row] !== isIn[row];
      wanted += mask[row];
    }
    if (wanted < changed) {
      coloured.fill(0);
      plain.fill(0);
      isIn.fill(0);
      hasPlain = false;
    }
    const rows = { coloured: [], plain: [] };
    for (let row = 0; row < mask.length; row++) if (mask[row] !== isIn[row]) rows[levels[row] === UNLEVELLED ? "plain" : "coloured"].push(row);
    const sign = (row) => (mask[row] ? 1 : -1);
    add(coloured, Int32Array.from(rows.coloured), Float64Array.from(rows.coloured, (row) => sign(row) * (1 + levels[row] * LEVEL_UNIT)));
    add(plain, Int32Array.from(rows.plain), Float64Array.from(rows.plain, sign));
    hasPlain ||= rows.plain.length > 0;
    isIn.set(mask);
    count = wanted;
  }

  return { sync, read: () => readCounts(coloured, hasPlain ? plain : null, width, height, given), count: () => count };
}

function addColumn(column, places, steps, pixels, weights) {
  for (let at = 0; at < places.length; at++) {
    const begin = pixels[at];
    const place = places[at] + steps[at];
    const end = place | 0;
    const weight = weights[at];
    places[at] = place;
    pixels[at] = end;
    column[begin < end ? begin : end] += weight;
    column[(begin < end ? end : begin) + 1] -= weight;
  }
}

// The counts of each pixel, column by column, with the sum of their levels; `most` is the largest.
function readCounts(coloured, plain, width, height, { counts, sums, unlevelled }) {
  let most = 0;
  for (let x = 0; x < width; x++) {
    let [sum, other] = [0, 0];
    for (let y = 0, from = x * (height + 1), to = x * height; y < height; y++, from++, to++) {
      sum += coloured[from];
      if (plain) unlevelled[to] = other += plain[from];
      const level = Math.floor(sum * (1 / LEVEL_UNIT));
      const all = sum - level * LEVEL_UNIT + other;
      counts[to] = all;
      sums[to] = level;
      if (all > most) most = all;
    }
  }
  return { counts, sums, unlevelled: plain ? unlevelled : null, most, width, height };
}

// What stands out above nearly all: few pixels where very many lines meet would leave the others pale.
function findMany(counts, most) {
  const having = new Uint32Array(most + 1);
  let all = 0;
  for (let at = 0; at < counts.length; at++) {
    if (!counts[at]) continue;
    having[counts[at]] += 1;
    all += 1;
  }
  let many = most;
  for (let above = having[many]; many > 1 && above < 0.02 * all; above += having[many]) many -= 1;
  return many;
}

// Paints counts into the pixels of an image: the darker the more rows, by the logarithm; the colour is the mean level's.
// `ramp`: colours by level as [red, green, blue]; `grey`: that of rows without one; `faint` is for what was brushed away.
function paintCounts(image, { counts, sums, unlevelled, most, width, height }, ramp, grey, [least, span]) {
  const { data } = image;
  const darkness = new Uint8ClampedArray(most + 1);
  const scale = Math.log(Math.max(findMany(counts, most), 2));
  for (let count = 1; count <= most; count++) darkness[count] = 255 * (least + span * Math.min(1, Math.log(count) / scale));
  for (let x = 0; x < width; x++) {
    for (let y = 0, from = x * height; y < height; y++, from++) {
      const count = counts[from];
      if (!count) continue;
      const others = unlevelled ? unlevelled[from] : 0;
      const own = count - others;
      const colour = own && ramp ? ramp[Math.round((sums[from] / own) * ((ramp.length - 1) / 15))] : grey;
      const share = own / count;
      const alpha = darkness[count];
      const to = 4 * (y * width + x);
      const below = data[to + 3] * (1 - alpha / 255); // what was painted before shows through
      const all = alpha + below;
      for (let part = 0; part < 3; part++) {
        const mixed = others && own ? colour[part] * share + grey[part] * (1 - share) : colour[part];
        data[to + part] = (mixed * alpha + data[to + part] * below) / all;
      }
      data[to + 3] = all;
    }
  }
}

// Colours as they are in force on this page, light or dark.
function readColours(within) {
  const probe = h("span", { hidden: true });
  within.append(probe);
  const read = (name) => {
    probe.style.color = `var(--wb-draw-${name})`;
    return getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  };
  const [low, middle, high, grey, point] = ["low", "middle", "high", "soft", "0"].map(read);
  probe.remove();
  const mix = (one, other, at) => one.map((part, index) => Math.round(part + (other[index] - part) * at));
  const ramp = Array.from({ length: 31 }, (_, at) => (at < 15 ? mix(low, middle, at / 15) : mix(middle, high, (at - 15) / 15)));
  return { ramp, grey, point, ofLevel: (level) => (level === UNLEVELLED ? grey : ramp[2 * level]) };
}
