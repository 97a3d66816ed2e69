// Bytes from the kernel to numbers, and numbers to text. Alone, this file runs in Node.

/** The number that 16 bits hold as IEEE binary16: browsers may lack Float16Array. */
export function half(bits) {
  const sign = bits >> 15 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

let halves;
/** {data: DataView, dtype, shape, scale} -> {values: Float32Array, shape}. */
export function unpack({ data, dtype, shape, scale }) {
  // copied first: a view into a message may start at an odd byte
  const bytes = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  if (dtype === "float32") return { values: new Float32Array(bytes).map((x) => x * scale), shape };
  if (dtype === "int16") return { values: Float32Array.from(new Int16Array(bytes), (x) => x * scale), shape };
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => half(bits));
  return { values: Float32Array.from(new Uint16Array(bytes), (x) => halves[x] * scale), shape };
}

/** The largest magnitude; never zero, since it divides. */
export const extent = (values) => values.reduce((top, x) => Math.max(top, Math.abs(x)), 0) || 1e-30;

/** A number in few digits: 0.0312, −7.65·10⁻⁵. */
export function format(x, digits = 3) {
  if (x === 0 || !isFinite(x)) return String(x);
  const power = Math.floor(Math.log10(Math.abs(x)));
  if (power >= -2 && power < 4) return String(+x.toPrecision(digits)).replace("-", "−");
  const raised = String(power).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
  return `${(x / 10 ** power).toFixed(digits - 1)}·10${raised}`.replace("-", "−");
}
