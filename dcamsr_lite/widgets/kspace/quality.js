// How good an image of a box is, counted as in dcamsr_lite/metrics.py. Runs in Node.

import { fft2c } from "./fft.js";
import { split } from "./samples.js";

const WINDOW = 7; // pixels of SSIM's uniform window
// plain loops: TypedArray.map with a closure costs several times as much
/**
 * @param {Float64Array} a
 * @param {Float64Array} b
 */
export function minus(a, b) {
  const c = new Float64Array(a.length);
  for (let i = 0; i < c.length; i++) c[i] = a[i] - b[i];
  return c;
}
/**
 * @param {Float64Array} a
 * @param {Float64Array} b
 */
function times(a, b) {
  const c = new Float64Array(a.length);
  for (let i = 0; i < c.length; i++) c[i] = a[i] * b[i];
  return c;
}
/**
 * Means over all 7 x 7 windows that lie in the image.
 * @param {Float64Array} values
 * @param {number[]} size
 */
function windowMeans(values, [rows, columns]) {
  const wide = columns - WINDOW + 1;
  const high = rows - WINDOW + 1;
  const sums = new Float64Array(rows * wide);
  const means = new Float64Array(high * wide);
  for (let i = 0; i < rows; i++) {
    for (let j = 0, sum = 0; j < columns; j++) {
      sum += values[i * columns + j] - (j >= WINDOW ? values[i * columns + j - WINDOW] : 0);
      if (j >= WINDOW - 1) sums[i * wide + j - WINDOW + 1] = sum;
    }
  }
  for (let j = 0; j < wide; j++) {
    for (let i = 0, sum = 0; i < rows; i++) {
      sum += sums[i * wide + j] - (i >= WINDOW ? sums[(i - WINDOW) * wide + j] : 0);
      if (i >= WINDOW - 1) means[(i - WINDOW + 1) * wide + j] = sum / WINDOW ** 2;
    }
  }
  return means;
}

/** One target, and how good images of it are: as metrics.psnr, metrics.ssim and metrics.band_error of one slice. */
export class Quality {
  /**
   * @param {Float64Array} target
   * @param {number[]} size
   */
  constructor(target, size) {
    this.target = target;
    this.size = size;
    this.peak = target.reduce((top, x) => Math.max(top, x), -Infinity);
    this.energy = target.reduce((sum, x) => sum + x * x, 0);
    this.means = windowMeans(target, size);
    this.squares = windowMeans(times(target, target), size);
  }
  /** @param {Float64Array} image */
  psnr(image) {
    let error = 0;
    for (let i = 0; i < image.length; i++) error += (image[i] - this.target[i]) ** 2;
    return 10 * Math.log10((this.peak ** 2 * image.length) / error); // Infinity where there is no error
  }
  /** @param {Float64Array} image */
  ssim(image) {
    const means = windowMeans(image, this.size);
    const squares = windowMeans(times(image, image), this.size);
    const products = windowMeans(times(image, this.target), this.size);
    const c1 = (0.01 * this.peak) ** 2;
    const c2 = (0.03 * this.peak) ** 2;
    const sample = WINDOW ** 2 / (WINDOW ** 2 - 1);
    let sum = 0;
    for (let i = 0; i < means.length; i++) {
      const a = this.means[i];
      const b = means[i];
      const va = sample * (this.squares[i] - a * a);
      const vb = sample * (squares[i] - b * b);
      const both = sample * (products[i] - a * b);
      sum += ((2 * a * b + c1) * (2 * both + c2)) / ((a * a + b * b + c1) * (va + vb + c2));
    }
    return sum / means.length;
  }
  /**
   * Squared error of the magnitude image in the box's band and outside it: shares of the target's energy, together the NMSE.
   * @param {Float64Array} image
   * @param {import("./samples.js").Setting} setting
   */
  bands(image, setting) {
    const re = minus(image, this.target);
    const im = new Float64Array(re.length);
    const power = re;
    fft2c(re, im, this.size);
    for (let i = 0; i < re.length; i++) power[i] = re[i] * re[i] + im[i] * im[i];
    const { all, inside } = split(power, setting, this.size);
    return {
      nmse: all / this.energy,
      measured: inside / this.energy,
      removed: Math.max(0, all - inside) / this.energy,
    };
  }
  /**
   * The image's mean over the target's, where the target is above a tenth of its peak: a noise floor is no brightness.
   * @param {Float64Array} image
   */
  brightness(image) {
    let [sum, own] = [0, 0];
    for (let i = 0; i < image.length; i++)
      if (this.target[i] > 0.1 * this.peak) {
        sum += image[i];
        own += this.target[i];
      }
    return sum / own;
  }
  /**
   * @param {Float64Array} image
   * @param {import("./samples.js").Setting} setting
   */
  all(image, setting) {
    return {
      psnr: this.psnr(image),
      ssim: this.ssim(image),
      brightness: this.brightness(image),
      ...this.bands(image, setting),
    };
  }
}
