// Attention to the pixels around each query: how far from its own place a query looks, and the words for it. Runs in Node.

const EVERY = 8; // pixels of the image between two arrows; this and the next as in interpret/displacements.py
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
 * Where to, in words: "2.1 to the left"; nothing below `least`, a quarter of a pixel.
 * @param {number[]} offset rows and columns
 * @param {number} least
 * @param {(x: number) => string} write
 */
export function inWords(offset, least = 0.25, write = (x) => x.toFixed(1)) {
  const ways = [
    ["up", "down"],
    ["to the left", "to the right"],
  ];
  const parts = offset.map((x, axis) => (Math.abs(x) < least ? "" : `${write(Math.abs(x))} ${ways[axis][+(x > 0)]}`));
  return parts.filter(Boolean).join(" and ");
}

/** @typedef {{ row: number, column: number, offset: number[] }} Arrow where it starts, in the image's pixels, and how far it looks */

/**
 * One arrow for every few pixels of the head.
 * @param {{ size: number[], image: ArrayLike<number>, white: number }} reference
 * @param {(row: number, column: number) => number[]} offsetAt
 * @returns {Arrow[]}
 */
export function arrows({ size, image, white }, offsetAt) {
  const found = [];
  for (let row = EVERY / 2; row < size[0]; row += EVERY)
    for (let column = EVERY / 2; column < size[1]; column += EVERY)
      if (image[row * size[1] + column] >= DARK * white) found.push({ row, column, offset: offsetAt(row, column) });
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
