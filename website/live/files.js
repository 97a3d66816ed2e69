// A file that was dropped on the page, as slices of grey values: PNG and JPEG, NIfTI, .npy. It never leaves the tab.
// What is odd is an Error of one sentence, or a note. The readers of bytes run in Node.

import { decode } from "fast-png";
import * as nifti from "nifti-reader-js";

import { half } from "../../dcamsr_lite/widgets/shared/numbers.js";
import { STAY, findDistance, findSliceAxis, listPlaces, multiply, runsUp, turnOnto, undo } from "./geometry.js";

const LARGEST = 2048; // pixels a side
const SMALLEST = 16;

/**
 * Slices of grey values, from 0 to 1. Stored are columns, rows and slices, each with its length and its step.
 * @typedef {object} Stack
 * @property {string} name
 * @property {number[]} size rows and columns
 * @property {number} slices
 * @property {(slice: number) => Float64Array} take
 * @property {string[]} notes
 * @property {Stored} stored
 */
/**
 * `up`: its rows run from the lowest up, and are drawn the other way; null of pictures and arrays, which do not say it.
 * @typedef {{ values: ArrayLike<number>, low: number, high: number, shape: number[], steps: number[], start: number,
 *   places: import("./geometry.js").Place[], up: boolean | null }} Stored
 */

const refuse = (name, found, expected) => new Error(`${name}: found ${found}; expected ${expected}`);

/**
 * @param {string} name
 * @param {number[]} size
 * @param {number} slices
 * @param {ArrayLike<number>} values slice by slice, row-major, if no steps are given
 * @param {string[]} [notes]
 * @param {Partial<Stored>} [more]
 * @returns {Stack}
 */
export function makeStack(name, size, slices, values, notes = [], more = {}) {
  const [rows, columns] = size;
  if (Math.max(rows, columns) > LARGEST)
    throw refuse(name, `${rows} x ${columns} pixels`, `at most ${LARGEST} x ${LARGEST}: make it smaller first`);
  if (Math.min(rows, columns) < SMALLEST)
    throw refuse(name, `${rows} x ${columns} pixels`, `at least ${SMALLEST} x ${SMALLEST}`);
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const x = Number(values[i]);
    if (!Number.isFinite(x)) throw refuse(name, "NaN or infinite values", "finite numbers");
    if (x < low) low = x;
    if (x > high) high = x;
  }
  if (!(high > low)) throw refuse(name, `one grey value everywhere (${low})`, "an image");
  if (low < 0) notes = [...notes, `${name}: values below zero: its least value was taken as black`];
  const [shape, steps] = [
    [columns, rows, slices],
    [1, columns, rows * columns],
  ];
  const stored = { values, low: Math.min(0, low), high, shape, steps, start: 0, places: [], up: null, ...more };
  return asStack(name, stored, notes);
}

/** @type {(name: string, stored: Stored, notes: string[]) => Stack} */
function asStack(name, stored, notes) {
  const { values, low, high, start } = stored;
  const [columns, rows, slices] = stored.shape;
  const [right, down, deep] = stored.steps;
  const at = (slice, i) => start + slice * deep + Math.floor(i / columns) * down + (i % columns) * right;
  const take = (slice) =>
    Float64Array.from({ length: rows * columns }, (_, i) => (Number(values[at(slice, i)]) - low) / (high - low));
  return { name, size: [rows, columns], slices, take, notes, stored };
}

/**
 * The same with its axes in another order, or running back: nothing is moved.
 * @param {Stack} stack
 * @param {import("./geometry.js").Axes} axes
 * @param {string[]} words what is said of it
 */
function turn({ name, stored, notes }, axes, words = []) {
  const [shape, steps] = [[...stored.shape], [...stored.steps]];
  let { start } = stored;
  axes.forEach(([to, way], axis) => {
    shape[to] = stored.shape[axis];
    steps[to] = way * stored.steps[axis];
    if (way < 0) start += stored.steps[axis] * (stored.shape[axis] - 1);
  });
  const change = undo(axes, stored.shape);
  const places = stored.places.map(({ space, affine }) => ({ space, affine: multiply(affine, change) }));
  return asStack(name, { ...stored, shape, steps, start, places }, [...notes, ...words]);
}

/** @type {Record<string, (view: DataView, at: number, little: boolean) => number>} */
const NUMBERS = {
  f2: (view, at, little) => half(view.getUint16(at, little)),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
  b1: (view, at) => view.getUint8(at),
  u1: (view, at) => view.getUint8(at),
  i1: (view, at) => view.getInt8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  i2: (view, at, little) => view.getInt16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
};

/**
 * NumPy's file of one array: (row, column) or (slice, row, column).
 * @param {string} name
 * @param {ArrayBuffer} buffer
 */
export function readNpy(name, buffer) {
  const bytes = new Uint8Array(buffer);
  if (bytes[0] !== 0x93 || String.fromCharCode(...bytes.slice(1, 6)) !== "NUMPY")
    throw refuse(name, "a file that NumPy did not write", "a .npy file of one array");
  const view = new DataView(buffer);
  const long = bytes[6] > 1;
  const start = long ? 12 : 10;
  const end = start + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = new TextDecoder("latin1").decode(bytes.slice(start, end));
  const [, order = "", kind = ""] = /'descr':\s*'([<>|=])(\w+)'/.exec(header) ?? [];
  const shape = (/'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1] ?? "").split(",").filter((x) => x.trim()).map(Number); // prettier-ignore
  if (!NUMBERS[kind]) throw refuse(name, `values of kind '${order}${kind}'`, "real numbers of at least 8 bits");
  if (![2, 3].includes(shape.length))
    throw refuse(name, `${shape.length} axes (${shape.join(" x ")})`, "(row, column) or (slice, row, column)");
  const [slices, rows, columns] = shape.length === 2 ? [1, ...shape] : shape;
  const count = slices * rows * columns;
  const width = +kind[1];
  if (end + count * width > bytes.length) throw refuse(name, "fewer values than its header says", "a whole file");
  if (rows * columns > LARGEST ** 2) return makeStack(name, [rows, columns], slices, []);
  const values = Float64Array.from({ length: count }, (_, i) => NUMBERS[kind](view, end + i * width, order !== ">"));
  const steps = /'fortran_order':\s*True/.test(header) ? { steps: [slices * rows, slices, 1] } : {};
  return makeStack(name, [rows, columns], slices, values, [], steps);
}

const KINDS = {
  2: "u1",
  4: "i2",
  8: "i4",
  16: "f4",
  64: "f8",
  256: "i1",
  512: "u2",
  768: "u4",
  1024: "i8",
  1280: "u8",
};

/** The three rows of a header's sform: the reader keeps those of one form only. */
function readRows(data, { littleEndian }) {
  const view = new DataView(data);
  const second = nifti.isNIFTI2(data);
  const number = (i) =>
    second ? view.getFloat64(400 + 8 * i, littleEndian) : view.getFloat32(280 + 4 * i, littleEndian);
  return [0, 1, 2].map((row) => [0, 1, 2, 3].map((i) => number(4 * row + i)));
}

/**
 * NIfTI, compressed or not, with its slices along the third axis, or along a clear other one.
 * @param {string} name
 * @param {ArrayBuffer} buffer
 */
export function readNifti(name, buffer) {
  /** @type {any} */
  let header, image, rows;
  try {
    const data = /** @type {ArrayBuffer} */ (nifti.isCompressed(buffer) ? nifti.decompress(buffer) : buffer);
    header = nifti.isNIFTI(data) ? nifti.readHeader(data) : null;
    image = header && nifti.readImage(header, data);
    rows = header && readRows(data, header);
  } catch (error) {
    throw refuse(name, `a damaged file (${error instanceof Error ? error.message : error})`, "a NIfTI file");
  }
  if (!header || !image) throw refuse(name, "a file that is no NIfTI", "NIfTI, .nii or .nii.gz");
  const [axes, width, height, depth, times] = header.dims;
  const kind = KINDS[header.datatypeCode];
  if (!kind) throw refuse(name, `values of NIfTI's kind ${header.datatypeCode}`, "real grey values");
  if (axes > 3 && times > 1) throw refuse(name, `${times} volumes in one file`, "one volume");
  const stored = [width, height, axes > 2 ? Math.max(1, depth) : 1];
  const count = stored[0] * stored[1] * stored[2];
  if (image.byteLength < count * +kind[1]) throw refuse(name, "fewer values than its header says", "a whole file");
  const { places, best } = listPlaces(header, rows);
  const axis = axes > 2 ? findSliceAxis(best, stored, header.sform_code > 0 || header.qform_code > 0) : 2;
  const [columns, lines] = [0, 1, 2].filter((other) => other !== axis).map((other) => stored[other]);
  if (lines * columns > LARGEST ** 2) return makeStack(name, [lines, columns], stored[axis], []);
  const view = new DataView(image);
  const [slope, start] = [header.scl_slope || 1, header.scl_slope ? header.scl_inter || 0 : 0];
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = start + slope * NUMBERS[kind](view, i * +kind[1], header.littleEndian);
  // the columns, rows and slices of this page, from the axes that are stored
  const order = [...[0, 1, 2].filter((other) => other !== axis), axis];
  const apart = [1, stored[0], stored[0] * stored[1]];
  const change = [...order.map((from) => [0, 1, 2, 3].map((i) => +(i === from))), [0, 0, 0, 1]];
  const back = change[0].map((_, i) => change.map((row) => row[i]));
  const placed = places.map(({ space, affine }) => ({ space, affine: multiply(affine, back) }));
  const notes = axis === 2 ? [] : [`${name}: its slices lie along ${"xyz"[axis]} of the file's axes: taken as slices`];
  const up = placed.length ? runsUp(placed[0].affine) : true;
  const steps = order.map((from) => apart[from]);
  return makeStack(name, [lines, columns], stored[axis], values, notes, { steps, places: placed, up });
}

/** As Pillow has it. */
const brightness = (r, g, b) => (19595 * r + 38470 * g + 7471 * b + 0x8000) >>> 16;
const inColours = (name) => `${name}: colours: their brightness is taken`;

/**
 * A PNG that has 16 bits for a value, as scans often do: browsers keep 8 of them. Null of everything else.
 * @param {string} name
 * @param {ArrayBuffer} buffer
 */
export function readDeepPng(name, buffer) {
  const start = new DataView(buffer);
  if (start.byteLength < 26 || start.getUint32(0) !== 0x89504e47 || start.getUint8(24) !== 16) return null;
  const size = [start.getUint32(20), start.getUint32(16)];
  if (Math.max(...size) > LARGEST) return makeStack(name, size, 1, []);
  let data, channels;
  try {
    ({ data, channels } = decode(new Uint8Array(buffer), { checkCrc: true }));
  } catch {
    throw refuse(name, "a damaged file", "a whole PNG");
  }
  let colours = false;
  const values = Float64Array.from({ length: size[0] * size[1] }, (_, i) => {
    const [r, g, b] = data.subarray(channels * i, channels * (i + 1));
    if (channels < 3) return r;
    colours ||= r !== g || g !== b;
    return brightness(r, g, b);
  });
  return makeStack(name, size, 1, values, colours ? [inColours(name)] : []);
}

/** A picture, by the browser's own reader, but for those that it reads in part. */
async function readPicture(file) {
  const deep = readDeepPng(file.name, await file.arrayBuffer());
  if (deep) return deep;
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" });
  } catch {
    throw refuse(file.name, "a picture that this browser cannot read", "a whole PNG or JPEG");
  }
  const { width, height } = bitmap;
  if (Math.max(width, height) > LARGEST) return makeStack(file.name, [height, width], 1, []);
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (!context) throw new Error(`${file.name}: this browser gives no room to draw it`);
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  let colours = false;
  const values = Float64Array.from({ length: width * height }, (_, i) => {
    const [r, g, b] = data.subarray(4 * i, 4 * i + 3);
    colours ||= r !== g || g !== b;
    return brightness(r, g, b);
  });
  return makeStack(file.name, [height, width], 1, values, colours ? [inColours(file.name)] : []);
}

/**
 * @param {File} file
 * @returns {Promise<Stack>}
 */
export async function readFile(file) {
  const name = file.name.toLowerCase();
  if (/\.nii(\.gz)?$/.test(name)) return readNifti(file.name, await file.arrayBuffer());
  if (name.endsWith(".npy")) return readNpy(file.name, await file.arrayBuffer());
  if (/\.(png|jpe?g)$/.test(name)) return readPicture(file);
  const scan = /\.(dcm|ima)$|^[^.]+$/.test(name) ? ": dcm2niix makes NIfTI of DICOM" : "";
  throw refuse(file.name, "a file of another kind", `.png, .jpg, .nii, .nii.gz or .npy${scan}`);
}

/**
 * Two files as a pair: the reference turned as the target runs, both drawn with the highest row on top. Else an Error.
 * @param {Stack} reference
 * @param {Stack} target
 * @returns {{ reference: Stack, target: Stack }}
 */
export function makePair(reference, target) {
  const onto = turnOnto(reference.stored.places, target.stored.places);
  const turned = onto?.words ? turn(reference, onto.axes, [`${reference.name}: ${onto.words}`]) : reference;
  /** @param {Stack} stack */
  const told = ({ size: [rows, columns], slices }) => `${slices} slice${slices > 1 ? "s" : ""} of ${rows} x ${columns}`;
  if (told(turned) !== told(target))
    throw refuse(target.name, told(target), `${told(turned)}, as ${turned.name} has: both on one matrix`);
  const apart = findDistance(turned.stored.places, target.stored, target.name);
  if (apart) throw refuse(reference.name, apart, "one grid within 0.5 voxels: bring one onto the other first");
  const pair = [turned, target];
  const silent = pair.findIndex((one, i) => !one.stored.places.length && pair[1 - i].stored.places.length);
  const words = `${pair[silent]?.name} does not say where it lies, ${pair[1 - silent]?.name} does: taken voxel by voxel as it is stored`;
  const up = target.stored.up ?? turned.stored.up;
  const flip = /** @type {typeof STAY} */ ([STAY[0], [1, -1], STAY[2]]);
  const [a, b] = pair.map((one, i) => turn(one, up ? flip : STAY, i === silent ? [words] : []));
  return { reference: a, target: b };
}
