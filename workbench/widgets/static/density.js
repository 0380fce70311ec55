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
  const none = new Float64Array(width * deep);
  const hasPlain = levels.includes(UNLEVELLED);
  let full = null; // what all rows add up to
  let count = 0;

  const gaps = xs.slice(1).map((_, axis) => pairPixels(ys[axis], ys[axis + 1], height));

  // Adds lines, or takes them away, column of pixels by column: all that is written to at a time is one of them.
  function add(counts, rows, weigh) {
    for (const [axis, gap] of gaps.entries()) {
      const sums = new Float64Array(gap.from.length);
      for (const row of rows) sums[gap.pairs[row]] += weigh(row);
      const [first, last] = [xs[axis], xs[axis + 1]];
      let size = 0;
      for (let pair = 0; pair < sums.length; pair++) size += sums[pair] !== 0;
      const [pixels, places, steps, weights] = [new Int32Array(size), new Float64Array(size), new Float64Array(size), new Float64Array(size)];
      for (let pair = 0, at = 0; pair < sums.length; pair++) {
        if (!sums[pair]) continue;
        pixels[at] = gap.from[pair];
        places[at] = gap.from[pair] + 0.5;
        steps[at] = (gap.to[pair] - gap.from[pair]) / (last - first);
        weights[at++] = sums[pair];
      }
      for (let x = first; x < last; x++) addColumn(counts.subarray(x * deep, (x + 1) * deep), places, steps, pixels, weights);
    }
  }

  // Makes the rows counted those of a mask: from what is counted now, from none or from all, whichever is the shortest way.
  function sync(mask) {
    let [changed, wanted] = [0, 0];
    for (let row = 0; row < mask.length; row++) {
      changed += mask[row] !== isIn[row];
      wanted += mask[row];
    }
    const ways = [changed, wanted, full ? mask.length - wanted : Infinity];
    const shortest = ways.indexOf(Math.min(...ways));
    if (shortest) {
      coloured.set(shortest === 1 ? none : full.coloured);
      plain.set(shortest === 1 ? none : full.plain);
      isIn.fill(shortest - 1);
    }
    const rows = { coloured: [], plain: [] };
    for (let row = 0; row < mask.length; row++) if (mask[row] !== isIn[row]) rows[levels[row] === UNLEVELLED ? "plain" : "coloured"].push(row);
    const sign = (row) => (mask[row] ? 1 : -1);
    if (rows.coloured.length) add(coloured, rows.coloured, (row) => sign(row) * (1 + levels[row] * LEVEL_UNIT));
    if (rows.plain.length) add(plain, rows.plain, sign);
    isIn.set(mask);
    count = wanted;
    if (wanted === mask.length) full ??= { coloured: coloured.slice(), plain: plain.slice() };
  }

  return { sync, read: () => readCounts(coloured, hasPlain ? plain : null, width, height, given), count: () => count };
}

// Rows that run between the same two pixels are one line: `pairs` says which of them each row is.
function pairPixels(one, other, height) {
  const numbers = new Int32Array(height * height).fill(-1);
  const pairs = new Int32Array(one.length);
  const [from, to] = [[], []];
  for (let row = 0; row < one.length; row++) {
    const at = one[row] * height + other[row];
    if (numbers[at] < 0) numbers[at] = from.push(one[row]) && to.push(other[row]) - 1;
    pairs[row] = numbers[at];
  }
  return { pairs, from, to };
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
  const words = new Uint32Array(data.buffer); // alpha, blue, green, red
  const word = ([red, green, blue]) => (blue << 16) | (green << 8) | red;
  const [colours, plain] = [Uint32Array.from(ramp ?? [], word), word(grey)];
  const darkness = new Uint8ClampedArray(most + 1);
  const scale = Math.log(Math.max(findMany(counts, most), 2));
  for (let count = 1; count <= most; count++) darkness[count] = 255 * (least + span * Math.min(1, Math.log(count) / scale));
  for (let x = 0; x < width; x++) {
    for (let y = 0, from = x * height, to = x; y < height; y++, from++, to += width) {
      const count = counts[from];
      if (!count) continue;
      const others = unlevelled ? unlevelled[from] : 0;
      const own = count - others;
      let colour = own && ramp ? colours[((sums[from] / own) * 2 + 0.5) | 0] : plain;
      if (others && own) colour = blend(plain, colour, own / count);
      const alpha = darkness[count];
      const below = words[to];
      if (!below) words[to] = colour | (alpha << 24);
      else {
        // What was painted before shows through.
        const left = (below >>> 24) * (1 - alpha / 255);
        words[to] = blend(below, colour, alpha / (alpha + left)) | ((alpha + left) << 24);
      }
    }
  }
}

// A colour between two, the alpha left out.
function blend(one, other, share) {
  const [blue, green, red] = [(one >>> 16) & 255, (one >>> 8) & 255, one & 255];
  return (
    ((blue + share * (((other >>> 16) & 255) - blue)) << 16) | ((green + share * (((other >>> 8) & 255) - green)) << 8) | (red + share * ((other & 255) - red))
  );
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
