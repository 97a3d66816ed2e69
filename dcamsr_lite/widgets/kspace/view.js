// What the panels of the k-space explorer share: the samples, and the box that is set on them.

import { clamp, format, unpack, window995 } from "../shared/numbers.js";
import { Quality } from "./quality.js";
import { KSpace } from "./samples.js";

/**
 * @typedef {import("./samples.js").Setting & { matrix: "zero-filled" | "acquired", rescale: boolean, point: number[],
 *   along: "row" | "column", stretch: boolean }} State of which the kernel need not know `stretch`: white as in the image shown
 */
/** @typedef {ReturnType<View["judged"]>} Shown */

export class View {
  /** @type {State} */
  state = /** @type {any} */ ({ stretch: false });

  /** @param {import("../shared/page.js").Model} model */
  constructor(model) {
    this.info = model.get("info");
    /** @type {number[]} */
    this.size = this.info.shape;
    this.data = new KSpace(unpack(model.get("images").kspace));
    this.judge = new Quality(this.data.full, this.size);
    this.white = window995(this.data.full);
  }
  /**
   * The zero-filled image of a setting, as bright as it is shown, and how good it is.
   * @param {State} setting
   */
  judged(setting) {
    const image = this.data.image(setting);
    const gain = setting.rescale || setting.matrix === "zero-filled" ? 1 : this.data.brightening(setting);
    if (gain !== 1) for (let i = 0; i < image.length; i++) image[i] *= gain;
    return { image, quality: { ...this.judge.all(image, setting), ...this.data.error(setting, gain) } };
  }
  /** Read the profile through another pixel. */
  look(row, column) {
    this.state.point = [row, column].map((x, i) => clamp(x, 0, this.size[i] - 1));
  }
}

export const percent = (share) => (share > 1e-12 ? `${format(100 * share)} %` : "0 %");
/** The next of 1, 2, 5, 10, 20 ... per cent: a colour scale that does not breathe with every sample. */
export const ladder = (share) => {
  const ten = 10 ** Math.floor(Math.log10(share));
  return ten * ([1, 2, 5].find((x) => x * ten >= share * 0.999) ?? 10);
};
