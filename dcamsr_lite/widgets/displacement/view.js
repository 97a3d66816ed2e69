// What the panels share: the networks, where the reference is, and the answer on screen.

import { distance, unpack, unpackAll, window995 } from "../shared/numbers.js";
import { ZERO, adopt, keyOf } from "./words.js";

export class View {
  /** What the kernel shares: the network on screen, and the slider that the curve is over. */
  state = { network: "", axis: /** @type {keyof import("./words.js").Moved} */ ("right") };
  /** @type {Record<string, Float32Array>} */
  pixels = {};

  /** @param {import("../shared/page.js").Model} model */
  constructor(model) {
    this.model = model;
    this.info = model.get("info");
    /** @type {number[]} */
    this.size = this.info.shape;
    /** @type {string[]} */
    this.names = Object.keys(this.info.networks);
    const { low, target } = unpackAll(model.get("images"));
    this.target = target;
    // where the colours of an error end: one scale for all networks and places, that of the input
    this.errorTop = target ? window995(distance(low, target)) : 1;
    this.moved = adopt(model.get("moved"));
    this.result = model.get("result");
  }
  /** @returns {import("./words.js").Row[]} */
  get rows() {
    return this.model.get("rows");
  }
  /** The network on screen, in the answer on screen. */
  get shown() {
    return this.result.networks[this.state.network];
  }
  /** Its PSNR where the reference lies in place; null without a target. */
  inPlace(name = this.state.network) {
    return this.start?.psnr[name] ?? null;
  }
  get start() {
    return this.rows.find(({ moved }) => keyOf(moved) === keyOf(ZERO));
  }
  /** The pictures of the answer on screen. */
  read() {
    const output = unpack(this.shown.output).values;
    this.pixels = { reference: unpack(this.result.reference).values, output };
    if (this.target) this.pixels.error = distance(output, this.target);
  }
  /** @returns {import("../shared/offsets.js").Arrow[]} */
  arrows() {
    const { offsets } = this.shown;
    return offsets ? this.result.places.map(([row, column], i) => ({ row, column, offset: offsets[i] })) : [];
  }
}
