// k-space in the browser: the centred orthonormal FFT of dcamsr_lite/kspace.py, what a box of k-space shows,
// and how good that is, counted as in dcamsr_lite/metrics.py. After numbers.js; runs in Node.

const plans = new Map();
const planOf = (n) => plans.get(n) ?? plans.set(n, new FFT(n)).get(n);

/** FFT of n points in place, unnormalised; called with re and im exchanged it is the inverse. */
export class FFT {
  constructor(n) {
    this.n = n;
    [this.re, this.im] = [new Float64Array(n), new Float64Array(n)]; // a line, for who transforms many
    this.shifted = Int32Array.from({ length: n }, (_, i) => (i + (n >> 1)) % n); // of fftshift and ifftshift
    (n & (n - 1)) ? this.prepareBluestein() : this.prepareRadix2();
  }
  prepareRadix2() {
    const { n } = this, bits = Math.log2(n);
    this.reversed = Int32Array.from({ length: n }, (_, i) => {
      let r = 0;
      for (let b = 0; b < bits; b++) r |= ((i >> b) & 1) << (bits - 1 - b);
      return r;
    });
    this.cos = Float64Array.from({ length: n / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / n));
    this.sin = Float64Array.from({ length: n / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / n));
    this.transform = this.radix2;
  }
  radix2(re, im) {
    const { n, reversed, cos, sin } = this;
    for (let i = 0; i < n; i++) {
      const j = reversed[i], x = re[i], y = im[i];
      if (j > i) { re[i] = re[j]; im[i] = im[j]; re[j] = x; im[j] = y; }
    }
    let half = 1;
    if (Math.log2(n) % 2) { // an odd number of stages: the first alone, its twiddles are 1
      for (let a = 0; a < n; a += 2) {
        const x = re[a + 1], y = im[a + 1];
        re[a + 1] = re[a] - x; im[a + 1] = im[a] - y;
        re[a] += x; im[a] += y;
      }
      half = 2;
    }
    for (; half < n; half *= 4) { // two stages at once: half the memory traffic, three products for four
      const step = n / (4 * half);
      for (let j = 0; j < half; j++) {
        const c1 = cos[2 * j * step], s1 = sin[2 * j * step], c2 = cos[j * step], s2 = sin[j * step];
        const c3 = c1 * c2 - s1 * s2, s3 = c1 * s2 + s1 * c2;
        for (let a = j; a < n; a += 4 * half) {
          const b = a + half, c = b + half, d = c + half;
          const bx = c1 * re[b] - s1 * im[b], by = c1 * im[b] + s1 * re[b];
          const cx = c2 * re[c] - s2 * im[c], cy = c2 * im[c] + s2 * re[c];
          const dx = c3 * re[d] - s3 * im[d], dy = c3 * im[d] + s3 * re[d];
          const px = re[a] + bx, py = im[a] + by, mx = re[a] - bx, my = im[a] - by;
          const qx = cx + dx, qy = cy + dy, ox = cy - dy, oy = dx - cx; // the last pair turned by -i
          re[a] = px + qx; im[a] = py + qy;
          re[b] = mx + ox; im[b] = my + oy;
          re[c] = px - qx; im[c] = py - qy;
          re[d] = mx - ox; im[d] = my - oy;
        }
      }
    }
  }
  /** Any other length, as a convolution with a chirp (Bluestein 1970): -2jk = (k - j)^2 - j^2 - k^2. */
  prepareBluestein() {
    const { n } = this;
    this.inner = planOf(2 ** Math.ceil(Math.log2(2 * n - 1)));
    const m = this.inner.n, angle = (i) => (Math.PI * ((i * i) % (2 * n))) / n; // small angles keep their digits
    this.cos = Float64Array.from({ length: n }, (_, i) => Math.cos(angle(i)));
    this.sin = Float64Array.from({ length: n }, (_, i) => -Math.sin(angle(i)));
    [this.chirpRe, this.chirpIm] = [new Float64Array(m), new Float64Array(m)];
    for (let i = 0; i < n; i++) {
      this.chirpRe[i] = this.chirpRe[(m - i) % m] = this.cos[i] / m; // the 1 / m of the inverse, once for all
      this.chirpIm[i] = this.chirpIm[(m - i) % m] = -this.sin[i] / m;
    }
    this.inner.transform(this.chirpRe, this.chirpIm);
    this.transform = this.bluestein;
  }
  bluestein(re, im) {
    const { n, inner, cos, sin, chirpRe, chirpIm } = this, { re: x, im: y } = inner;
    x.fill(0); y.fill(0);
    for (let i = 0; i < n; i++) {
      x[i] = re[i] * cos[i] - im[i] * sin[i];
      y[i] = re[i] * sin[i] + im[i] * cos[i];
    }
    inner.transform(x, y);
    for (let i = 0; i < inner.n; i++) {
      const a = x[i], b = y[i];
      x[i] = a * chirpRe[i] - b * chirpIm[i];
      y[i] = a * chirpIm[i] + b * chirpRe[i];
    }
    inner.transform(y, x);
    for (let i = 0; i < n; i++) {
      re[i] = x[i] * cos[i] - y[i] * sin[i];
      im[i] = x[i] * sin[i] + y[i] * cos[i];
    }
  }
}

/** Centred orthonormal 2-D FFT in place (fft2c); re and im exchanged: ifft2c. Rows outside [from, to) are zero. */
export function fft2c(re, im, [rows, columns], from = 0, to = rows) {
  const along = planOf(columns), down = planOf(rows), scale = 1 / Math.sqrt(rows * columns);
  for (let r = from; r < to; r++) line(re, im, r * columns, 1, along, 1);
  for (let c = 0; c < columns; c++) line(re, im, c, columns, down, scale);
}
function line(re, im, start, step, plan, scale) {
  const { n, re: x, im: y, shifted } = plan;
  for (let i = 0; i < n; i++) {
    const at = start + step * shifted[i];
    x[i] = re[at]; y[i] = im[at];
  }
  plan.transform(x, y);
  for (let i = 0; i < n; i++) {
    const at = start + step * shifted[i];
    re[at] = scale * x[i]; im[at] = scale * y[i];
  }
}

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
    const r = Math.sqrt(-2 * Math.log(uniform(2 * i))), angle = 2 * Math.PI * uniform(2 * i + 1);
    [re[i], im[i]] = [r * Math.cos(angle), r * Math.sin(angle)];
  }
  return { re, im };
}

/** The box that counts: of phase-encoding lines, the last axis, the readout is whole. */
export const covered = ({ box: [row, column, height, width], shape }, [rows]) =>
  shape === "lines" ? [0, column, rows, width] : [row, column, height, width];

/** Weights of the samples in the box, row-major: a window (Tukey's, by its taper), zero outside a disc. */
export function weights(setting, size) {
  const [, , height, width] = covered(setting, size), { shape, window } = setting;
  const taper = { none: 0, hann: 1, tukey: setting.taper }[window], lines = shape === "lines", disc = shape === "disc";
  // 0 at the box's centre; 1 one half sample beyond the farthest one, so that none in the box is lost
  const distance = (n) => Float64Array.from({ length: n }, (_, i) => Math.abs(i - (n >> 1)) / ((n + 1) / 2));
  const fall = (t) => (t <= 1 - taper ? 1 : 0.5 + 0.5 * Math.cos((Math.PI * (t - 1 + taper)) / taper));
  const down = lines ? new Float64Array(height) : distance(height), along = distance(width);
  const [a, b] = [down.map(fall), along.map(fall)], values = new Float64Array(height * width);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const radius = disc ? Math.hypot(down[i], along[j]) : 0;
      values[i * width + j] = disc ? (radius <= 1 ? fall(radius) : 0) : a[i] * b[j];
    }
  }
  return values;
}

/** The k-space of all coils, and the images of boxes of it. A setting is {box, shape, window, taper, noise}. */
export class KSpace {
  constructor({ values, shape: [coils, , rows, columns] }) {
    [this.coils, this.rows, this.columns, this.size] = [coils, rows, columns, [rows, columns]];
    const n = rows * columns, part = (i) => Float64Array.from(values.subarray(i * n, (i + 1) * n));
    this.parts = Array.from({ length: coils }, (_, c) => [part(2 * c), part(2 * c + 1)]);
    this.power = new Float64Array(n);
    for (const [re, im] of this.parts) for (let i = 0; i < n; i++) this.power[i] += re[i] ** 2 + im[i] ** 2;
    this.energy = this.power.reduce((a, b) => a + b, 0);
    [this.re, this.im] = [new Float64Array(n), new Float64Array(n)];
    this.full = this.image({ box: [0, 0, rows, columns], shape: "box", window: "none", noise: 0 });
    this.peak = this.full.reduce((top, x) => Math.max(top, x), 0);
  }
  /** Calls `put(i, from, w, nre, nim)` per sample of the box: its place there, in k-space, its weight, its noise. */
  eachSample(setting, w, coil, put) {
    const [row, column, , width] = covered(setting, this.size);
    const sigma = setting.noise * this.peak, first = coil * this.rows * this.columns;
    if (sigma) this.noise ??= whiteNoise(this.coils * this.rows * this.columns);
    for (let i = 0; i < w.length; i++) {
      const from = (row + Math.floor(i / width)) * this.columns + column + (i % width);
      sigma ? put(i, from, w[i], sigma * this.noise.re[first + from], sigma * this.noise.im[first + from]) : put(i, from, w[i], 0, 0);
    }
  }
  /** Root-sum-of-squares of the coils, zero-filled to full size, or of the box's own size. */
  image(setting, small = false) {
    const [row, , height, width] = covered(setting, this.size), each = weights(setting, this.size);
    const [size, top] = small ? [[height, width], 0] : [this.size, row];
    const n = size[0] * size[1], re = this.re.subarray(0, n), im = this.im.subarray(0, n), sum = new Float64Array(n);
    for (let coil = 0; coil < this.coils; coil++) {
      const [kre, kim] = this.parts[coil];
      re.fill(0); im.fill(0);
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
  /** How much brighter the box's own small image is: the square root of all samples over those of the box. */
  brightening(setting) {
    const [, , height, width] = covered(setting, this.size);
    return Math.sqrt((this.rows * this.columns) / (height * width));
  }
  /** The shares of the samples and of the signal's energy that lie in the box. */
  kept(setting) {
    const { count, inside } = split(this.power, setting, this.size);
    return { samples: count / this.power.length, energy: inside / this.energy };
  }
  /** Squared error of the coils' samples, in the box (noise, the window, a brightness `gain`) and outside it, where all is
   * lost: shares of the energy of k-space. */
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

/** What of a k-space plane lies in the box: the number of samples and the sum of `power` there, and everywhere. */
function split(power, setting, size) {
  const [row, column, , width] = covered(setting, size), w = weights(setting, size);
  let [count, inside, all] = [0, 0, 0];
  for (let i = 0; i < power.length; i++) all += power[i];
  for (let i = 0; i < w.length; i++) {
    if (w[i] === 0) continue;
    count++;
    inside += power[(row + Math.floor(i / width)) * size[1] + column + (i % width)];
  }
  return { count, inside, all };
}

const WINDOW = 7; // pixels of SSIM's uniform window
// plain loops: TypedArray.map with a closure costs several times as much
function minus(a, b) {
  const c = new Float64Array(a.length);
  for (let i = 0; i < c.length; i++) c[i] = a[i] - b[i];
  return c;
}
function times(a, b) {
  const c = new Float64Array(a.length);
  for (let i = 0; i < c.length; i++) c[i] = a[i] * b[i];
  return c;
}
/** Means over all 7 x 7 windows that lie in the image. */
function windowMeans(values, [rows, columns]) {
  const wide = columns - WINDOW + 1, high = rows - WINDOW + 1, sums = new Float64Array(rows * wide), means = new Float64Array(high * wide);
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
  constructor(target, size) {
    [this.target, this.size] = [target, size];
    this.peak = target.reduce((top, x) => Math.max(top, x), -Infinity);
    this.energy = target.reduce((sum, x) => sum + x * x, 0);
    this.means = windowMeans(target, size);
    this.squares = windowMeans(times(target, target), size);
  }
  psnr(image) {
    let error = 0;
    for (let i = 0; i < image.length; i++) error += (image[i] - this.target[i]) ** 2;
    return 10 * Math.log10((this.peak ** 2 * image.length) / error); // Infinity where there is no error
  }
  ssim(image) {
    const means = windowMeans(image, this.size), squares = windowMeans(times(image, image), this.size);
    const products = windowMeans(times(image, this.target), this.size);
    const c1 = (0.01 * this.peak) ** 2, c2 = (0.03 * this.peak) ** 2, sample = WINDOW ** 2 / (WINDOW ** 2 - 1);
    let sum = 0;
    for (let i = 0; i < means.length; i++) {
      const a = this.means[i], b = means[i];
      const va = sample * (this.squares[i] - a * a), vb = sample * (squares[i] - b * b), both = sample * (products[i] - a * b);
      sum += ((2 * a * b + c1) * (2 * both + c2)) / ((a * a + b * b + c1) * (va + vb + c2));
    }
    return sum / means.length;
  }
  /** Squared error of the magnitude image in the box's band and outside it: shares of the target's energy, together the NMSE. */
  bands(image, setting) {
    const re = minus(image, this.target), im = new Float64Array(re.length), power = re;
    fft2c(re, im, this.size);
    for (let i = 0; i < re.length; i++) power[i] = re[i] * re[i] + im[i] * im[i];
    const { all, inside } = split(power, setting, this.size);
    return { nmse: all / this.energy, measured: inside / this.energy, removed: Math.max(0, all - inside) / this.energy };
  }
  /** The image's mean over the target's, where the target is above a tenth of its peak: a noise floor is no brightness. */
  brightness(image) {
    let [sum, own] = [0, 0];
    for (let i = 0; i < image.length; i++) if (this.target[i] > 0.1 * this.peak) { sum += image[i]; own += this.target[i]; }
    return sum / own;
  }
  all(image, setting) {
    return { psnr: this.psnr(image), ssim: this.ssim(image), brightness: this.brightness(image), ...this.bands(image, setting) };
  }
}
