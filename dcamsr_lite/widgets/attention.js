// What the browser computes from the packed attention: softmax, lifted maps, entropy, the released merge.
// `explorer.js` follows in the same module; alone, this file runs in Node.

/** The number that 16 bits hold as IEEE binary16: browsers may lack Float16Array. */
export function half(bits) {
  const sign = bits >> 15 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

let halves;
/** {data: DataView, dtype, shape, scale} -> {values: Float32Array, shape}. */
export function unpack({ data, dtype, shape, scale }) {
  // copied first: a view into a message may start at an odd byte
  const bytes = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  if (dtype === "float32") return { values: new Float32Array(bytes).map((x) => x * scale), shape };
  if (dtype === "int16") return { values: Float32Array.from(new Int16Array(bytes), (x) => x * scale), shape };
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => half(bits));
  return { values: Float32Array.from(new Uint16Array(bytes), (x) => halves[x] * scale), shape };
}

/** Rows of an interpolation matrix as runs of non-zero weights. */
function taps({ values, shape: [rows, columns] }) {
  return Array.from({ length: rows }, (_, i) => {
    const row = values.subarray(i * columns, (i + 1) * columns);
    const start = row.findIndex((x) => x !== 0);
    return { start, weights: row.slice(start, row.findLastIndex((x) => x !== 0) + 1) };
  });
}

/** One scale: what Record holds of it, and the sums that a query needs. */
export class Level {
  constructor(packed) {
    [this.rows, this.columns] = packed.grid;
    const queries = unpack(packed.queries), footprints = unpack(packed.footprints);
    [this.heads, this.n, this.d] = queries.shape;
    [this.p, this.heldRows, this.heldColumns] = footprints.shape;
    this.queries = queries.values;
    this.keys = unpack(packed.keys).values;
    this.footprints = footprints.values;
    this.channel = packed.channel && unpack(packed.channel);
    this.entropy = packed.entropy;
    this.taps = packed.resample && packed.resample.map((m) => taps(unpack(m)));
  }

  /** Attention of one query on the p tokens: softmax(q . k), of one head or the mean (null). */
  weights(head, token) {
    const { p, d, n } = this, mean = new Float64Array(p), one = new Float64Array(p);
    const heads = head === null ? [...Array(this.heads).keys()] : [head];
    for (const h of heads) {
      const q = (h * n + token) * d;
      let top = -Infinity, total = 0;
      for (let i = 0; i < p; i++) {
        const k = (h * p + i) * d;
        let logit = 0;
        for (let j = 0; j < d; j++) logit += this.queries[q + j] * this.keys[k + j];
        one[i] = logit;
        if (logit > top) top = logit;
      }
      for (let i = 0; i < p; i++) total += one[i] = Math.exp(one[i] - top);
      for (let i = 0; i < p; i++) mean[i] += one[i] / total / heads.length;
    }
    return mean;
  }

  /** sum_p weights[p] F[p, j], of a Float64Array; footprints held on a coarse grid are summed there, then resampled. */
  lift(weights) {
    const { footprints, heldRows, heldColumns, rows, columns } = this, size = heldRows * heldColumns;
    const held = new Float32Array(size);
    const part = (p) => footprints.subarray(p * size, (p + 1) * size);
    let p = 0;
    for (; p + 3 < weights.length; p += 4) { // four at a time: twice as fast as one by one
      const [a, b, c, d] = weights.subarray(p, p + 4), [f, g, h, k] = [part(p), part(p + 1), part(p + 2), part(p + 3)];
      for (let j = 0; j < size; j++) held[j] += a * f[j] + b * g[j] + c * h[j] + d * k[j];
    }
    for (; p < weights.length; p++) {
      const a = weights[p], f = part(p);
      for (let j = 0; j < size; j++) held[j] += a * f[j];
    }
    if (!this.taps) return held;
    const wide = new Float32Array(heldRows * columns), map = new Float32Array(rows * columns);
    this.taps[1].forEach(({ start, weights: w }, j) => {
      for (let i = 0; i < heldRows; i++) {
        let sum = 0;
        for (let t = 0; t < w.length; t++) sum += w[t] * held[i * heldColumns + start + t];
        wide[i * columns + j] = sum;
      }
    });
    this.taps[0].forEach(({ start, weights: w }, i) => {
      for (let t = 0; t < w.length; t++) {
        const from = (start + t) * columns;
        for (let j = 0; j < columns; j++) map[i * columns + j] += w[t] * wide[from + j];
      }
    });
    return map;
  }

  footprint(p) {
    const size = this.heldRows * this.heldColumns;
    return this.taps ? this.lift(Float64Array.from({ length: this.p }, (_, i) => +(i === p))) : this.footprints.subarray(p * size, (p + 1) * size);
  }

  map(head, row, column, relative) {
    const weights = this.weights(head, row * this.columns + column);
    return this.lift(relative ? weights.map((w) => w - 1 / this.p) : weights);
  }

  /** Where the values of one output token come from: its own, or where the released merge took them. */
  source(row, column, scrambled) {
    const { heads, n, d } = this, token = row * this.columns + column;
    return Array.from({ length: heads * d }, (_, i) => {
      const at = token * heads * d + i; // planes lie in the order (d, head, n)
      const [head, feature, from] = scrambled
        ? [Math.floor(at / n) % heads, Math.floor(at / n / heads), at % n] : [Math.floor(i / d), i % d, token];
      return { head, feature, row: Math.floor(from / this.columns), column: from % this.columns };
    });
  }

  get d2() { return this.channel.shape[1]; }
  matrix(head) { return this.channel.values.subarray(head * this.d2 ** 2, (head + 1) * this.d2 ** 2); }
}

/** Entropy over its maximum: 1 uniform, 0 one-hot. */
export const entropy = (weights) =>
  -weights.reduce((sum, w) => sum + (w > 0 ? w * Math.log(w) : 0), 0) / Math.log(weights.length);

/** A number in few digits: 0.0312, −7.65·10⁻⁵. */
export function format(x, digits = 3) {
  if (x === 0 || !isFinite(x)) return String(x);
  const power = Math.floor(Math.log10(Math.abs(x)));
  if (power >= -2 && power < 4) return String(+x.toPrecision(digits)).replace("-", "−");
  const raised = String(power).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
  return `${(x / 10 ** power).toFixed(digits - 1)}·10${raised}`.replace("-", "−");
}
