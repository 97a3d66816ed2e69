// What the browser computes from the packed attention: softmax, lifted maps, entropy, the released merge.
// After numbers.js in one module; both run in Node.

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
    const queries = unpack(packed.queries), side = this.window = packed.window;
    const footprints = side ? { shape: [side * side, this.rows, this.columns] } : unpack(packed.footprints);
    [this.heads, this.n, this.d] = queries.shape;
    [this.p, this.heldRows, this.heldColumns] = footprints.shape;
    this.around = [0, 0]; // window attention: the query that weights() was last asked for
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
    this.around = [Math.floor(token / this.columns), token % this.columns];
    for (const h of heads) {
      const q = (h * n + token) * d;
      let top = -Infinity, total = 0;
      for (let i = 0; i < p; i++) {
        const k = (this.window ? h * n + this.pixel(i) : h * p + i) * d;
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

  /** Window attention: where token i of the last query lies; beyond the border, the nearest pixel. */
  pixel(i) {
    const { window, rows, columns, around } = this, half = (window - 1) / 2;
    const row = around[0] + Math.floor(i / window) - half, column = around[1] + (i % window) - half;
    return Math.max(0, Math.min(rows - 1, row)) * columns + Math.max(0, Math.min(columns - 1, column));
  }

  /** sum_p weights[p] F[p, j], of a Float64Array; footprints held on a coarse grid are summed there, then resampled. */
  lift(weights) {
    const { footprints, heldRows, heldColumns, rows, columns } = this, size = heldRows * heldColumns;
    const held = new Float32Array(size);
    if (this.window) {
      weights.forEach((w, i) => (held[this.pixel(i)] += w));
      return held;
    }
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
    return this.taps || this.window ? this.lift(Float64Array.from({ length: this.p }, (_, i) => +(i === p))) : this.footprints.subarray(p * size, (p + 1) * size);
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

// attention may be uniform to five digits, and not be uniform
export const share = (x) => x.toFixed(x > 0.9995 ? 5 : 3);
export const times = (x) => `${Math.abs(x - 1) < 0.005 ? x.toFixed(5) : format(x)} ×`;
