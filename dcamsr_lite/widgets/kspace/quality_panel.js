// How good is it? Numbers of the image, and its squared error inside the box and outside.

import { card, make } from "../shared/elements.js";
import { percent } from "./view.js";

export function qualityPanel() {
  const tiles = Object.fromEntries(
    [
      ["psnr", "PSNR"],
      ["ssim", "SSIM"],
      ["brightness", "Brightness"],
      ["nmse", "NMSE"],
      ["samples", "Samples kept"],
      ["energy", "Energy kept"],
    ].map(([name, label]) => [name, { value: make("b"), label }]),
  );
  const shares = [
    ["inside", "In the box"],
    ["outside", "Outside it"],
  ].map(([name, label]) => {
    const fill = make("i");
    const value = make("span");
    return {
      name,
      fill,
      value,
      line: make("div", { class: `kx-share kx-${name}` }, make("span", {}, label), make("div", {}, fill), value),
    };
  });
  const folded = make("p", { class: "dx-reading" });
  const element = card(
    "How good is it?",
    make(
      "div",
      { class: "kx-tiles" },
      ...Object.values(tiles).map(({ label, value }) => make("div", {}, make("small", {}, label), value)),
    ),
    make("h3", {}, "Squared error in k-space, share of its energy"),
    ...shares.map(({ line }) => line),
    folded,
  );

  /**
   * @param {import("./view.js").Shown["quality"]} quality
   * @param {{ samples: number, energy: number }} kept shares of what lies in the box
   */
  function draw(quality, kept) {
    const { psnr, ssim, nmse, brightness, measured, removed } = quality;
    tiles.nmse.value.textContent = percent(nmse);
    tiles.psnr.value.textContent = isFinite(psnr) ? `${psnr.toFixed(2)} dB` : "∞";
    tiles.ssim.value.textContent = ssim.toFixed(4);
    tiles.brightness.value.textContent = `${brightness.toFixed(3)} ×`;
    tiles.samples.value.textContent = percent(kept.samples);
    tiles.energy.value.textContent = percent(kept.energy);
    const most = Math.max(quality.inside, quality.outside);
    for (const { name, fill, value } of shares) {
      fill.style.width = `${most > 1e-12 ? (100 * quality[name]) / most : 0}%`;
      value.textContent = percent(quality[name]);
    }
    folded.textContent = `In: noise, the window, a wrong brightness. Outside: lost. The magnitude mixes the two; its image has ${percent(measured)} in, ${percent(removed)} outside, together the NMSE.`;
  }
  const said = () =>
    `PSNR ${tiles.psnr.value.textContent}, SSIM ${tiles.ssim.value.textContent}, brightness ${tiles.brightness.value.textContent}`;
  return { element, draw, said };
}
