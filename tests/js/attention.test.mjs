// Run by Node's own test runner: node --test tests/js
import assert from "node:assert/strict";
import test from "node:test";

import { Level, entropy } from "../../dcamsr_lite/widgets/attention/level.js";
import { inWords, median, offset, summary } from "../../dcamsr_lite/widgets/shared/offsets.js";
import { extent, format, half, read85, unpack } from "../../dcamsr_lite/widgets/shared/numbers.js";

const packed = (values, shape, Type = Float32Array, dtype = "float32", scale = 1) => {
  const bytes = new Uint8Array(Type.from(values).buffer);
  const odd = new Uint8Array(bytes.length + 3);
  odd.set(bytes, 3); // as a message may deliver them: not aligned
  return { data: new DataView(odd.buffer, 3), dtype, shape, scale };
};

test("half reads binary16", () => {
  const known = {
    0x0000: 0,
    0x3c00: 1,
    0xc000: -2,
    0x3555: 0.333251953125,
    0x7bff: 65504,
    0x0001: 2 ** -24,
    0x03ff: 1023 * 2 ** -24,
    0x7c00: Infinity,
    0xfc00: -Infinity,
  };
  for (const [bits, value] of Object.entries(known)) assert.equal(half(+bits), value);
  assert.ok(Number.isNaN(half(0x7e00)));
});

test("unpack copies unaligned bytes and applies the scale", () => {
  assert.deepEqual([...unpack(packed([0x3c00, 0xc000], [2], Uint16Array, "float16", 3)).values], [3, -6]);
  assert.deepEqual([...unpack(packed([-32767, 5], [2], Int16Array, "int16", 0.5)).values], [-16383.5, 2.5]);
  assert.deepEqual([...unpack(packed([0.25, -8], [2], Float32Array, "float32", 2)).values], [0.5, -16]);
});

test("twelve bits are two signed values in three bytes; a list of scales is one per picture", () => {
  const bytes = [0x01, 0xf0, 0xff, 0x00, 0x08, 0x00, 0xff, 0x07, 0x00]; // 1, -1, -2048, 0, 2047, and padding
  const twelve = (scale, shape) => unpack({ ...packed(bytes, shape, Uint8Array, "int12"), scale });
  assert.deepEqual([...twelve(0.5, [5]).values], [0.5, -0.5, -1024, 0, 1023.5]);
  assert.deepEqual(
    [...unpack(packed([127, -1, 3, 4], [2, 1, 2], Int8Array, "int8", [2, 10])).values],
    [254, -2, 30, 40],
  );
});

test("any number of bits is read without gaps, over the edges of bytes", () => {
  const values = [1023, -1023, 0, -1, 5, -512, 341];
  for (const bits of [10, 11, 15]) {
    const held = values.map((x) => (Math.abs(x) < 2 ** (bits - 1) ? x : Math.sign(x)));
    const bytes = new Uint8Array(Math.ceil((held.length * bits) / 8));
    held.forEach((x, i) => {
      for (let b = 0; b < bits; b++) bytes[(i * bits + b) >> 3] |= ((x >> b) & 1) << ((i * bits + b) & 7);
    });
    assert.deepEqual([...unpack(packed(bytes, [7], Uint8Array, `int${bits}`)).values], held);
  }
});

test("extent is the largest magnitude and never zero", () => {
  assert.equal(extent([1, -3, 2]), 3);
  assert.ok(extent([0, 0]) > 0);
});

const tiny = (extra = {}) =>
  new Level({
    // one head, d = 1, two tokens on a 2 x 2 grid
    grid: [2, 2],
    queries: packed([0, Math.log(3), 0, 0], [1, 4, 1]),
    keys: packed([1, 0], [1, 2, 1]),
    footprints: packed([1, 0, 0, 0, 0, 0, 0, 2], [2, 2, 2]),
    resample: null,
    common: packed([0.6, 0.4], [1, 2]),
    own: [0.25, null],
    channel: null,
    entropy: {},
    ...extra,
  });

test("weights are the softmax of inner products, the map their sum of footprints", () => {
  const level = tiny();
  assert.deepEqual([...level.weights(null, 0)], [0.5, 0.5]);
  level.weights(0, 1).forEach((w, i) => assert.ok(Math.abs(w - [0.75, 0.25][i]) < 1e-6));
  [0.75, 0, 0, 0.5].forEach((x, i) => assert.ok(Math.abs(level.map(0, 0, 1, false)[i] - x) < 1e-6));
  [0.25, 0, 0, -0.5].forEach((x, i) => assert.ok(Math.abs(level.map(0, 0, 1, true)[i] - x) < 1e-6));
  [0, 0, 0, 0].forEach((x, i) => assert.ok(Math.abs(level.map(null, 1, 1, true)[i] - x) < 1e-6));
});

test("held footprints are summed first, then resampled along both axes", () => {
  const rows = packed([1, 0.5, 0], [3, 1]);
  const columns = packed([1, 0, 0.5, 0.5, 0, 1], [3, 2]);
  const level = tiny({ grid: [3, 3], footprints: packed([2, 0, 0, 4], [2, 1, 2]), resample: [rows, columns] });
  assert.deepEqual([...level.lift(Float64Array.of(1, 1))], [2, 3, 4, 1, 1.5, 2, 0, 0, 0]);
});

test("every token counts, also where their number is no multiple of four", () => {
  for (const p of [1, 3, 4, 5, 8]) {
    const ones = (n) => Array(n).fill(1);
    const level = tiny({
      queries: packed(ones(4), [1, 4, 1]),
      keys: packed(ones(p), [1, p, 1]),
      footprints: packed(ones(4 * p), [p, 2, 2]),
    });
    level.map(null, 0, 0, false).forEach((x) => assert.ok(Math.abs(x - 1) < 1e-6));
  }
});

test("the released merge takes a pixel's values from a run of one feature plane", () => {
  const level = tiny({ queries: packed(Array(16).fill(0), [2, 4, 2]), keys: packed(Array(8).fill(0), [2, 2, 2]) });
  assert.deepEqual(
    level.source(0, 1, false).map((s) => [s.head, s.feature, s.row, s.column]),
    [
      [0, 0, 0, 1],
      [0, 1, 0, 1],
      [1, 0, 0, 1],
      [1, 1, 0, 1],
    ],
  );
  assert.ok(level.source(0, 1, true).every((s) => s.head === 1 && s.feature === 0)); // token 1: plane 1
});

test("all heads, and their mean last", () => {
  const level = tiny({ queries: packed([1, 0, 0, 0, -1, 0, 0, 0], [2, 4, 1]), keys: packed([1, 0, 1, 0], [2, 2, 1]) });
  const [first, second, mean] = level.maps(0, 0, true);
  assert.deepEqual([...first], [...level.map(0, 0, 0, true)]);
  mean.forEach((x, i) => assert.ok(Math.abs(x - (first[i] + second[i]) / 2) < 1e-7));
  mean.forEach((x, i) => assert.ok(Math.abs(x - level.map(null, 0, 0, true)[i]) < 1e-6));
});

test("a channel cell, its maps, and what the row mixes", () => {
  const maps = (values) => packed(values, [1, 2, 1, 2]);
  const channel = {
    matrix: packed([0.25, 0.75, 1, 0], [1, 2, 2]),
    cosine: packed([1, 0, 0, 1], [1, 2, 2]),
    query: maps([1, 2, 3, 4]),
    key: maps([5, 6, 7, 8]),
    value: maps([4, 8, 0, 4]),
  };
  const level = tiny({
    queries: packed(Array(8).fill(0), [1, 4, 2]),
    keys: packed(Array(4).fill(0), [1, 2, 2]),
    channel,
  });
  assert.deepEqual([...level.matrix(0)], [0.25, 0.75, 1, 0]);
  assert.deepEqual([...level.feature("key", 0, 1).values], [7, 8]);
  assert.deepEqual([...level.mixed(0, 0).values], [1, 5]);
  assert.deepEqual(level.mixed(0, 1).size, [1, 2]);
});

test("entropy is 1 for uniform and 0 for one-hot", () => {
  assert.ok(Math.abs(entropy([0.25, 0.25, 0.25, 0.25]) - 1) < 1e-12);
  assert.equal(Math.abs(entropy([0, 1, 0])), 0);
});

test("format keeps numbers short", () => {
  assert.deepEqual(
    [0, 0.0312, -7.65e-5, 1234.5, 2.5e-12].map((x) => format(x)),
    ["0", "0.0312", "−7.65·10⁻⁵", "1230", "2.50·10⁻¹²"],
  );
  assert.equal(format(-0.054, 1), "−0.05");
});

test("a map is drawn minus uniform or minus the mean over queries; the share is a head's or the mean's", () => {
  const level = tiny();
  const [weights] = [level.weights(0, 1)]; // 3/4 and 1/4
  assert.ok(Math.abs(weights[0] - 0.75) < 1e-6);
  const close = (shown, wanted) => shown.forEach((x, i) => assert.ok(Math.abs(x - wanted[i]) < 1e-6, `${shown}`));
  close(level.shown(0, 0, 1, false), [0.75, 0.25]);
  close(level.shown(0, 0, 1, true), [0.25, -0.25]);
  close(level.shown(0, 0, 1, "queries"), [0.15, -0.15]);
  close(level.shown(null, 0, 1, "queries"), [0.15, -0.15]);
  assert.deepEqual([level.ownShare(0), level.ownShare(null)], [0.25, null]);
});

test("a window's mean offset is in pixels of the image, and words say where to", () => {
  const weights = new Float64Array(9);
  weights[3 + 2] = 0.5; // to the right of the centre
  weights[4] = 0.5;
  assert.deepEqual(offset(weights, 3, 4), [0, 2]);
  assert.equal(inWords([0, 2]), "2.0 to the right");
  assert.equal(inWords([-1.26, 0.2]), "1.3 up");
  assert.equal(inWords([1, -1]), "1.0 down and 1.0 to the left");
  assert.equal(inWords([0.1, -0.2]), "");
});

test("what the arrows say together: a shift, in place, or unlike places", () => {
  const all = (...offsets) => offsets.map((o) => ({ offset: o }));
  assert.match(summary(all([0, 2], [0, 2.1], [0.1, 1.9])), /2\.0 to the right: there the reference lies\.$/);
  assert.match(summary(all([0, 0.1], [0.1, 0], [0, 0])), /lies in place\.$/);
  assert.match(summary(all([2, 0], [-2, 0], [0, 2], [0, -2])), /places differ by 2\.0/);
  assert.equal(summary([]), "");
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});

test("bytes that Python spelled in base 85 come back", () => {
  const bytes = (text) => [...new Uint8Array(read85(text).buffer, 0, read85(text).byteLength)];
  assert.deepEqual(bytes("VPa!sWd"), [97, 98, 99, 100, 101]);
  assert.deepEqual(bytes("|NsC0|NsC0{{"), [255, 255, 255, 255, 255, 255, 255, 255, 255]);
  assert.deepEqual(bytes(""), []);
});
