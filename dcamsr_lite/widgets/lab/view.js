// What the panels of the lab share: the intervention on screen, the images of the network as it was trained, the brush.

import { distance, extent, unpack, unpackAll, window995 } from "../shared/numbers.js";
import { LESION, adopt, asked } from "./intervention.js";

export class View {
  brush = { mode: "look", image: "reference", radius: LESION.radius, strength: LESION.strength };
  /** @type {Record<string, Float32Array>} */
  pixels = {};
  /** Whether a state would be answered; a saved page has few answers. */
  answered = /** @type {(state: import("./intervention.js").State) => boolean} */ (() => true);

  /** @param {import("../shared/page.js").Model} model */
  constructor(model) {
    this.alone = Boolean(model.alone);
    this.info = model.get("info");
    /** @type {number[]} */
    this.size = this.info.shape;
    this.base = unpackAll(model.get("images"));
    this.state = this.adopt(model.get("intervention"));
    this.takeUp();
    this.errorTop = this.base.target ? 1.5 * window995(distance(this.base.output, this.base.target)) : 1;
  }
  adopt(given) {
    return adopt(given, this.info);
  }
  /** The brush as the last lesion was painted, which another has set. */
  takeUp() {
    const last = this.state.lesions.at(-1);
    if (last && !last.remove) Object.assign(this.brush, { radius: last.radius, strength: last.strength });
  }
  asked() {
    return asked(this.state, this.info);
  }
  /**
   * Why there would be no answer to the state on screen with this edit; nothing where there is one.
   * @param {(state: import("./intervention.js").State) => void} edit
   */
  doubt(edit) {
    const next = structuredClone(this.state);
    edit(next);
    return this.answered(next) ? "" : "No answer in this page: here is no kernel to run the network";
  }
  /** The images of an answer. */
  read(result) {
    const { base } = this;
    const change = result.change ? unpack(result.change).values : base.output.map(() => 0);
    const output = base.output.map((x, i) => x + change[i]);
    this.pixels = { ...base, ...unpackAll(result.images ?? {}), change, output };
    if (base.target) this.pixels.error = distance(output, this.pixels.target);
  }
  /** Where the colours of an image end. */
  top(name) {
    const { windows } = this.info;
    if (name === "change") return Math.max(extent(this.pixels.change), 0.02 * windows.output);
    return name === "error" ? this.errorTop : windows[name];
  }
}

export const signedText = (x, digits) => (x > 0 ? "+" : x < 0 ? "−" : "±") + Math.abs(x).toFixed(digits);
