// The reference with an arrow for every few pixels of the head: from a place to where in the reference it looks.

import { paint } from "./colours.js";
import { make, shape } from "./elements.js";
import { frame } from "./panels.js";

export const LONGER = 3; // than they are: two pixels would hardly be seen
const [HEAD, WIDE] = [2.6, 0.5]; // length of a head in pixels of the image, and half its width over its length
const LEAST = 0.25; // pixels: what looks no further has no arrow, only its dot

/** @typedef {import("./offsets.js").Arrow} Arrow */

const write = (x) => +x.toFixed(2);

/** From its place to its tip. @param {Arrow} arrow */
export const line = ({ row, column, offset: [down, right] }) =>
  `M${column + 0.5} ${row + 0.5}l${write(LONGER * right)} ${write(LONGER * down)}`;

/** A triangle whose tip is the line's end, no longer than two thirds of it. @param {Arrow} arrow */
export function head({ row, column, offset: [down, right] }) {
  const long = LONGER * Math.hypot(down, right);
  const [y, x] = [down, right].map((part) => (LONGER * part) / long);
  const size = Math.min(HEAD, (2 * long) / 3);
  const [tipX, tipY] = [column + 0.5 + long * x, row + 0.5 + long * y];
  const corner = (side) =>
    `${write(tipX - size * (x - side * WIDE * y))} ${write(tipY - size * (y + side * WIDE * x))}`;
  return `M${write(tipX)} ${write(tipY)}L${corner(1)}L${corner(-1)}Z`;
}

/** What a legend says of them. */
export const ARROWS = `Arrows: from a place (white dot) towards where in the reference it looks, drawn ${LONGER} times as long; below ${LEAST} pixels only the dot.`;

/** @param {number[]} size */
export function arrowField(size) {
  const ground = make("canvas", { role: "img" });
  const lines = shape("path", { class: "dx-offsets" });
  const heads = shape("path", { class: "dx-offsets dx-tips" });
  const dots = shape("path", { class: "dx-offsets dx-starts" });
  const drawing = shape("svg", { viewBox: `0 0 ${size[1]} ${size[0]}`, "aria-hidden": "true" }, lines, heads, dots);
  const { element, mark } = frame(size, ground, /** @type {any} */ (drawing));
  element.classList.add("dx-field");
  /** @param {Arrow[]} arrows */
  function point(arrows) {
    const long = arrows.filter(({ offset }) => Math.hypot(...offset) >= LEAST);
    lines.setAttribute("d", long.map(line).join(""));
    heads.setAttribute("d", long.map(head).join(""));
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
