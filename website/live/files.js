// A file that was dropped on the page, as slices of grey values: PNG and JPEG, NIfTI, .npy. It never leaves the tab.
// What is odd is an Error of one sentence, or a note. The readers of bytes run in Node.

import * as nifti from "nifti-reader-js";

const LARGEST = 2048; // pixels a side
const SMALLEST = 16;

/**
 * @typedef {object} Stack
 * @property {string} name
 * @property {number[]} size rows and columns
 * @property {number} slices
 * @property {(slice: number) => Float64Array} take
 * @property {string[]} notes
 */

const refuse = (name, found, expected) => new Error(`${name}: found ${found}; expected ${expected}`);

/**
 * @param {string} name
 * @param {number[]} size
 * @param {number} slices
 * @param {ArrayLike<number>} values slice by slice, row-major
 * @param {string[]} [notes]
 * @returns {Stack}
 */
export function makeStack(name, size, slices, values, notes = []) {
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
  const least = Math.min(0, low);
  if (least < 0) notes = [...notes, `${name}: values below zero: its least value was taken as black`];
  const count = rows * columns;
  const take = (slice) =>
    Float64Array.from({ length: count }, (_, i) => (Number(values[slice * count + i]) - least) / (high - least));
  return { name, size, slices, take, notes };
}

/** @type {Record<string, (view: DataView, at: number, little: boolean) => number>} */
const NUMBERS = {
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
  u1: (view, at) => view.getUint8(at),
  i1: (view, at) => view.getInt8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  i2: (view, at, little) => view.getInt16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
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
  if (/'fortran_order':\s*True/.test(header))
    throw refuse(name, "Fortran order", "C order: save np.ascontiguousarray(x)");
  if (![2, 3].includes(shape.length))
    throw refuse(name, `${shape.length} axes (${shape.join(" x ")})`, "(row, column) or (slice, row, column)");
  const [slices, rows, columns] = shape.length === 2 ? [1, ...shape] : shape;
  const count = slices * rows * columns;
  const width = +kind[1];
  if (end + count * width > bytes.length) throw refuse(name, "fewer values than its header says", "a whole file");
  if (rows * columns > LARGEST ** 2) return makeStack(name, [rows, columns], slices, []);
  const values = Float64Array.from({ length: count }, (_, i) => NUMBERS[kind](view, end + i * width, order !== ">"));
  return makeStack(name, [rows, columns], slices, values);
}

const KINDS = { 2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4" };

/**
 * NIfTI, compressed or not: slices along its third axis, drawn with its second axis upwards.
 * @param {string} name
 * @param {ArrayBuffer} buffer
 */
export function readNifti(name, buffer) {
  /** @type {any} */
  let header, image;
  try {
    const data = /** @type {ArrayBuffer} */ (nifti.isCompressed(buffer) ? nifti.decompress(buffer) : buffer);
    header = nifti.isNIFTI(data) ? nifti.readHeader(data) : null;
    image = header && nifti.readImage(header, data);
  } catch (error) {
    throw refuse(name, `a damaged file (${error instanceof Error ? error.message : error})`, "a NIfTI file");
  }
  if (!header || !image) throw refuse(name, "a file that is no NIfTI", "NIfTI, .nii or .nii.gz");
  const [, columns, rows, depth, times] = header.dims;
  const slices = Math.max(1, depth);
  const kind = KINDS[header.datatypeCode];
  if (!kind) throw refuse(name, `values of NIfTI's kind ${header.datatypeCode}`, "real grey values");
  if (header.dims[0] > 3 && times > 1) throw refuse(name, `${times} volumes in one file`, "one volume");
  if (rows * columns > LARGEST ** 2) return makeStack(name, [rows, columns], slices, []);
  const width = +kind[1];
  const count = slices * rows * columns;
  if (image.byteLength < count * width) throw refuse(name, "fewer values than its header says", "a whole file");
  const view = new DataView(image);
  const [slope, start] = [header.scl_slope || 1, header.scl_slope ? header.scl_inter || 0 : 0];
  const values = new Float64Array(count);
  for (let z = 0; z < slices; z++)
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++)
        values[(z * rows + rows - 1 - y) * columns + x] =
          start + slope * NUMBERS[kind](view, ((z * rows + y) * columns + x) * width, header.littleEndian);
  return makeStack(name, [rows, columns], slices, values);
}

/** A picture, by the browser's own reader. */
async function readPicture(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
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
    return 0.299 * r + 0.587 * g + 0.114 * b;
  });
  return makeStack(
    file.name,
    [height, width],
    1,
    values,
    colours ? [`${file.name}: colours: their brightness is taken`] : [],
  );
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
  throw refuse(file.name, "a file of another kind", ".png, .jpg, .nii, .nii.gz or .npy");
}

/** Two stacks that can be a pair, else an Error. */
export function checkPair(reference, target) {
  const told = ({ size: [rows, columns], slices }) => `${slices} slice${slices > 1 ? "s" : ""} of ${rows} x ${columns}`;
  if (told(reference) !== told(target))
    throw refuse(target.name, told(target), `${told(reference)}, as ${reference.name} has: both on one matrix`);
}
