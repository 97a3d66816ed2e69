// What the panels of the attribution explorer share: the images, the patch, and what a method found about it.

import { clamp, distance, unpack, unpackAll } from "../shared/numbers.js";

/**
 * The patch is [row, column, height, width]; a map lies `over` its image; `running` while the kernel works.
 * @typedef {{ patch: number[], method: string, target: string, over: boolean, running: boolean }} State
 */

export class View {
  /** @type {State} */
  state = /** @type {any} */ ({ over: true, running: false });
  /** @type {any} what the method on screen has found, the maps under "lr" and "ref" unpacked; null where it has not run */
  result = null;

  /** @param {import("../shared/page.js").Model} model */
  constructor(model) {
    this.model = model;
    this.info = model.get("info");
    /** @type {number[]} */
    this.size = this.info.shape;
    this.images = unpackAll(model.get("images"));
    if (this.images.target) this.images.error = distance(this.images.output, this.images.target);
  }
  read() {
    const found = this.model.get("results")[this.state.method];
    this.result = found ? { ...found, lr: unpack(found.lr), ref: unpack(found.ref) } : null;
  }
  /**
   * Why a saved page has no answer, where it has none.
   * @param {boolean} none
   */
  unanswered(none) {
    return this.model.alone && none ? "No result in this page: here is no kernel to run the network" : "";
  }
  /** Whether the result is about what is asked now. */
  current() {
    const { result, state } = this;
    return Boolean(result) && result.target === state.target && String(result.patch) === String(state.patch);
  }
  /**
   * The nearest patch that lies in the image and is not too large.
   * @param {number[]} patch
   */
  fit([r, c, h, w]) {
    const [rows, columns] = this.size;
    const { largest } = this.info;
    const within = (x, low, high) => clamp(Math.round(x), low, high);
    const [height, width] = [within(h, 1, Math.min(largest, rows)), within(w, 1, Math.min(largest, columns))];
    return [within(r, 0, rows - height), within(c, 0, columns - width), height, width];
  }
}

export const percent = (x, digits = 0) => (x === null ? "undefined" : `${(100 * x).toFixed(digits)} %`);
/** @param {number[]} patch */
export const whereIs = ([row, column, height, width]) => `${height} × ${width} at row ${row}, column ${column}`;
