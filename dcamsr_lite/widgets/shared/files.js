// Files that the browser writes by itself: PNG with its resolution, PDF of one picture, NumPy's NPY. Runs in Node.

const ascii = (text) => new TextEncoder().encode(text);
/** @param {(Uint8Array | string)[]} parts */
function join(parts) {
  const bytes = parts.map((part) => (typeof part === "string" ? ascii(part) : part));
  const all = new Uint8Array(bytes.reduce((sum, part) => sum + part.length, 0));
  bytes.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all;
}

/** The check sum that ends a part of a PNG. */
function crc(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let i = 0; i < 8; i++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

/**
 * A PNG that says how large it is in print: the part pHYs, after the header.
 * @param {Uint8Array} png
 * @param {number} dpi
 */
export function withResolution(png, dpi) {
  const part = new DataView(new ArrayBuffer(21));
  const perMetre = Math.round(dpi / 0.0254);
  part.setUint32(0, 9);
  [..."pHYs"].forEach((letter, i) => part.setUint8(4 + i, letter.charCodeAt(0)));
  part.setUint32(8, perMetre);
  part.setUint32(12, perMetre);
  part.setUint8(16, 1); // per metre
  const bytes = new Uint8Array(part.buffer);
  part.setUint32(17, crc(bytes.subarray(4, 17)));
  return join([png.subarray(0, 33), bytes, png.subarray(33)]);
}

/**
 * One page that is one picture, without loss.
 * @param {Uint8Array} rgb compressed as zlib does it
 * @param {number[]} size in pixels, width and height
 * @param {number} dpi
 */
export function writePdf(rgb, [width, height], dpi) {
  const page = [width, height].map((x) => ((72 * x) / dpi).toFixed(2));
  const draw = `q ${page[0]} 0 0 ${page[1]} 0 0 cm /I Do Q`;
  const image = `<< /Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /FlateDecode /Length ${rgb.length} >>`;
  const objects = [
    ["<< /Type /Catalog /Pages 2 0 R >>"],
    ["<< /Type /Pages /Kids [3 0 R] /Count 1 >>"],
    [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${page.join(" ")}] /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >> >>`,
    ],
    [`<< /Length ${draw.length} >>\nstream\n${draw}\nendstream`],
    [`${image}\nstream\n`, rgb, "\nendstream"],
  ];
  /** @type {(Uint8Array | string)[]} */
  const parts = ["%PDF-1.4\n"];
  const starts = [];
  const length = () => parts.reduce((sum, part) => sum + part.length, 0);
  objects.forEach((object, i) => {
    starts.push(length());
    parts.push(`${i + 1} 0 obj\n`, ...object, "\nendobj\n");
  });
  const table = starts.map((at) => `${String(at).padStart(10, "0")} 00000 n \n`);
  const end = length();
  const count = objects.length + 1;
  parts.push(
    `xref\n0 ${count}\n0000000000 65535 f \n${table.join("")}trailer\n<< /Size ${count} /Root 1 0 R >>\nstartxref\n${end}\n%%EOF\n`,
  );
  return join(parts);
}

/**
 * Numbers as NumPy reads them: float32, row-major.
 * @param {ArrayLike<number>} values
 * @param {number[]} shape
 */
export function writeNpy(values, shape) {
  const head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(", ")}${shape.length === 1 ? "," : ""}), }`;
  const padded = `${head.padEnd(64 * Math.ceil((head.length + 11) / 64) - 11)}\n`; // all of it a multiple of 64
  const data = new DataView(new ArrayBuffer(4 * values.length));
  for (let i = 0; i < values.length; i++) data.setFloat32(4 * i, values[i], true);
  const magic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length & 255, padded.length >> 8);
  return join([magic, padded, new Uint8Array(data.buffer)]);
}
