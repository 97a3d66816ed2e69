// What the browser computes from the packed attention: softmax, lifted maps, entropy, the released merge. Runs in Node.

import { clamp, format, unpack } from "../shared/numbers.js";

/**
 * Rows of an interpolation matrix as runs of non-zero weights.
 * @param {ReturnType<typeof unpack>} matrix
 */
function taps({ values, shape: [rows, columns] }) {
  return Array.from({ length: rows }, (_, i) => {
    const row = values.subarray(i * columns, (i + 1) * columns);
    const start = row.findIndex((x) => x !== 0);
    return { start, weights: row.slice(start, row.findLastIndex((x) => x !== 0) + 1) };
  });
}

/**
 * @param {Float32Array} sum
 * @param {ArrayLike<number>} weights four
 * @param {Float32Array[]} footprints four
 */
function addFour(sum, weights, footprints) {
  const [a, b, c, d] = Array.from(weights);
  const [f, g, h, k] = footprints;
  for (let j = 0; j < sum.length; j++) sum[j] += a * f[j] + b * g[j] + c * h[j] + d * k[j];
}

/**
 * As packing.pack_level makes it.
 * @typedef {import("../shared/numbers.js").Packed} Packed
 * @typedef {{ grid: number[], queries: Packed | null, keys: Packed | null, attention?: Packed | null,
 *   heads: number, d: number, window?: number | null, footprints: Packed | null,
 *   resample: Packed[] | null, common: Packed, own: (number | null)[], norms?: Packed | null, channel: Record<string, Packed> | null, entropy: Record<string, number[]> }} PackedLevel
 */
/** One scale: what Record holds of it, and the sums that a query needs. */
export class Level {
  /** @param {PackedLevel} packed */
  constructor(packed) {
    const [rows, columns] = packed.grid;
    const side = packed.window;
    const footprints =
      side || !packed.footprints
        ? { shape: [(side ?? 0) ** 2, rows, columns], values: new Float32Array() }
        : unpack(packed.footprints);
    const [p, heldRows, heldColumns] = footprints.shape;
    this.rows = rows;
    this.columns = columns;
    const [heads, , d] = packed.queries ? packed.queries.shape : [packed.heads, 0, packed.d];
    this.heads = heads;
    this.n = rows * columns;
    this.d = d; // features of a head
    this.p = p; // projected tokens, or pixels of the window
    this.heldRows = heldRows;
    this.heldColumns = heldColumns;
    this.window = side;
    this.around = [0, 0]; // window attention: the query that weights() was last asked for
    this.queries = packed.queries ? unpack(packed.queries).values : new Float32Array();
    this.keys = packed.keys ? unpack(packed.keys).values : new Float32Array();
    this.attention = packed.attention ? unpack(packed.attention) : null; // (head, n, p), or one for all heads
    this.footprints = footprints.values;
    this.channel = packed.channel && Object.fromEntries(Object.entries(packed.channel).map(([k, v]) => [k, unpack(v)]));
    this.entropy = packed.entropy;
    this.common = unpack(packed.common).values; // mean attention of all queries, (head, p)
    this.own = packed.own; // share of the difference from uniform that is the query's; heads, then their mean
    this.norms = packed.norms ? unpack(packed.norms) : null; // of the values, (head, row, column), or one for all heads
    this.taps = packed.resample && packed.resample.map((m) => taps(unpack(m)));
  }

  /**
   * Attention of one query on the p tokens, as sent or softmax(q . k), of one head or the mean (null).
   * @param {number | null} head
   * @param {number} token
   */
  weights(head, token) {
    const { p, d, n } = this;
    const mean = new Float64Array(p);
    const one = new Float64Array(p);
    const heads = head === null ? [...Array(this.heads).keys()] : [head];
    this.around = [Math.floor(token / this.columns), token % this.columns];
    for (const h of heads) {
      if (this.attention) {
        const start = ((h % this.attention.shape[0]) * n + token) * p;
        for (let i = 0; i < p; i++) mean[i] += this.attention.values[start + i] / heads.length;
        continue;
      }
      const q = (h * n + token) * d;
      let top = -Infinity;
      let total = 0;
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
    const { rows, columns, around } = this;
    const window = this.window ?? 1;
    const half = (window - 1) / 2;
    const row = around[0] + Math.floor(i / window) - half;
    const column = around[1] + (i % window) - half;
    return clamp(row, 0, rows - 1) * columns + clamp(column, 0, columns - 1);
  }

  /**
   * sum_p weights[p] F[p, j].
   * @param {Float64Array} weights
   */
  lift(weights) {
    return this.lifts([weights])[0];
  }

  /**
   * Of several at once, so that each footprint is read once; those held on a coarse grid are summed there, then resampled.
   * @param {Float64Array[]} all
   */
  lifts(all) {
    const size = this.heldRows * this.heldColumns;
    const part = (p) => this.footprints.subarray(p * size, (p + 1) * size);
    const held = all.map(() => new Float32Array(size));
    if (this.window) {
      all.forEach((weights, i) =>
        weights.forEach((w, p) => {
          held[i][this.pixel(p)] += w;
        }),
      );
      return held;
    }
    let p = 0;
    for (; p + 3 < this.p; p += 4) {
      // four at a time: twice as fast as one by one
      const four = [part(p), part(p + 1), part(p + 2), part(p + 3)];
      all.forEach((weights, i) => addFour(held[i], weights.subarray(p, p + 4), four));
    }
    for (; p < this.p; p++) {
      const f = part(p);
      all.forEach((weights, i) => {
        for (let j = 0; j < size; j++) held[i][j] += weights[p] * f[j];
      });
    }
    return held.map((map) => this.resampled(map));
  }

  /**
   * From the grid that holds the footprints to the level's own.
   * @param {Float32Array} held
   */
  resampled(held) {
    const { heldRows, heldColumns, rows, columns } = this;
    if (!this.taps) return held;
    const wide = new Float32Array(heldRows * columns);
    const map = new Float32Array(rows * columns);
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
    return this.taps || this.window
      ? this.lift(Float64Array.from({ length: this.p }, (_, i) => +(i === p)))
      : this.footprints.subarray(p * size, (p + 1) * size);
  }

  /**
   * What is taken from the weights: nothing, uniform attention, or the mean over all queries.
   * @param {number | null} head
   * @param {boolean | "queries"} relative
   * @returns {(w: number, i: number) => number}
   */
  minus(head, relative) {
    const { p, heads, common } = this;
    if (relative !== "queries") return (w) => (relative ? w - 1 / p : w);
    const mean = (i) => [...Array(heads).keys()].reduce((sum, h) => sum + common[h * p + i] / heads, 0);
    return (w, i) => w - (head === null ? mean(i) : common[head * p + i]);
  }
  /** The share of the difference from uniform that belongs to the query; null where there is none. */
  ownShare(head) {
    return this.own[head ?? this.heads];
  }

  /** Entropy of one head at a query, or the mean of the heads' own: that of their mean would be larger. */
  entropyAt(head, row, column) {
    const heads = head === null ? [...Array(this.heads).keys()] : [head];
    const token = row * this.columns + column;
    return heads.reduce((sum, h) => sum + entropy(this.weights(h, token)) / heads.length, 0);
  }

  /** The weights that a map shows: of one head or the mean (null), as they are or minus something. */
  shown(head, row, column, relative) {
    return this.weights(head, row * this.columns + column).map(this.minus(head, relative));
  }
  map(head, row, column, relative) {
    return this.lift(this.shown(head, row, column, relative));
  }

  /** The maps of all heads, and their mean last. */
  maps(row, column, relative) {
    const each = this.lifts(Array.from({ length: this.heads }, (_, head) => this.shown(head, row, column, relative)));
    return [...each, average(each)];
  }

  /** Where the values of one output token come from: its own, or where the released merge took them. */
  source(row, column, scrambled) {
    const { heads, n, d } = this;
    const token = row * this.columns + column;
    return Array.from({ length: heads * d }, (_, i) => {
      const at = token * heads * d + i; // planes lie in the order (d, head, n)
      const [head, feature, from] = scrambled
        ? [Math.floor(at / n) % heads, Math.floor(at / n / heads), at % n]
        : [Math.floor(i / d), i % d, token];
      return { head, feature, row: Math.floor(from / this.columns), column: from % this.columns };
    });
  }

  /** Channel attention of one head, d x d: what a query feature (row) takes of each reference feature. */
  matrix(head) {
    return this.part("matrix", head, this.d ** 2);
  }
  /** How alike a query map and a key map are over all pixels, d x d. */
  cosine(head) {
    return this.part("cosine", head, this.d ** 2);
  }
  sent(name) {
    if (!this.channel) throw new Error("a level without a channel branch");
    return this.channel[name];
  }
  part(name, index, size) {
    return this.sent(name).values.subarray(index * size, (index + 1) * size);
  }
  /** A feature map of a head: "query", "key" or "value"; rows and columns as sent, at most half of a large level's. */
  feature(kind, head, i) {
    const [, d, rows, columns] = this.sent(kind).shape;
    return { values: this.part(kind, head * d + i, rows * columns), size: [rows, columns] };
  }
  /** What a head writes into its feature i: the sum of its value maps, weighted by row i of its matrix. */
  mixed(head, i) {
    const weights = this.matrix(head).subarray(i * this.d, (i + 1) * this.d);
    const { size } = this.feature("value", head, 0);
    const values = new Float32Array(size[0] * size[1]);
    weights.forEach((w, j) =>
      this.feature("value", head, j).values.forEach((v, at) => {
        values[at] += w * v;
      }),
    );
    return { values, size };
  }
}

/**
 * The mean of several maps.
 * @param {Float32Array[]} maps
 */
export function average(maps) {
  const mean = new Float32Array(maps[0].length);
  for (const map of maps) for (let j = 0; j < mean.length; j++) mean[j] += map[j] / maps.length;
  return mean;
}

/** Entropy over its maximum: 1 uniform, 0 one-hot. */
export const entropy = (weights) =>
  -weights.reduce((sum, w) => sum + (w > 0 ? w * Math.log(w) : 0), 0) / Math.log(weights.length);

// attention may be uniform to five digits, and not be uniform
export const share = (x) => x.toFixed(x > 0.9995 ? 5 : 3);
export const times = (x) => `${Math.abs(x - 1) < 0.005 ? x.toFixed(5) : format(x)} ×`;
