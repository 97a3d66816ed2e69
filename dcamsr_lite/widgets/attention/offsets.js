// Attention to the pixels around each query: how far from its own place a query looks, and the words for it. Runs in Node.

/** @typedef {import("./level.js").Level} Level */

const EVERY = 8; // pixels of the image between two arrows
const DARK = 1 / 8; // of white: what is darker in the reference is air

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The mean offset of a query's weights, rows and columns, in pixels of the image.
 * @param {ArrayLike<number>} weights of the pixels of a window
 * @param {number} side
 * @param {number} scale pixels of the image per pixel of the level
 */
export function offset(weights, side, scale) {
  const half = (side - 1) / 2;
  let [down, right, total] = [0, 0, 0];
  for (let i = 0; i < side * side; i++) {
    total += weights[i];
    down += weights[i] * (Math.floor(i / side) - half);
    right += weights[i] * ((i % side) - half);
  }
  return [(scale * down) / total, (scale * right) / total];
}

/**
 * Where to, in words: "2.1 to the left"; nothing below a quarter of a pixel.
 * @param {number[]} offset rows and columns
 */
export function inWords(offset) {
  const ways = [
    ["up", "down"],
    ["to the left", "to the right"],
  ];
  const parts = offset.map((x, axis) =>
    Math.abs(x) < 0.25 ? "" : `${Math.abs(x).toFixed(1)} ${ways[axis][+(x > 0)]}`,
  );
  return parts.filter(Boolean).join(" and ");
}

/**
 * One arrow for every few pixels of the head: where it starts (in the image's pixels) and how far it looks.
 * @param {Level} level a window
 * @param {{ head: number | null, scale: number, corner: number[], size: number[], image: ArrayLike<number>, white: number }} place
 */
export function arrows(level, { head, scale, corner, size, image, white }) {
  const found = [];
  for (let row = EVERY / 2; row < size[0]; row += EVERY)
    for (let column = EVERY / 2; column < size[1]; column += EVERY) {
      if (image[row * size[1] + column] < DARK * white) continue;
      const at = [row + corner[0], column + corner[1]].map((x) => Math.floor(x / scale));
      const weights = level.weights(head, at[0] * level.columns + at[1]);
      found.push({ row, column, offset: offset(weights, level.window ?? 1, scale) });
    }
  return found;
}

/**
 * What all arrows say together.
 * @param {{ offset: number[] }[]} found
 */
export function summary(found) {
  if (!found.length) return "";
  const middle = [0, 1].map((axis) => median(found.map((arrow) => arrow.offset[axis])));
  const spread = median(found.map(({ offset: o }) => Math.hypot(o[0] - middle[0], o[1] - middle[1])));
  const far = inWords(middle);
  const lies = far
    ? `Over the head, in the middle, ${far}: there the reference lies`
    : "Over the head: the reference lies in place";
  const apart =
    spread > 0.5 ? `, but not everywhere, places differ by ${spread.toFixed(1)}: turned, bent, or not found` : "";
  return `${lies}${apart}.`;
}
