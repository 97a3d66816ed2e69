// Images with a cursor.

import { colourBar, paint } from "./colours.js";
import { make } from "./elements.js";
import { format } from "./numbers.js";

/**
 * Layers of one image size, and the mark of the cursor on top.
 * @param {number[]} size
 * @param {...HTMLElement} layers
 */
export function frame([rows, columns], ...layers) {
  const mark = make("div", { class: "dx-mark" });
  const element = make("div", { class: "dx-frame", style: `aspect-ratio:${columns}/${rows}` }, ...layers, mark);
  return { element, mark };
}

/**
 * @typedef {object} Look how a panel shows its image
 * @property {import("./colours.js").Palette} [colours]
 * @property {string} [unit] there is a colour bar where there is a unit
 * @property {HTMLElement | null} [note] stands below where there is no bar
 */
/**
 * One image: its title, the value under the cursor, the cursor's mark.
 * @param {string} title
 * @param {number[]} size
 * @param {Look} [look]
 */
export function panel(title, size, { colours = "grey", unit, note = null } = {}) {
  const canvas = make("canvas", { role: "img", "aria-label": title });
  const value = make("output");
  const { element, mark } = frame(size, canvas);
  const scale = unit ? colourBar(colours, unit) : null;
  const figure = make(
    "figure",
    {},
    make("figcaption", {}, make("b", {}, title), value),
    element,
    scale ? scale.bar : note,
  );
  const low = colours === "signed" ? -1 : 0;
  /** `high` is where the colours end, `shown` the number that the bar gives to it. */
  const draw = (values, high, shown = high) => {
    paint(canvas, values, size, low * high, high, colours);
    scale?.set(low * shown, shown);
  };
  return { figure, element, mark, value, draw };
}

/** PSNR, and where in k-space the error lies; nothing where there is no quality. */
export function qualityNote(quality, name) {
  if (!quality) return null;
  const percent = (x) => `${format(100 * x, 2)} %`;
  return make(
    "small",
    { class: "dx-quality" },
    ...[
      `${name === "low" ? "zero-filled, " : ""}PSNR ${quality.psnr}`,
      `error ${percent(quality.measured)} measured`,
      `+ ${percent(quality.removed)} removed`,
    ].map((line) => make("span", {}, line)),
  );
}
/** Which slice a page shows, in the numbers that Python uses. */
export const sliceOf = ({ slice, slices }) => `slice ${slice} (counted 0 to ${slices - 1})`;
/** The scale of the grey images: one for all but the reference. */
export const greysOf = ({ windows }) =>
  `grey: black 0, white ${format(windows.output)} (reference ${format(windows.reference)}), arbitrary units of the files`;

export const QUALITY =
  "PSNR of this slice, its peak the slice's largest value, as wherever one slice is shown (a volume's PSNR, as in tables of volumes, takes the volume's largest value and is another number). Error: squared, in % of the target's energy, split in k-space: " +
  "measured is the centre, which the input keeps (of simulated data: as if it had been measured); removed is the rest, which the network must guess.";
