// What a pair of images becomes before the network gets it, and back: as dcamsr_lite/kspace.py, data/normalisation.py and
// interpret/ have it. Images are row-major Float64Array of a size [rows, columns]. Runs in Node.

import { fft2c } from "../../dcamsr_lite/widgets/kspace/fft.js";
import { whiteNoise } from "../../dcamsr_lite/widgets/kspace/samples.js";

/** @typedef {import("../../dcamsr_lite/widgets/lab/intervention.js").Lesion} Lesion */
/**
 * A reference and a target on one matrix; `low` and `filled` are what was measured of the target.
 * @typedef {{ size: number[], scale: number, reference: Float64Array, target: Float64Array | null, low: Float64Array,
 *   filled: Float64Array, other?: Float64Array | null }} Head
 */

const WHITE = 0.995; // the quantile of an image that is shown as white
const ROUNDING = 1e-6; // of the Fourier transform in float32: no contrast

/**
 * The size of the low-resolution image, and where its k-space lies in the whole: [top, left, height, width].
 * @param {number[]} size
 * @param {number} scale
 */
export function cropBox([rows, columns], scale) {
  const [height, width] = [Math.floor(rows / scale), Math.floor(columns / scale)];
  return [(rows >> 1) - (height >> 1), (columns >> 1) - (width >> 1), height, width];
}

/** The cropped k-space of an image, real and imaginary part. */
function crop(image, size, scale) {
  const [top, left, height, width] = cropBox(size, scale);
  const re = Float64Array.from(image);
  const im = new Float64Array(re.length);
  fft2c(re, im, size);
  const cut = (plane) =>
    Float64Array.from(
      { length: height * width },
      (_, i) => plane[(top + Math.floor(i / width)) * size[1] + left + (i % width)],
    );
  return [cut(re), cut(im)];
}
const magnitude = (re, im) => re.map((x, i) => Math.hypot(x, im[i]));

/** The low-resolution image, on the scale of the full one. */
export function degrade(image, size, scale) {
  const [, , height, width] = cropBox(size, scale);
  const [re, im] = crop(image, size, scale);
  fft2c(im, re, [height, width]);
  const kept = Math.sqrt((height * width) / image.length);
  return magnitude(re, im).map((x) => x * kept);
}

/** The cropped k-space among zeros, and back. */
export function zeroFill(image, size, scale) {
  const [top, left, height, width] = cropBox(size, scale);
  const cut = crop(image, size, scale);
  const [re, im] = cut.map((plane) => {
    const whole = new Float64Array(image.length);
    for (let i = 0; i < height; i++) whole.set(plane.subarray(i * width, (i + 1) * width), (top + i) * size[1] + left);
    return whole;
  });
  fft2c(im, re, size);
  return magnitude(re, im);
}

/**
 * Every sample of k-space times a complex number that depends on its frequencies, in turns per pixel; real part.
 * @param {(down: number, right: number) => number[]} weigh
 */
function filter(image, size, weigh) {
  const [rows, columns] = size;
  const re = Float64Array.from(image);
  const im = new Float64Array(re.length);
  fft2c(re, im, size);
  for (let i = 0; i < re.length; i++) {
    const [a, b] = weigh((Math.floor(i / columns) - (rows >> 1)) / rows, ((i % columns) - (columns >> 1)) / columns);
    [re[i], im[i]] = [a * re[i] - b * im[i], a * im[i] + b * re[i]];
  }
  fft2c(im, re, size);
  return re;
}
/** Gaussian blur with a deviation of `sigma` pixels. */
export const blur = (image, size, sigma) =>
  filter(image, size, (down, right) => [Math.exp(-2 * (Math.PI * sigma) ** 2 * (down ** 2 + right ** 2)), 0]);
/** The content moved down and right, by parts of a pixel too. */
export const shift = (image, size, rows, columns) =>
  filter(image, size, (down, right) => {
    const angle = -2 * Math.PI * (rows * down + columns * right);
    return [Math.cos(angle), Math.sin(angle)];
  });

/**
 * Turned about the centre, counter-clockwise, cubic interpolation as skimage has it; outside it is dark.
 * @param {Float64Array} image
 * @param {number[]} size
 * @param {number} degrees
 */
export function rotate(image, [rows, columns], degrees) {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [middle, centre] = [rows / 2 - 0.5, columns / 2 - 0.5];
  const at = (r, c) => (r < 0 || c < 0 || r >= rows || c >= columns ? 0 : image[r * columns + c]);
  /** @type {(x: number, four: number[]) => number} */
  const cubic = (x, [a, b, c, d]) =>
    b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a)));
  const turned = Float64Array.from(image, (_, i) => {
    const [y, x] = [Math.floor(i / columns) - middle, (i % columns) - centre];
    const [row, column] = [sin * x + cos * y + middle, cos * x - sin * y + centre];
    const [r, c] = [Math.floor(row), Math.floor(column)];
    const lines = [-1, 0, 1, 2].map((dr) =>
      cubic(
        column - c,
        [-1, 0, 1, 2].map((dc) => at(r + dr, c + dc)),
      ),
    );
    return cubic(row - r, lines);
  });
  // nothing is darker or brighter than it was, but what came from outside
  const bounds = (values) => [Math.min(...values), Math.max(...values)];
  const [[least, most], [low, high]] = [bounds(image), bounds(turned)];
  const outside = low <= 0 && high >= 0 ? 0 : least;
  return turned.map((x) => Math.min(Math.max(most, outside), Math.max(Math.min(least, outside), x)));
}

/** As torch.quantile: linear between the two nearest. */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}
const lowerMedian = (values) => Float64Array.from(values).sort()[(values.length - 1) >> 1];

/**
 * The image with this lesion, or without what the disc covers.
 * @param {Float64Array} image
 * @param {number[]} size
 * @param {Lesion} lesion
 */
export function paint(image, [, columns], { row, column, radius, strength, remove }) {
  const far = image.map((_, i) => Math.hypot(Math.floor(i / columns) - row, (i % columns) - column));
  const disc = far.map((x) => Math.min(1, Math.max(0, radius + 0.5 - x)));
  if (!remove) {
    const added = strength * quantile(image, WHITE);
    return image.map((x, i) => x + disc[i] * added);
  }
  const rim = image.filter((_, i) => far[i] > radius + 0.5 && far[i] <= radius + 2.5);
  if (!rim.length) throw new Error("the lesion lies outside of the image: choose a place in it");
  const level = lowerMedian(rim);
  return image.map((x, i) => x + disc[i] * (level - x));
}

/** Mean 0 and (unbiased) deviation 1; a slice without contrast has deviation 0 and is 0. */
export function normalise(image) {
  const mean = image.reduce((sum, x) => sum + x, 0) / image.length;
  const spread = Math.sqrt(image.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, image.length - 1));
  const std = spread > ROUNDING * Math.max(Math.abs(mean), spread) ? spread : 0;
  return { values: Float32Array.from(image, (x) => (std ? (x - mean) / std : 0)), mean, std };
}

/**
 * @param {Head} head
 * @param {any} intervention
 */
function editReference(head, { reference, seed, shift: [rows, columns], rotate: degrees, blur: sigma, lesions }) {
  const { size, reference: own } = head;
  const count = own.length;
  const noise = () => {
    const { re, im } = whiteNoise(count * (seed + 1));
    return magnitude(re.slice(-count), im.slice(-count));
  };
  const made = { blank: () => new Float64Array(count), noise, other: () => head.other, target: () => head.target };
  let image = made[reference]?.() ?? own;
  const white = quantile(image, WHITE);
  const gain = white > 0 ? quantile(own, WHITE) / white : 1; // one grey scale for all
  image = image.map((x) => x * gain);
  for (const lesion of lesions) if (lesion.image === "reference") image = paint(image, size, lesion);
  if (sigma) image = blur(image, size, sigma);
  if (degrees) image = rotate(image, size, degrees);
  if (rows || columns) image = shift(image, size, rows, columns);
  return image.map((x) => Math.max(0, x));
}

/**
 * The target with its lesions; the low-resolution image gets their degraded trace added.
 * @param {Head} head
 */
function editTarget(head, { lesions }) {
  const { size, scale } = head;
  const mine = lesions.filter((lesion) => lesion.image === "target");
  if (!head.target || !mine.length) return head;
  const before = head.target;
  const target = mine.reduce((image, lesion) => paint(image, size, lesion), before).map((x) => Math.max(0, x));
  const moved = (held, make) => {
    const [now, was] = [target, before].map((image) => make(image, size, scale));
    return held.map((x, i) => Math.max(0, x + now[i] - was[i]));
  };
  return { ...head, target, low: moved(head.low, degrade), filled: moved(head.filled, zeroFill) };
}

/**
 * What the network gets with this intervention, and the way back from what it gives.
 * @param {Head} head
 * @param {any} intervention as Intervention.as_dict
 */
export function edit(head, intervention) {
  const { target, low, filled } = editTarget(head, intervention);
  const reference = editReference(head, intervention);
  const lr = normalise(low);
  const restore = (sr) => (lr.std ? Float64Array.from(sr, (x) => x * lr.std + lr.mean) : filled);
  return { reference, target, filled, lr: lr.values, ref: normalise(reference).values, restore };
}

/**
 * A pair from two images of one matrix, in any units: the target is degraded here.
 * @param {Float64Array} reference
 * @param {Float64Array} target
 * @param {number[]} size
 * @param {number} scale
 * @returns {Head}
 */
export const makeHead = (reference, target, size, scale) => ({
  size,
  scale,
  reference,
  target,
  low: degrade(target, size, scale),
  filled: zeroFill(target, size, scale),
  other: null,
});

/**
 * An image of any size on the network's square matrix: centred on a black square, then resampled in k-space.
 * @param {Float64Array} image
 * @param {number[]} size
 * @param {number} side
 */
export function toMatrix(image, [rows, columns], side) {
  const whole = Math.max(rows, columns);
  const [top, left] = [(whole >> 1) - (rows >> 1), (whole >> 1) - (columns >> 1)];
  const re = new Float64Array(whole * whole);
  for (let i = 0; i < rows; i++) re.set(image.subarray(i * columns, (i + 1) * columns), (top + i) * whole + left);
  if (whole === side) return re;
  const im = new Float64Array(re.length);
  fft2c(re, im, [whole, whole]);
  const [kept, from, to] = [Math.min(whole, side), Math.max(0, (whole >> 1) - (side >> 1)), Math.max(0, (side >> 1) - (whole >> 1))]; // prettier-ignore
  const cut = (plane) => {
    const made = new Float64Array(side * side);
    for (let i = 0; i < kept; i++)
      made.set(plane.subarray((from + i) * whole + from, (from + i) * whole + from + kept), (to + i) * side + to);
    return made;
  };
  const [a, b] = [cut(re), cut(im)];
  fft2c(b, a, [side, side]);
  return magnitude(a, b).map((x) => (x * side) / whole);
}
