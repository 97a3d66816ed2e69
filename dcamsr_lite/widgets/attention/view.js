// What the panels of the attention explorer share: the data of the network on screen, and the reader's place in it.

import { place } from "../shared/elements.js";
import { clamp, distance, unpack, unpackAll } from "../shared/numbers.js";
import { Level } from "./level.js";

/** @typedef {import("../shared/page.js").Model} Model */
/**
 * The reader's place, and what of the page the kernel need not know: whether a map lies `over` its image.
 * @typedef {{ network: string, branch: "spatial" | "channel", query: number[], level: number, head: number | null,
 *   side_by_side: boolean | "levels", relative: boolean | "queries", reverse: boolean, by_value: boolean, cell: number[],
 *   over: boolean }} State
 */
/**
 * Of a query: the pixel `at` in the image, row and column in the level, its weights, as drawn, and what marks its place.
 * @typedef {{ at: number[], row: number, column: number, weights: Float64Array, drawn: Float64Array,
 *   mark: (element: HTMLElement) => void }} Query
 */
/**
 * A panel has one element or several, draws what follows the controls in `update`, and what follows the query in `show`.
 * @typedef {{ update: () => void, show: (query: Query) => void }} Panel
 */
/** @typedef {ReturnType<typeof openNetwork>} Network */

/** What a map shows beside the weights, in the words of the controls. */
export const minusWhat = (relative) => (relative === "queries" ? "minus the mean over queries" : "minus uniform");

/** What one network brings, unpacked. */
function openNetwork(packed) {
  /** @type {Record<string, Level>} */
  const levels = Object.fromEntries(Object.entries(packed.levels).map(([name, level]) => [name, new Level(level)]));
  /** @type {{ title: string, merge: string, values: "projected" | "moved" | "torn", layout: string, notes: string[], heads: number,
   *   d: number, quality: any, cuts: any[] }} */
  const { title, merge, values, layout, notes, heads, d, quality, cuts } = packed;
  return { title, merge, values, layout, notes, heads, d, quality, cuts, levels, output: unpack(packed.output).values };
}

export class View {
  /** @type {Record<string, Network>} */
  #opened = {};
  /** @type {State} */
  state = /** @type {any} */ ({ over: true });
  /** @type {Query | undefined} */
  query;

  /**
   * @param {Model} model
   * @param {{ set: (changes: Partial<State>) => void, settle: () => void,
   *   cursor: import("../shared/input.js").Pointer }} actions change the state; `cursor` is a pointer on an image
   */
  constructor(model, actions) {
    this.info = model.get("info");
    /** @type {number[]} */
    this.size = this.info.shape;
    this.images = unpackAll(model.get("images"));
    this.packed = model.get("networks");
    this.set = actions.set;
    this.settle = actions.settle;
    this.cursor = actions.cursor;
  }
  get net() {
    return (this.#opened[this.state.network] ??= openNetwork(this.packed[this.state.network]));
  }
  get level() {
    return this.net.levels[this.state.level];
  }

  /** The images that follow the network. */
  compare() {
    this.images.output = this.net.output;
    if (this.images.target) this.images.error = distance(this.net.output, this.images.target);
  }
  /** A network that lacks the level, head, branch or cell starts at its own first. */
  fit() {
    const { net, state } = this;
    const most = Math.max(net.d, 1);
    const [head, i, j] = state.cell;
    if (!net.levels[state.level]) state.level = Math.min(...Object.keys(net.levels).map(Number));
    if (state.head !== null && state.head >= net.heads) state.head = null;
    if (!net.d) state.branch = "spatial";
    if (net.values === "torn") state.by_value = false;
    if (head >= net.heads || Math.max(i, j) >= most) state.cell = [0, 0, 0];
  }
  /**
   * Where a pixel of the image lies in a level: row and column there, and what marks it on an image.
   * @param {number[]} at
   */
  locate(at, level = this.state.level) {
    const { size, info } = this;
    const [top, left] = info.offset;
    const [row, column] = [at[0] + top, at[1] + left].map((x) => Math.floor(x / level));
    const centre = [(row + 0.5) * level - top, (column + 0.5) * level - left];
    const mark = (element) => place(element, size, centre[0], centre[1], level, level);
    return { row, column, mark };
  }
  /** Question the attention at a pixel of the image. */
  ask(r, c) {
    const { size, level, state } = this;
    const at = [clamp(r, 0, size[0] - 1), clamp(c, 0, size[1] - 1)];
    const { row, column, mark } = this.locate(at);
    const weights = level.weights(state.head, row * level.columns + column);
    const drawn = weights.map(level.minus(state.head, state.relative));
    return (this.query = { at, row, column, weights, drawn, mark });
  }
}

/**
 * Put a level's picture over the image that the panels show: it includes the zero padding.
 * @param {HTMLElement} canvas
 * @param {View} view
 * @param {number} [name] of the level, by default the one on screen
 */
export function overImage(canvas, { info, size, state, net }, name = state.level) {
  const [top, left] = info.offset;
  const { rows, columns } = net.levels[name];
  place(canvas, size, -top, -left, rows * name, columns * name);
}
