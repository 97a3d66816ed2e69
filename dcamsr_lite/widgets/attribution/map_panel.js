// What each pixel of the input and of the reference adds to the patch.

import { colourBar, paint } from "../shared/colours.js";
import { card, make, place } from "../shared/elements.js";
import { follow } from "../shared/input.js";
import { format } from "../shared/numbers.js";
import { frame } from "../shared/panels.js";
import { markAt } from "./patch_panels.js";

/** Where the strongest half per cent begins; of a map with fewer pixels than that, the largest. */
const strongest = (map) => {
  const sorted = map.map(Math.abs).sort();
  return sorted[Math.floor(0.995 * sorted.length)] || sorted.at(-1) || 1e-30;
};

/**
 * @param {import("./view.js").View} view
 * @param {"lr" | "ref"} which
 * @param {string} name of the image below
 * @param {string} title
 */
export function mapPanel(view, which, name, title) {
  const { info, size } = view;
  const [top, left] = info.offset;
  const ground = make("canvas");
  const overlay = make("canvas", { class: "dx-overlay", role: "img" });
  paint(ground, view.images[name], size, 0, info.windows[name], "grey");
  place(overlay, size, -top, -left, info.grid[0], info.grid[1]);
  const framed = frame(size, ground, overlay);
  const bar = colourBar("signed", "attribution per pixel; the strongest 0.5 % lie beyond the ends");
  const reading = make("p", { class: "dx-reading" });
  function rest() {
    const { target, diffusion } = view.result;
    reading.textContent = `Orange adds to the ${target === "detail" ? "detail" : "brightness"} of the patch, blue takes from it. Diffusion index ${diffusion[which] === null ? "undefined: nothing here counts" : diffusion[which].toFixed(1)}.`;
  }
  function draw() {
    const {
      values,
      shape: [h, w],
    } = view.result[which];
    const high = strongest(values);
    paint(overlay, values, [h, w], -high, high, "signed");
    overlay.setAttribute("aria-label", `attribution, ${title}`);
    bar.set(-high, high);
    markAt(framed.mark, size, view.result.patch);
    rest();
  }
  function look(r, c) {
    const {
      values,
      shape: [h, w],
    } = view.result[which];
    const scale = info.grid[0] / h;
    const [i, j] = [Math.floor((r + top) / scale), Math.floor((c + left) / scale)];
    reading.textContent = `Row ${r}, column ${c}: ${format(values[i * w + j] ?? 0)}.`;
  }
  follow(framed.element, size, { look, hover: look, stay: () => {}, leave: rest });
  return { element: card(title, framed.element, bar.bar, reading), draw };
}
