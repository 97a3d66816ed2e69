// The image that the box makes, and how it differs from the full image; the line that the profile follows on both.

import { colourBar, paint } from "../shared/colours.js";
import { make, place } from "../shared/elements.js";
import { follow, strides } from "../shared/input.js";
import { extent, format, window995 } from "../shared/numbers.js";
import { frame } from "../shared/panels.js";
import { minus } from "./quality.js";
import { covered } from "./samples.js";
import { ladder } from "./view.js";

/**
 * @param {import("./view.js").View} view
 * @param {import("../shared/input.js").Pointer} pointer
 */
export function picturePanels(view, pointer) {
  const { size, state, data, white } = view;
  const [rows, columns] = size;
  const { full, peak } = data;
  function picture(title, label, colours) {
    const canvas = make("canvas", { role: "img", "aria-label": label });
    const rule = make("div", { class: "kx-rule" });
    const heading = make("b", {}, title);
    const value = make("output");
    const bar = colourBar(colours, "% of the full image's maximum");
    const framed = frame(size, canvas, rule);
    follow(framed.element, size, pointer);
    const figure = make("figure", {}, make("figcaption", {}, heading, value), framed.element, bar.bar);
    return { canvas, rule, heading, value, bar, figure, ...framed };
  }
  const shown = picture("Image", "", "grey");
  const missed = picture("Minus the full image", "difference from the full image", "signed");
  Object.entries({
    tabindex: "0",
    role: "application",
    "aria-label": "Place of the profile. Arrow keys move it one pixel, with shift eight.",
  }).forEach(([name, value]) => shown.element.setAttribute(name, value));
  strides(shown.element, (dr, dc) => pointer.look(state.point[0] + dr, state.point[1] + dc), pointer.stay);

  /** @param {Float64Array} image */
  function draw(image) {
    const [, , height, width] = covered(state, size);
    const acquired = state.matrix === "acquired";
    const divided = state.rescale ? data.brightening(state) : 1;
    const grey = acquired ? data.image(state, true).map((x) => x / divided) : image;
    const top = state.stretch ? window995(grey) : white;
    paint(shown.canvas, grey, acquired ? [height, width] : size, 0, top, "grey");
    shown.bar.set(0, (100 * top) / peak);
    shown.heading.textContent = acquired ? `Image, ${height} × ${width} as acquired` : "Image, zero-filled";
    shown.canvas.setAttribute("aria-label", shown.heading.textContent);
    const difference = minus(image, full);
    const high = ladder(Math.max(0.6 * extent(difference), 0.001 * peak) / peak);
    paint(missed.canvas, difference, size, -high * peak, high * peak, "signed");
    missed.bar.set(-100 * high, 100 * high);
  }
  /** @param {Float64Array} image */
  function point(image) {
    const [r, c] = state.point;
    const row = state.along === "row";
    const at = r * columns + c;
    for (const { rule, mark } of [shown, missed]) {
      place(rule, size, row ? r : 0, row ? 0 : c, row ? 1 : rows, row ? columns : 1);
      place(mark, size, r + 0.5, c + 0.5, 1, 1);
    }
    shown.value.textContent = `□ ${format((100 * image[at]) / peak)} %`;
    missed.value.textContent = `□ ${format((100 * (image[at] - full[at])) / peak)} %`;
  }
  return { figures: [shown.figure, missed.figure], draw, point };
}
