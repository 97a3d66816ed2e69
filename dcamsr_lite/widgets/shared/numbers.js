// Bytes from the kernel to numbers, and numbers to text. Runs in Node.

/** @typedef {{ data: DataView, dtype: string, shape: number[], scale: number | number[] }} Packed as packing.pack makes it */
/** @typedef {Float32Array | Float64Array} Floats */

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&.)*+-;,:>?@^_`{|}~";
/**
 * The bytes that static.spell wrote: five letters for four.
 * @param {string} text
 */
export function read85(text) {
  const digit = new Uint8Array(128);
  [...DIGITS].forEach((letter, value) => {
    digit[letter.charCodeAt(0)] = value;
  });
  const parts = Math.ceil(text.length / 5);
  const whole = text.padEnd(5 * parts, "~");
  const data = new DataView(new ArrayBuffer(4 * parts));
  for (let part = 0; part < parts; part++) {
    let number = 0;
    for (let i = 5 * part; i < 5 * part + 5; i++) number = number * 85 + digit[whole.charCodeAt(i)];
    data.setUint32(4 * part, number);
  }
  return new DataView(data.buffer, 0, data.byteLength - (5 * parts - text.length));
}

/** The number that 16 bits hold as IEEE binary16: browsers may lack Float16Array. */
export function half(bits) {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

/** Signed whole numbers of so many bits each, low bits first, one behind the other. */
function stretch(bytes, bits, count) {
  const values = new Float32Array(count);
  for (let i = 0, at = 0; i < count; i++, at += bits) {
    const first = at >> 3;
    const three = bytes[first] | (bytes[first + 1] << 8) | (bytes[first + 2] << 16);
    values[i] = (three << (32 - bits - (at & 7))) >> (32 - bits);
  }
  return values;
}

/** @type {Float32Array | undefined} */
let halves;
/**
 * A list of scales is one per picture.
 * @param {Packed} packed
 */
export function unpack({ data, dtype, shape, scale }) {
  // copied first: a view into a message may start at an odd byte
  const bytes = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  const table = (halves ??= Float32Array.from({ length: 65536 }, (_, bits) => half(bits)));
  const read = {
    float32: () => new Float32Array(bytes),
    float16: () => Float32Array.from(new Uint16Array(bytes), (bits) => table[bits]),
  };
  const count = shape.reduce((a, b) => a * b, 1);
  /** @type {Float32Array} */
  const values = read[dtype]?.() ?? stretch(new Uint8Array(bytes), Number(dtype.slice("int".length)), count);
  const scales = [scale].flat();
  const each = values.length / scales.length;
  for (let i = 0; i < values.length; i++) values[i] *= scales[Math.floor(i / each)];
  return { values, shape };
}

/**
 * Pictures by name, each as its values.
 * @param {Record<string, Packed>} packed
 */
export const unpackAll = (packed) =>
  Object.fromEntries(Object.entries(packed).map(([name, image]) => [name, unpack(image).values]));

/**
 * The largest magnitude; never zero, since it divides.
 * @param {ArrayLike<number>} values
 */
export function extent(values) {
  let top = 0; // a loop: reduce took a quarter of the time of all heads side by side
  for (let i = 0; i < values.length; i++) top = Math.max(top, Math.abs(values[i]));
  return top || 1e-30;
}

/**
 * Where the brightest half per cent begins: a window that one bright vessel does not set.
 * @param {ArrayLike<number>} values
 */
export const window995 = (values) => Float32Array.from(values).sort()[Math.floor(0.995 * values.length)] || 1;

/**
 * How far each pixel is off.
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
export const distance = (a, b) => a.map((x, i) => Math.abs(x - b[i]));

/** @type {(x: number, low: number, high: number) => number} */
export const clamp = (x, low, high) => Math.max(low, Math.min(high, x));

/** A number in few digits: 0.0312, −7.65·10⁻⁵. */
export function format(x, digits = 3) {
  if (x === 0 || !isFinite(x)) return String(x);
  const power = Math.floor(Math.log10(Math.abs(x)));
  if (power >= -2 && power < 4) return String(+x.toPrecision(digits)).replace("-", "−");
  const raised = String(power).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
  return `${(x / 10 ** power).toFixed(digits - 1)}·10${raised}`.replace("-", "−");
}
