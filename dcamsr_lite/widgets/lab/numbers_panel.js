// What the intervention on screen does to the quality, beside the network as it was trained.

import { make } from "../shared/elements.js";
import { format } from "../shared/numbers.js";
import { signedText } from "./view.js";

const tile = (label, text, small) =>
  make("div", { class: "dx-tile" }, make("small", {}, label), make("b", {}, text), make("small", {}, small));

function band(label, value, before, top) {
  const at = (x) => `${Math.min(100, (100 * x) / top)}%`;
  return make(
    "div",
    {
      class: "dx-band",
      title: "squared error as a share of the target's energy, both bars on one scale; the line: nothing changed",
    },
    make("small", {}, label),
    make(
      "div",
      { class: "dx-meter" },
      make("i", { style: `width:${at(value)}` }),
      make("u", { style: `left:${at(before)}` }),
    ),
    make("span", {}, `${format(100 * value)} %`),
    make("small", {}, `was ${format(100 * before)} %`),
  );
}

/**
 * @param {Record<string, number>} floors PSNR in dB of what needs no reference
 */
export function numbersPanel(floors) {
  const element = make("div", { class: "dx-numbers" });
  /** `none` is the row of the table where nothing is changed. */
  function draw(result, none) {
    if (result.psnr_db === null)
      return element.replaceChildren("No target, or a blank one: nothing to measure against.");
    const before = [none.error_measured, none.error_removed];
    const top = Math.max(...before.map((x) => 2 * x), result.error_measured, result.error_removed);
    const gain = result.delta_psnr_db;
    const above = ([name, psnr]) =>
      tile(
        `against ${name}`,
        `${signedText(result.psnr_db - psnr, 2)} dB`,
        `${name === "no reference" ? "a network trained without:" : "a floor of"} ${psnr.toFixed(2)}`,
      );
    element.replaceChildren(
      tile("PSNR", `${result.psnr_db.toFixed(2)} dB`, `was ${none.psnr_db.toFixed(2)}`),
      tile("change", `${signedText(gain, 2)} dB`, gain < 0 ? "worse" : gain > 0 ? "better" : "the same"),
      ...Object.entries(floors).map(above),
      tile("SSIM", result.ssim.toFixed(4), `was ${none.ssim.toFixed(4)}`),
      make(
        "div",
        { class: "dx-bands" },
        ...["measured", "removed"].map((part) =>
          band(`error, ${part} k-space`, result[`error_${part}`], none[`error_${part}`], top),
        ),
      ),
    );
  }
  return { element, draw };
}
