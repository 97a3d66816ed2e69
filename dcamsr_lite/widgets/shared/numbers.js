// Bytes from the kernel to numbers, and numbers to text. Alone, this file runs in Node.

/** The number that 16 bits hold as IEEE binary16: browsers may lack Float16Array. */
export function half(bits) {
  const sign = bits >> 15 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

/** Signed 12-bit numbers, two in three bytes, low bits first. */
const twelve = (bytes, count) => Float32Array.from({ length: count }, (_, i) => {
  const at = 3 * (i >> 1);
  return (i & 1 ? (bytes[at + 1] >> 4) | (bytes[at + 2] << 4) : bytes[at] | ((bytes[at + 1] & 15) << 8)) << 20 >> 20;
});

let halves;
/** {data: DataView, dtype, shape, scale} -> {values: Float32Array, shape}; a list of scales is one per picture. */
export function unpack({ data, dtype, shape, scale }) {
  // copied first: a view into a message may start at an odd byte
  const bytes = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => half(bits));
  const read = {
    float32: () => new Float32Array(bytes),
    float16: () => Float32Array.from(new Uint16Array(bytes), (bits) => halves[bits]),
    int16: () => Float32Array.from(new Int16Array(bytes)),
    int12: () => twelve(new Uint8Array(bytes), shape.reduce((a, b) => a * b)),
    int8: () => Float32Array.from(new Int8Array(bytes)),
  };
  const values = read[dtype](), scales = [scale].flat(), each = values.length / scales.length;
  for (let i = 0; i < values.length; i++) values[i] *= scales[Math.floor(i / each)];
  return { values, shape };
}

/** The largest magnitude; never zero, since it divides. */
export function extent(values) {
  let top = 0; // a loop: reduce took a quarter of the time of all heads side by side
  for (let i = 0; i < values.length; i++) top = Math.max(top, Math.abs(values[i]));
  return top || 1e-30;
}

/** A number in few digits: 0.0312, −7.65·10⁻⁵. */
export function format(x, digits = 3) {
  if (x === 0 || !isFinite(x)) return String(x);
  const power = Math.floor(Math.log10(Math.abs(x)));
  if (power >= -2 && power < 4) return String(+x.toPrecision(digits)).replace("-", "−");
  const raised = String(power).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
  return `${(x / 10 ** power).toFixed(digits - 1)}·10${raised}`.replace("-", "−");
}
