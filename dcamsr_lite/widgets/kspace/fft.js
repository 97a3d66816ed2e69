// The centred orthonormal FFT of dcamsr_lite/kspace.py. Runs in Node.

/** @typedef {(re: Float64Array, im: Float64Array) => void} Transform in place, unnormalised */

/** @type {Map<number, FFT>} */
const plans = new Map();
function planOf(n) {
  const plan = plans.get(n) ?? new FFT(n);
  plans.set(n, plan);
  return plan;
}

/** FFT of n points in place, unnormalised; called with re and im exchanged it is the inverse. */
export class FFT {
  constructor(n) {
    this.n = n;
    this.re = new Float64Array(n); // a line, for who transforms many
    this.im = new Float64Array(n);
    this.shifted = Int32Array.from({ length: n }, (_, i) => (i + (n >> 1)) % n); // of fftshift and ifftshift
    this.transform = n & (n - 1) ? bluestein(n) : radix2(n);
  }
}

/**
 * A power of two, by halves (Cooley and Tukey 1965).
 * @returns {Transform}
 */
function radix2(n) {
  const bits = Math.log2(n);
  const reversed = Int32Array.from({ length: n }, (_, i) => {
    let r = 0;
    for (let b = 0; b < bits; b++) r |= ((i >> b) & 1) << (bits - 1 - b);
    return r;
  });
  const cos = Float64Array.from({ length: n / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / n));
  const sin = Float64Array.from({ length: n / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / n));
  return (re, im) => {
    for (let i = 0; i < n; i++) {
      const j = reversed[i];
      const x = re[i];
      const y = im[i];
      if (j > i) {
        re[i] = re[j];
        im[i] = im[j];
        re[j] = x;
        im[j] = y;
      }
    }
    let half = 1;
    if (bits % 2) {
      // an odd number of stages: the first alone, its twiddles are 1
      for (let a = 0; a < n; a += 2) {
        const x = re[a + 1];
        const y = im[a + 1];
        re[a + 1] = re[a] - x;
        im[a + 1] = im[a] - y;
        re[a] += x;
        im[a] += y;
      }
      half = 2;
    }
    for (; half < n; half *= 4) {
      // two stages at once: half the memory traffic, three products for four
      const step = n / (4 * half);
      for (let j = 0; j < half; j++) {
        const c1 = cos[2 * j * step];
        const s1 = sin[2 * j * step];
        const c2 = cos[j * step];
        const s2 = sin[j * step];
        const c3 = c1 * c2 - s1 * s2;
        const s3 = c1 * s2 + s1 * c2;
        for (let a = j; a < n; a += 4 * half) {
          const b = a + half;
          const c = b + half;
          const d = c + half;
          const bx = c1 * re[b] - s1 * im[b];
          const by = c1 * im[b] + s1 * re[b];
          const cx = c2 * re[c] - s2 * im[c];
          const cy = c2 * im[c] + s2 * re[c];
          const dx = c3 * re[d] - s3 * im[d];
          const dy = c3 * im[d] + s3 * re[d];
          const px = re[a] + bx;
          const py = im[a] + by;
          const mx = re[a] - bx;
          const my = im[a] - by;
          const qx = cx + dx;
          const qy = cy + dy;
          const ox = cy - dy;
          const oy = dx - cx; // the last pair turned by -i
          re[a] = px + qx;
          im[a] = py + qy;
          re[b] = mx + ox;
          im[b] = my + oy;
          re[c] = px - qx;
          im[c] = py - qy;
          re[d] = mx - ox;
          im[d] = my - oy;
        }
      }
    }
  };
}

/**
 * Any other length, as a convolution with a chirp (Bluestein 1970): -2jk = (k - j)^2 - j^2 - k^2.
 * @returns {Transform}
 */
function bluestein(n) {
  const inner = planOf(2 ** Math.ceil(Math.log2(2 * n - 1)));
  const m = inner.n;
  const angle = (i) => (Math.PI * ((i * i) % (2 * n))) / n; // small angles keep their digits
  const cos = Float64Array.from({ length: n }, (_, i) => Math.cos(angle(i)));
  const sin = Float64Array.from({ length: n }, (_, i) => -Math.sin(angle(i)));
  const chirpRe = new Float64Array(m);
  const chirpIm = new Float64Array(m);
  for (let i = 0; i < n; i++) {
    chirpRe[i] = chirpRe[(m - i) % m] = cos[i] / m; // the 1 / m of the inverse, once for all
    chirpIm[i] = chirpIm[(m - i) % m] = -sin[i] / m;
  }
  inner.transform(chirpRe, chirpIm);
  return (re, im) => {
    const { re: x, im: y } = inner;
    x.fill(0);
    y.fill(0);
    for (let i = 0; i < n; i++) {
      x[i] = re[i] * cos[i] - im[i] * sin[i];
      y[i] = re[i] * sin[i] + im[i] * cos[i];
    }
    inner.transform(x, y);
    for (let i = 0; i < m; i++) {
      const a = x[i];
      const b = y[i];
      x[i] = a * chirpRe[i] - b * chirpIm[i];
      y[i] = a * chirpIm[i] + b * chirpRe[i];
    }
    inner.transform(y, x);
    for (let i = 0; i < n; i++) {
      re[i] = x[i] * cos[i] - y[i] * sin[i];
      im[i] = x[i] * sin[i] + y[i] * cos[i];
    }
  };
}

/**
 * Centred orthonormal 2-D FFT in place (fft2c); re and im exchanged: ifft2c. Rows outside [from, to) are zero.
 * @param {Float64Array} re
 * @param {Float64Array} im
 * @param {number[]} size
 */
export function fft2c(re, im, [rows, columns], from = 0, to = rows) {
  const along = planOf(columns);
  const down = planOf(rows);
  const scale = 1 / Math.sqrt(rows * columns);
  for (let r = from; r < to; r++) line(re, im, r * columns, 1, along, 1);
  for (let c = 0; c < columns; c++) line(re, im, c, columns, down, scale);
}
/**
 * @param {Float64Array} re
 * @param {Float64Array} im
 * @param {number} start
 * @param {number} step
 * @param {FFT} plan
 * @param {number} scale
 */
function line(re, im, start, step, plan, scale) {
  const { n, re: x, im: y, shifted } = plan;
  for (let i = 0; i < n; i++) {
    const at = start + step * shifted[i];
    x[i] = re[at];
    y[i] = im[at];
  }
  plan.transform(x, y);
  for (let i = 0; i < n; i++) {
    const at = start + step * shifted[i];
    re[at] = scale * x[i];
    im[at] = scale * y[i];
  }
}
