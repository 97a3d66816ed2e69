// Numbers to colours: the palettes, a canvas painted with one, and the bar that says what they mean.

import { make } from "./elements.js";
import { format } from "./numbers.js";

export const BLUE = [38, 116, 216];
export const ORANGE = [238, 112, 8];
const VIRIDIS = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [110, 206, 88],
  [181, 222, 43],
  [253, 231, 37],
];

const grey = (t) => {
  const v = 255 * t;
  return [v, v, v, 255];
};
const viridis = (t) => {
  const x = t * (VIRIDIS.length - 1);
  const i = Math.min(Math.floor(x), VIRIDIS.length - 2);
  return [0, 1, 2].map((c) => VIRIDIS[i][c] + (x - i) * (VIRIDIS[i + 1][c] - VIRIDIS[i][c])).concat(255);
};
// transparent at zero, so that it reads on any ground: the reference, a light and a dark theme
const signed = (t) => [...(t < 0.5 ? BLUE : ORANGE), 210 * Math.abs(2 * t - 1) ** 0.7];

function palette(colour) {
  const table = new Uint8ClampedArray(4 * 511);
  for (let i = 0; i < 511; i++) table.set(colour(i / 510).map(Math.round), 4 * i);
  return new Uint32Array(table.buffer);
}
const COLOURS = { grey, viridis, signed };
const PALETTES = { grey: palette(grey), viridis: palette(viridis), signed: palette(signed) };
/** @typedef {keyof typeof COLOURS} Palette */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} values
 * @param {number[]} size
 * @param {number} low
 * @param {number} high
 * @param {Palette} name
 */
export function paint(canvas, values, [rows, columns], low, high, name) {
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
  const table = PALETTES[name];
  const pixels = new Uint32Array(values.length);
  const step = 510 / (high - low);
  for (let i = 0; i < pixels.length; i++) {
    const at = (values[i] - low) * step + 0.5;
    pixels[i] = table[at > 0 ? (at < 510 ? at | 0 : 510) : 0];
  }
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context?.putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), columns, rows), 0, 0);
}

/** @type {WeakMap<Element, number[][]>} */
const stopsOf = new WeakMap();
/**
 * The colours of a bar from left to right, red, green, blue in 0 to 255, and opacity in 0 to 1.
 * @param {Element} bar
 */
export const barOf = (bar) => stopsOf.get(bar) ?? [];

/**
 * @param {Palette} name
 * @param {string} label
 */
export function colourBar(name, label) {
  const stops = Array.from({ length: 33 }, (_, i) => {
    const [r, g, b, a] = COLOURS[name](i / 32);
    return `rgba(${r | 0},${g | 0},${b | 0},${(a / 255).toFixed(3)})`;
  });
  const numbers = [0, 1, 2].map(() => make("span"));
  const words = make("small", {}, label);
  const bar = make(
    "div",
    { class: "dx-bar" },
    make("i", { style: `background:linear-gradient(90deg,${stops})` }),
    make("div", { class: "dx-ticks" }, ...numbers),
    words,
  );
  const colours = Array.from({ length: 17 }, (_, i) => COLOURS[name](i / 16).map((x) => Math.round(x)));
  stopsOf.set(
    bar,
    colours.map(([r, g, b, a]) => [r, g, b, a / 255]),
  );
  const set = (low, high) =>
    numbers.forEach((span, i) => {
      span.textContent = format(low + (i * (high - low)) / 2, 2);
    });
  return {
    bar,
    set,
    name: (text) => {
      words.textContent = text;
    },
  };
}
