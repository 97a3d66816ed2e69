// Run by Node's own test runner: node --test tests/js
import assert from "node:assert/strict";
import test from "node:test";

import { FFT, fft2c } from "../../dcamsr_lite/widgets/kspace/fft.js";
import { Quality } from "../../dcamsr_lite/widgets/kspace/quality.js";
import { KSpace, covered, weights, whiteNoise } from "../../dcamsr_lite/widgets/kspace/samples.js";

const close = (a, b, tolerance = 1e-11) => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);
const both = (n) => {
  const { re, im } = whiteNoise(n);
  return [re, im];
};
const box = (row, column, height, width, more = {}) => ({
  box: [row, column, height, width],
  shape: "box",
  window: "none",
  taper: 0.5,
  noise: 0,
  ...more,
});
const kspace = (image, size) => {
  const n = size[0] * size[1];
  const re = Float64Array.from(image);
  const im = new Float64Array(n);
  fft2c(re, im, size);
  return new KSpace({ values: Float64Array.of(...re, ...im), shape: [1, 2, ...size] });
};

test("an FFT of any length is the sum that defines it", () => {
  for (const n of [1, 2, 3, 5, 8, 12, 17, 30, 64, 97]) {
    const [re, im] = both(n);
    const [x, y] = [re.slice(), im.slice()];
    new FFT(n).transform(x, y);
    for (let k = 0; k < n; k++) {
      let [a, b] = [0, 0];
      for (let j = 0; j < n; j++) {
        const angle = (-2 * Math.PI * ((j * k) % n)) / n;
        a += re[j] * Math.cos(angle) - im[j] * Math.sin(angle);
        b += re[j] * Math.sin(angle) + im[j] * Math.cos(angle);
      }
      close(x[k], a);
      close(y[k], b);
    }
  }
});

test("the 2-D transform is centred, orthonormal, and undone with its parts exchanged", () => {
  for (const size of [
    [4, 4],
    [5, 8],
    [7, 3],
    [12, 10],
  ]) {
    const n = size[0] * size[1];
    const [re, im] = both(n);
    const [x, y] = [re.slice(), im.slice()];
    const energy = (a, b) => a.reduce((sum, v, i) => sum + v * v + b[i] * b[i], 0);
    fft2c(x, y, size);
    close(energy(x, y), energy(re, im), 1e-9);
    fft2c(y, x, size);
    x.forEach((v, i) => {
      close(v, re[i]);
      close(y[i], im[i]);
    });
    const flat = [new Float64Array(n).fill(1), new Float64Array(n)];
    fft2c(...flat, size);
    flat[0].forEach((v, i) => close(v, i === (size[0] >> 1) * size[1] + (size[1] >> 1) ? Math.sqrt(n) : 0));
  }
});

test("rows that are zero may be left out", () => {
  const size = [9, 6];
  const [re, im] = both(54);
  for (let i = 0; i < 54; i++) if (i < 18 || i >= 30) re[i] = im[i] = 0;
  const [x, y] = [re.slice(), im.slice()];
  fft2c(re, im, size);
  fft2c(x, y, size, 3, 5);
  x.forEach((v, i) => {
    close(v, re[i]);
    close(y[i], im[i]);
  });
});

test("noise is white and the same each time", () => {
  const n = 40000;
  const { re, im } = whiteNoise(n);
  const mean = (f) => re.reduce((sum, _, i) => sum + f(i), 0) / n;
  assert.deepEqual([...whiteNoise(5).re], [...re.slice(0, 5)]);
  close(
    mean((i) => re[i]),
    0,
    0.02,
  );
  close(
    mean((i) => im[i] ** 2),
    1,
    0.03,
  );
  close(
    mean((i) => re[i] * im[i]),
    0,
    0.02,
  );
  close(
    mean((i) => re[i] * re[(i + 1) % n]),
    0,
    0.02,
  );
});

test("a flat image keeps its brightness zero-filled, and gains the crop's as acquired", () => {
  const flat = kspace(Array(96).fill(3), [8, 12]);
  const small = box(2, 3, 4, 6);
  flat.image(small).forEach((x) => close(x, 3));
  flat.image(small, true).forEach((x) => close(x, 6));
  close(flat.brightening(small), 2);
  assert.deepEqual(flat.kept(small), { samples: 0.25, energy: flat.kept(small).energy });
  close(flat.kept(small).energy, 1);
});

test("lines keep the readout whole; a disc leaves the corners out; no sample of a box is lost", () => {
  assert.deepEqual(covered(box(2, 3, 4, 5, { shape: "lines" }), [8, 12]), [0, 3, 8, 5]);
  const disc = weights(box(0, 0, 9, 9, { shape: "disc" }), [9, 9]);
  assert.deepEqual([disc[0], disc[4], disc[40]], [0, 1, 1]);
  for (const window of ["none", "hann", "tukey"])
    assert.ok(weights(box(0, 0, 6, 7, { window }), [6, 7]).every((w) => w > 0 && w <= 1));
  const lines = weights(box(0, 0, 8, 3, { shape: "lines", window: "hann" }), [8, 12]);
  [0.5, 1, 0.5].forEach((w, j) => {
    for (let i = 0; i < 8; i++) close(lines[3 * i + j], w);
  });
  const tukey = weights(box(0, 0, 1, 7, { window: "tukey", taper: 0.5 }), [8, 12]);
  [0.5, 1, 1, 1, 1, 1, 0.5].forEach((w, j) => close(tukey[j], w)); // distances 3/4, 1/2, 1/4, 0
});

test("quality: nothing is wrong with the image itself, and known errors count as they should", () => {
  const size = [9, 8];
  const image = both(72)[0].map((x) => x + 9);
  const judge = new Quality(image, size);
  assert.equal(judge.psnr(image), Infinity);
  close(judge.ssim(image), 1);
  close(judge.brightness(image.map((x) => 2 * x)), 2);
  close(judge.psnr(image.map((x) => x + 0.1 * judge.peak)), 20);
  const half = judge.bands(
    image.map((x) => x / 2),
    box(0, 0, 9, 8),
  );
  [
    [half.measured, 0.25],
    [half.removed, 0],
    [half.nmse, 0.25],
  ].forEach((pair) => close(...pair));
  const added = judge.bands(
    image.map((x) => x + 1),
    box(4, 4, 1, 1),
  ); // a constant is the centre sample
  close(added.measured, 72 / image.reduce((sum, x) => sum + x * x, 0));
  close(added.removed, 0);
});

test("in k-space, the error inside the box is noise and window alone, outside all is lost", () => {
  const size = [10, 12];
  const data = kspace(
    both(120)[0].map((x) => x + 9),
    size,
  );
  const small = box(1, 2, 6, 5);
  assert.equal(data.error(small).inside, 0);
  close(data.error(small).outside, 1 - data.kept(small).energy);
  close(data.error(small, 2).inside, data.kept(small).energy); // twice as bright: as wrong as it is bright
  const noisy = data.error({ ...small, noise: 0.1 });
  const draw = data.noise;
  const drawn = [...draw.re].reduce((sum, x, i) => {
    const inside = i >= 12 && i < 84 && i % 12 >= 2 && i % 12 < 7;
    return sum + (inside ? x * x + draw.im[i] ** 2 : 0);
  }, 0);
  close(noisy.inside, ((0.1 * data.peak) ** 2 * drawn) / data.energy);
  assert.equal(noisy.outside, data.error(small).outside);
});
