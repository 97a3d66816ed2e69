// The maps of a pixel, both ways round: what its query reads of the reference, or which queries read it; plain, or times
// the length of the values. As Record.lift and Record.find_readers. Runs in Node.

import { clamp } from "../shared/numbers.js";
import { average } from "./level.js";

/** @typedef {import("./level.js").Level} Level */
/** @typedef {{ relative?: boolean | "queries", reverse?: boolean, by_value?: boolean }} Look which map of a pixel is meant */

/** @type {WeakMap<Level, Map<number | null, Float32Array>>} */
const kept = new WeakMap();

/**
 * The attention of all queries, n x p, of one head or the mean; kept, for it takes long and the next pixel asks it too.
 * @param {Level} level
 * @param {number | null} head
 */
function attentionOf(level, head) {
  const { n, p } = level;
  const heads = kept.get(level) ?? new Map();
  kept.set(level, heads);
  let all = heads.get(head);
  if (!all) {
    all = new Float32Array(n * p);
    for (let query = 0; query < n; query++) all.set(level.weights(head, query), query * p);
    heads.set(head, all);
  }
  return all;
}

/**
 * What each footprint has at one pixel.
 * @param {Level} level
 */
function tokensAt(level, row, column) {
  const { p, heldRows, heldColumns, footprints, taps } = level;
  const one = (at) => ({ start: at, weights: [1] });
  const [down, along] = taps ? [taps[0][row], taps[1][column]] : [one(row), one(column)];
  return Float64Array.from({ length: p }, (_, i) => {
    let sum = 0;
    down.weights.forEach((w, r) =>
      along.weights.forEach((v, c) => {
        sum += w * v * footprints[(i * heldRows + down.start + r) * heldColumns + along.start + c];
      }),
    );
    return sum;
  });
}

/**
 * Of a map, what its level's window reaches around a place, side by side; beyond the border nothing.
 * @param {ArrayLike<number>} map
 * @param {Level} level
 */
export function around(map, { rows, columns, window: side }, row, column) {
  const length = side ?? 1;
  const half = (length - 1) / 2;
  return Float32Array.from({ length: length * length }, (_, i) => {
    const [r, c] = [row - half + Math.floor(i / length), column - half + (i % length)];
    return r >= 0 && r < rows && c >= 0 && c < columns ? map[r * columns + c] : 0;
  });
}

/** Of the places along one axis, those from which an offset of the window leads to `at`: beyond the border stands the nearest. */
function reach(at, length, side) {
  const half = (side - 1) / 2;
  return Array.from({ length }, (_, place) =>
    [...Array(side).keys()].filter((i) => clamp(place + i - half, 0, length - 1) === at),
  );
}

/**
 * At each query, what it reads of the pixel.
 * @param {Level} level
 * @param {number | null} head
 * @param {boolean | "queries"} relative
 */
function readers(level, head, row, column, relative) {
  const { n, p, rows, columns, window: side } = level;
  const minus = level.minus(head, relative);
  const map = new Float32Array(n);
  if (side) {
    const [down, along] = [reach(row, rows, side), reach(column, columns, side)];
    for (let query = 0; query < n; query++) {
      const [is, js] = [down[Math.floor(query / columns)], along[query % columns]];
      if (!is.length || !js.length) continue;
      const weights = level.weights(head, query);
      for (const i of is) for (const j of js) map[query] += minus(weights[i * side + j], i * side + j);
    }
    return map;
  }
  const tokens = tokensAt(level, row, column);
  const all = attentionOf(level, head);
  let common = 0;
  for (let i = 0; i < p; i++) common += minus(0, i) * tokens[i];
  for (let query = 0, at = 0; query < n; query++) {
    let sum = common;
    for (let i = 0; i < p; i++, at++) sum += all[at] * tokens[i];
    map[query] = sum;
  }
  return map;
}

/**
 * A head's map times the length of its values: of the pixel that is read, under the map or the one that was asked for.
 * @param {Level} level
 * @param {Float32Array} map
 * @param {number} head
 * @param {number} row
 * @param {number} column
 * @param {Look} look
 */
function valued(level, map, head, row, column, look) {
  if (!look.by_value || !level.norms) return map;
  const [heads] = level.norms.shape;
  const start = (head % heads) * level.n;
  const { values } = level.norms;
  return look.reverse
    ? map.map((x) => x * values[start + row * level.columns + column])
    : map.map((x, i) => x * values[start + i]);
}

/**
 * The maps of all heads, and their mean last.
 * @param {Level} level
 * @param {Look} look
 */
export function mapsOf(level, row, column, look) {
  const { relative = false, reverse } = look;
  const each = reverse
    ? Array.from({ length: level.heads }, (_, head) => readers(level, head, row, column, relative))
    : level.maps(row, column, relative).slice(0, -1);
  const worth = each.map((map, head) => valued(level, map, head, row, column, look));
  return [...worth, average(worth)];
}

/**
 * One map: of a head, or of their mean (null).
 * @param {Level} level
 * @param {number | null} head
 * @param {Look} look
 */
export function mapOf(level, head, row, column, look) {
  const { relative = false, reverse, by_value } = look;
  const ownNorms = by_value && level.norms && level.norms.shape[0] > 1;
  if (head === null && ownNorms) return mapsOf(level, row, column, look)[level.heads];
  const map = reverse ? readers(level, head, row, column, relative) : level.map(head, row, column, relative);
  return valued(level, map, head ?? 0, row, column, look);
}
