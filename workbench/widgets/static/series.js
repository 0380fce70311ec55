// Which of six colours a run has by its id; `drawings/series.py` says the same, so that it has it in every picture.
const SERIES = 6;

function chooseSeries(ids) {
  const chosen = new Map();
  for (const id of [...new Set(ids)].sort()) {
    const taken = new Set(chosen.values());
    const wanted = hashOf(id) % SERIES;
    let number = wanted;
    while (taken.has(number) && taken.size < SERIES) number = (number + 1) % SERIES;
    chosen.set(id, number);
  }
  return ids.map((id) => chosen.get(id));
}

// The 32 bits of FNV-1a.
const hashOf = (text) => new TextEncoder().encode(text).reduce((value, byte) => Math.imul(value ^ byte, 16777619) >>> 0, 2166136261);
