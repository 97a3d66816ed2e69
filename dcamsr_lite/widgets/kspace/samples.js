// What a box of k-space holds, and the image that it makes. Runs in Node.

import { fft2c } from "./fft.js";

/** The i-th of a fixed sequence of uniform numbers in (0, 1): mulberry32. */
function uniform(i) {
  let t = Math.imul(i + 1, 0x6d2b79f5);
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
}
/** Complex samples whose parts are normal with deviation 1, the same every time. */
export function whiteNoise(count) {
  const [re, im] = [new Float64Array(count), new Float64Array(count)];
  for (let i = 0; i < count; i++) {
    const r = Math.sqrt(-2 * Math.log(uniform(2 * i)));
    const angle = 2 * Math.PI * uniform(2 * i + 1);
    [re[i], im[i]] = [r * Math.cos(angle), r * Math.sin(angle)];
  }
  return { re, im };
}

/**
 * The box is [row, column, height, width]; the taper is that of Tukey's window; the noise a share of the image's maximum.
 * @typedef {{ box: number[], shape: "box" | "lines" | "disc", window: "none" | "hann" | "tukey", taper: number,
 *   noise: number }} Setting
 */
/**
 * The box that counts: of phase-encoding lines, the last axis, the readout is whole.
 * @param {Setting} setting
 * @param {number[]} size
 */
export const covered = ({ box: [row, column, height, width], shape }, [rows]) =>
  shape === "lines" ? [0, column, rows, width] : [row, column, height, width];

/**
 * Weights of the samples in the box, row-major: a window (Tukey's, by its taper), zero outside a disc.
 * @param {Setting} setting
 * @param {number[]} size
 */
export function weights(setting, size) {
  const [, , height, width] = covered(setting, size);
  const { shape, window } = setting;
  const taper = { none: 0, hann: 1, tukey: setting.taper }[window];
  const lines = shape === "lines";
  const disc = shape === "disc";
  // 0 at the box's centre; 1 one half sample beyond the farthest one, so that none in the box is lost
  const distance = (n) => Float64Array.from({ length: n }, (_, i) => Math.abs(i - (n >> 1)) / ((n + 1) / 2));
  const fall = (t) => (t <= 1 - taper ? 1 : 0.5 + 0.5 * Math.cos((Math.PI * (t - 1 + taper)) / taper));
  const down = lines ? new Float64Array(height) : distance(height);
  const along = distance(width);
  const [a, b] = [down.map(fall), along.map(fall)];
  const values = new Float64Array(height * width);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const radius = disc ? Math.hypot(down[i], along[j]) : 0;
      values[i * width + j] = disc ? (radius <= 1 ? fall(radius) : 0) : a[i] * b[j];
    }
  }
  return values;
}

/** The k-space of all coils, and the images of boxes of it. */
export class KSpace {
  /** @type {ReturnType<typeof whiteNoise> | undefined} */
  noise; // unless it is asked for, it is not drawn

  /** @param {{ values: import("../shared/numbers.js").Floats, shape: number[] }} kspace real and imaginary parts of each coil */
  constructor({ values, shape: [coils, , rows, columns] }) {
    this.coils = coils;
    this.rows = rows;
    this.columns = columns;
    this.size = [rows, columns];
    const n = rows * columns;
    const part = (i) => Float64Array.from(values.subarray(i * n, (i + 1) * n));
    this.parts = Array.from({ length: coils }, (_, c) => [part(2 * c), part(2 * c + 1)]);
    this.power = new Float64Array(n);
    for (const [re, im] of this.parts) for (let i = 0; i < n; i++) this.power[i] += re[i] ** 2 + im[i] ** 2;
    this.energy = this.power.reduce((a, b) => a + b, 0);
    this.re = new Float64Array(n); // room for one image
    this.im = new Float64Array(n);
    this.full = this.image({ box: [0, 0, rows, columns], shape: "box", window: "none", taper: 0, noise: 0 });
    this.peak = this.full.reduce((top, x) => Math.max(top, x), 0);
  }
  /**
   * Calls `put(i, from, w, nre, nim)` per sample of the box: its place there, in k-space, its weight, its noise.
   * @param {Setting} setting
   * @param {Float64Array} w
   * @param {number} coil
   * @param {(i: number, from: number, w: number, nre: number, nim: number) => void} put
   */
  eachSample(setting, w, coil, put) {
    const [row, column, , width] = covered(setting, this.size);
    const sigma = setting.noise * this.peak;
    const first = coil * this.rows * this.columns;
    const noise = sigma ? (this.noise ??= whiteNoise(this.coils * this.rows * this.columns)) : null;
    for (let i = 0; i < w.length; i++) {
      const from = (row + Math.floor(i / width)) * this.columns + column + (i % width);
      noise
        ? put(i, from, w[i], sigma * noise.re[first + from], sigma * noise.im[first + from])
        : put(i, from, w[i], 0, 0);
    }
  }
  /**
   * Root-sum-of-squares of the coils, zero-filled to full size, or of the box's own size.
   * @param {Setting} setting
   */
  image(setting, small = false) {
    const [row, , height, width] = covered(setting, this.size);
    const each = weights(setting, this.size);
    const [size, top] = small ? [[height, width], 0] : [this.size, row];
    const n = size[0] * size[1];
    const re = this.re.subarray(0, n);
    const im = this.im.subarray(0, n);
    const sum = new Float64Array(n);
    for (let coil = 0; coil < this.coils; coil++) {
      const [kre, kim] = this.parts[coil];
      re.fill(0);
      im.fill(0);
      this.eachSample(setting, each, coil, (i, from, w, nre, nim) => {
        const to = small ? i : from;
        re[to] = w * (kre[from] + nre);
        im[to] = w * (kim[from] + nim);
      });
      fft2c(im, re, size, top, top + height);
      for (let i = 0; i < n; i++) sum[i] += re[i] * re[i] + im[i] * im[i];
    }
    for (let i = 0; i < n; i++) sum[i] = Math.sqrt(sum[i]);
    return sum;
  }
  /**
   * How much brighter the box's own small image is: the square root of all samples over those of the box.
   * @param {Setting} setting
   */
  brightening(setting) {
    const [, , height, width] = covered(setting, this.size);
    return Math.sqrt((this.rows * this.columns) / (height * width));
  }
  /**
   * The shares of the samples and of the signal's energy that lie in the box.
   * @param {Setting} setting
   */
  kept(setting) {
    const { count, inside } = split(this.power, setting, this.size);
    return { samples: count / this.power.length, energy: inside / this.energy };
  }
  /**
   * Squared error of the coils' samples, in the box (noise, the window, a brightness `gain`) and outside it, where all is
   * lost: shares of the energy of k-space.
   * @param {Setting} setting
   */
  error(setting, gain = 1) {
    const each = weights(setting, this.size);
    let inside = 0;
    for (let coil = 0; coil < this.coils; coil++) {
      const [re, im] = this.parts[coil];
      this.eachSample(setting, each, coil, (i, from, w, nre, nim) => {
        if (w) inside += (gain * w * (re[from] + nre) - re[from]) ** 2 + (gain * w * (im[from] + nim) - im[from]) ** 2;
      });
    }
    return { inside: inside / this.energy, outside: 1 - this.kept(setting).energy };
  }
}

/**
 * What of a k-space plane lies in the box: the number of samples and the sum of `power` there, and everywhere.
 * @param {Float64Array} power
 * @param {Setting} setting
 * @param {number[]} size
 */
export function split(power, setting, size) {
  const [row, column, , width] = covered(setting, size);
  const w = weights(setting, size);
  let [count, inside, all] = [0, 0, 0];
  for (let i = 0; i < power.length; i++) all += power[i];
  for (let i = 0; i < w.length; i++) {
    if (w[i] === 0) continue;
    count++;
    inside += power[(row + Math.floor(i / width)) * size[1] + column + (i % width)];
  }
  return { count, inside, all };
}
