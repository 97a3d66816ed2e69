// The reference with an arrow for every few pixels of the head: from a place to where in the reference it looks.

import { paint } from "./colours.js";
import { make, shape } from "./elements.js";
import { frame } from "./panels.js";

export const LONGER = 3; // than they are: two pixels would hardly be seen

/** @typedef {import("./offsets.js").Arrow} Arrow */

/** @param {number[]} size */
export function arrowField(size) {
  const ground = make("canvas", { role: "img" });
  const lines = shape("path", { class: "dx-offsets" });
  const dots = shape("path", { class: "dx-offsets dx-starts" });
  const drawing = shape("svg", { viewBox: `0 0 ${size[1]} ${size[0]}`, "aria-hidden": "true" }, lines, dots);
  const { element, mark } = frame(size, ground, /** @type {any} */ (drawing));
  element.classList.add("dx-field");
  /** @param {Arrow} arrow */
  const line = ({ row, column, offset: [down, right] }) =>
    `M${column + 0.5} ${row + 0.5}l${(LONGER * right).toFixed(2)} ${(LONGER * down).toFixed(2)}`;
  /** @param {Arrow[]} arrows */
  function point(arrows) {
    lines.setAttribute("d", arrows.map(line).join(""));
    dots.setAttribute("d", arrows.map(({ row, column }) => `M${column + 0.5} ${row + 0.5}h0`).join(""));
  }
  return {
    element,
    mark,
    point,
    draw: (image, white) => paint(ground, image, size, 0, white, "grey"),
    name: (words) => ground.setAttribute("aria-label", words),
  };
}
