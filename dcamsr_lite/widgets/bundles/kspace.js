// Built by `make bundles` from the modules named below: change those, not this.

// dcamsr_lite/widgets/shared/elements.js
var SVG = "http://www.w3.org/2000/svg";
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}
var make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
var shape = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
var card = (title, ...children) => make("section", { class: "dx-card" }, make("h3", {}, title), ...children);
function button(label, act, attributes = {}) {
  const element = make("button", { type: "button", ...attributes }, label);
  element.addEventListener("click", act);
  return element;
}
var announcer = () => make("div", { class: "dx-hidden", "aria-live": "polite" });
var place = (element, [rows, columns], row, column, height, width) => Object.assign(element.style, {
  top: `${100 * row / rows}%`,
  left: `${100 * column / columns}%`,
  height: `${100 * height / rows}%`,
  width: `${100 * width / columns}%`
});

// dcamsr_lite/widgets/shared/input.js
function eachFrame() {
  let pending = null;
  const flush = () => {
    const draw = pending;
    pending = null;
    draw?.();
  };
  const soon = (draw) => {
    if (!pending) requestAnimationFrame(flush);
    pending = draw;
  };
  return { soon, flush };
}
function pointIn({ clientX, clientY }, element, [rows, columns]) {
  const box = element.getBoundingClientRect();
  return [(clientY - box.top) / box.height * rows, (clientX - box.left) / box.width * columns];
}
function follow(element, size, { look, stay, leave, hover = () => {
} }) {
  const { soon, flush } = eachFrame();
  const pixel = (event) => pointIn(event, element, size).map(Math.floor);
  let down = false;
  element.addEventListener("pointerdown", (event) => {
    const [row, column] = pixel(event);
    down = true;
    element.setPointerCapture(event.pointerId);
    look(row, column);
  });
  element.addEventListener("pointermove", (event) => {
    const [row, column] = pixel(event);
    soon(() => (down ? look : hover)(row, column));
  });
  element.addEventListener("pointerup", () => {
    down = false;
    flush();
    stay();
  });
  const gone = () => {
    down = false;
    soon(leave);
  };
  element.addEventListener("pointerleave", () => down || gone());
  element.addEventListener("pointercancel", gone);
}
var ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
function steps(element, move, settled = () => {
}) {
  element.addEventListener("keydown", (event) => {
    const step = ARROWS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    move(
      step[0],
      step[1],
      /** @type {any} */
      event
    );
  });
  element.addEventListener("keyup", (event) => ARROWS[event.key] && settled());
}
var strides = (element, move, settled) => steps(
  element,
  (rows, columns, { shiftKey, target }) => {
    const far = shiftKey ? 8 : 1;
    move(far * rows, far * columns, target);
  },
  settled
);

// dcamsr_lite/widgets/shared/numbers.js
var DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&.)*+-;,:>?@^_`{|}~";
function read85(text) {
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
function half(bits) {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = bits >> 10 & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}
function stretch(bytes, bits, count) {
  const values = new Float32Array(count);
  for (let i = 0, at = 0; i < count; i++, at += bits) {
    const first = at >> 3;
    const three = bytes[first] | bytes[first + 1] << 8 | bytes[first + 2] << 16;
    values[i] = three << 32 - bits - (at & 7) >> 32 - bits;
  }
  return values;
}
var halves;
function unpack({ data, dtype, shape: shape2, scale }) {
  const bytes = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  const table = halves ??= Float32Array.from({ length: 65536 }, (_, bits) => half(bits));
  const read = {
    float32: () => new Float32Array(bytes),
    float16: () => Float32Array.from(new Uint16Array(bytes), (bits) => table[bits])
  };
  const count = shape2.reduce((a, b) => a * b, 1);
  const values = read[dtype]?.() ?? stretch(new Uint8Array(bytes), Number(dtype.slice("int".length)), count);
  const scales = [scale].flat();
  const each = values.length / scales.length;
  for (let i = 0; i < values.length; i++) values[i] *= scales[Math.floor(i / each)];
  return { values, shape: shape2 };
}
function extent(values) {
  let top = 0;
  for (let i = 0; i < values.length; i++) top = Math.max(top, Math.abs(values[i]));
  return top || 1e-30;
}
var window995 = (values) => Float32Array.from(values).sort()[Math.floor(0.995 * values.length)] || 1;
var clamp = (x, low, high) => Math.max(low, Math.min(high, x));
function format(x, digits = 3) {
  if (x === 0 || !isFinite(x)) return String(x);
  const power = Math.floor(Math.log10(Math.abs(x)));
  if (power >= -2 && power < 4) return String(+x.toPrecision(digits)).replace("-", "−");
  const raised = String(power).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
  return `${(x / 10 ** power).toFixed(digits - 1)}·10${raised}`.replace("-", "−");
}

// dcamsr_lite/widgets/shared/controls.js
function choice(label, options, read, write2, refuse = () => "", closed = true) {
  const name = `dx${Math.random()}`;
  const inputs = options.map(([value, text, hint = text]) => {
    const input = make("input", { type: "radio", name, "aria-label": `${label}: ${hint}` });
    input.addEventListener("change", () => write2(value));
    return { value, hint, input, words: make("label", { title: hint }, input, make("span", {}, text)) };
  });
  const sync = () => inputs.forEach(({ value, hint, input, words }) => {
    const refused = refuse(value);
    input.checked = read() === value;
    input.disabled = closed && Boolean(refused);
    words.classList.toggle("dx-unanswered", !closed && Boolean(refused));
    words.title = refused || hint;
    input.setAttribute("aria-label", `${label}: ${hint}${refused && `. ${refused}`}`);
  });
  const group = make("fieldset", {}, make("legend", {}, label), ...inputs.map(({ words }) => words));
  steps(group, (rows, columns, { target }) => {
    const open = inputs.filter(({ input: input2 }) => !input2.disabled);
    const at = open.findIndex(({ input: input2 }) => input2 === target) + Math.sign(rows + columns) + open.length;
    const { value, input } = open[at % open.length];
    input.checked = true;
    input.focus();
    write2(value);
  });
  return { group, sync };
}
function slider(label, { kind, hint = label, bounds: [min, max, step], text, note = () => "", snap = (value) => value }, read, write2) {
  const input = make("input", { type: "range", min, max, step, "aria-label": hint });
  const number = make("output");
  const sync = () => {
    input.value = String(read());
    number.textContent = text(read());
    input.setAttribute("aria-valuetext", number.textContent);
    group.title = note();
    group.classList.toggle("dx-unanswered", Boolean(note()));
  };
  const moved2 = (settled, way = 0) => {
    write2(snap(+input.value, way), settled);
    sync();
  };
  input.addEventListener("input", () => moved2(false));
  input.addEventListener("change", () => moved2(true));
  const keys = (rows, columns) => {
    const way = columns > rows ? 1 : -1;
    if (way > 0) input.stepUp();
    else input.stepDown();
    moved2(false, way);
  };
  steps(input, keys, () => moved2(true));
  const group = make("label", { class: kind }, make("span", {}, label), input, number);
  return { group, sync };
}

// dcamsr_lite/widgets/shared/files.js
var ascii = (text) => new TextEncoder().encode(text);
function join(parts) {
  const bytes = parts.map((part) => typeof part === "string" ? ascii(part) : part);
  const all = new Uint8Array(bytes.reduce((sum, part) => sum + part.length, 0));
  bytes.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all;
}
function crc(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let i = 0; i < 8; i++) sum = sum >>> 1 ^ (sum & 1 ? 3988292384 : 0);
  }
  return ~sum >>> 0;
}
function withResolution(png, dpi) {
  const part = new DataView(new ArrayBuffer(21));
  const perMetre = Math.round(dpi / 0.0254);
  part.setUint32(0, 9);
  [..."pHYs"].forEach((letter, i) => part.setUint8(4 + i, letter.charCodeAt(0)));
  part.setUint32(8, perMetre);
  part.setUint32(12, perMetre);
  part.setUint8(16, 1);
  const bytes = new Uint8Array(part.buffer);
  part.setUint32(17, crc(bytes.subarray(4, 17)));
  return join([png.subarray(0, 33), bytes, png.subarray(33)]);
}
function writePdf(rgb, [width, height], dpi) {
  const page = [width, height].map((x) => (72 * x / dpi).toFixed(2));
  const draw = `q ${page[0]} 0 0 ${page[1]} 0 0 cm /I Do Q`;
  const image = `<< /Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /FlateDecode /Length ${rgb.length} >>`;
  const objects = [
    ["<< /Type /Catalog /Pages 2 0 R >>"],
    ["<< /Type /Pages /Kids [3 0 R] /Count 1 >>"],
    [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${page.join(" ")}] /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >> >>`
    ],
    [`<< /Length ${draw.length} >>
stream
${draw}
endstream`],
    [`${image}
stream
`, rgb, "\nendstream"]
  ];
  const parts = ["%PDF-1.4\n"];
  const starts = [];
  const length = () => parts.reduce((sum, part) => sum + part.length, 0);
  objects.forEach((object, i) => {
    starts.push(length());
    parts.push(`${i + 1} 0 obj
`, ...object, "\nendobj\n");
  });
  const table = starts.map((at) => `${String(at).padStart(10, "0")} 00000 n 
`);
  const end = length();
  const count = objects.length + 1;
  parts.push(
    `xref
0 ${count}
0000000000 65535 f 
${table.join("")}trailer
<< /Size ${count} /Root 1 0 R >>
startxref
${end}
%%EOF
`
  );
  return join(parts);
}
function writeNpy(values, shape2) {
  const head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape2.join(", ")}${shape2.length === 1 ? "," : ""}), }`;
  const padded = `${head.padEnd(64 * Math.ceil((head.length + 11) / 64) - 11)}
`;
  const data = new DataView(new ArrayBuffer(4 * values.length));
  for (let i = 0; i < values.length; i++) data.setFloat32(4 * i, values[i], true);
  const magic = Uint8Array.of(147, 78, 85, 77, 80, 89, 1, 0, padded.length & 255, padded.length >> 8);
  return join([magic, padded, new Uint8Array(data.buffer)]);
}

// dcamsr_lite/widgets/shared/colours.js
var BLUE = [38, 116, 216];
var ORANGE = [238, 112, 8];
var VIRIDIS = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [110, 206, 88],
  [181, 222, 43],
  [253, 231, 37]
];
var grey = (t) => {
  const v = 255 * t;
  return [v, v, v, 255];
};
var viridis = (t) => {
  const x = t * (VIRIDIS.length - 1);
  const i = Math.min(Math.floor(x), VIRIDIS.length - 2);
  return [0, 1, 2].map((c) => VIRIDIS[i][c] + (x - i) * (VIRIDIS[i + 1][c] - VIRIDIS[i][c])).concat(255);
};
var signed = (t) => [...t < 0.5 ? BLUE : ORANGE, 210 * Math.abs(2 * t - 1) ** 0.7];
function palette(colour) {
  const table = new Uint8ClampedArray(4 * 511);
  for (let i = 0; i < 511; i++) table.set(colour(i / 510).map(Math.round), 4 * i);
  return new Uint32Array(table.buffer);
}
var COLOURS = { grey, viridis, signed };
var PALETTES = { grey: palette(grey), viridis: palette(viridis), signed: palette(signed) };
function paint(canvas, values, [rows, columns], low, high, name) {
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
  const table = PALETTES[name];
  const pixels = new Uint32Array(values.length);
  const step = 510 / (high - low);
  for (let i = 0; i < pixels.length; i++) {
    const at = (values[i] - low) * step + 0.5;
    pixels[i] = table[at > 0 ? at < 510 ? at | 0 : 510 : 0];
  }
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context?.putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), columns, rows), 0, 0);
}
var stopsOf = /* @__PURE__ */ new WeakMap();
var barOf = (bar) => stopsOf.get(bar) ?? [];
function colourBar(name, label) {
  const stops = Array.from({ length: 33 }, (_, i) => {
    const [r, g, b, a] = COLOURS[name](i / 32);
    return `rgba(${r | 0},${g | 0},${b | 0},${(a / 255).toFixed(3)})`;
  });
  const numbers = [0, 1, 2].map(() => make("span"));
  const words = make("small", {}, label);
  const bar = make(
    "div",
    { class: "dx-bar" },
    make("i", { style: `background:linear-gradient(90deg,${stops})` }),
    make("div", { class: "dx-ticks" }, ...numbers),
    words
  );
  const colours = Array.from({ length: 17 }, (_, i) => COLOURS[name](i / 16).map((x) => Math.round(x)));
  stopsOf.set(
    bar,
    colours.map(([r, g, b, a]) => [r, g, b, a / 255])
  );
  const set = (low, high) => numbers.forEach((span, i) => {
    span.textContent = format(low + i * (high - low) / 2, 2);
  });
  return {
    bar,
    set,
    name: (text) => {
      words.textContent = text;
    }
  };
}

// dcamsr_lite/widgets/shared/print.js
var WIDTH = 180;
var DPI = 300;
var [GAP, LINE, BAR] = [3, 4, 3];
var MARKS = ".dx-mark, .dx-run, .dx-lesion, .mx-box, .mx-line, .kx-box";
var seen = (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility !== "hidden";
var shorten = (text, most) => text.length > most ? `${text.slice(0, most - 1)}…` : text;
var write = (x, y, text, { size = 2.6, anchor = "start", weight = 400 } = {}) => shape("text", { x, y, "font-size": size, "text-anchor": anchor, "font-weight": weight }, text);
var show = (place2, canvas, style = "") => shape("image", { ...place2, preserveAspectRatio: "none", style, href: canvas.toDataURL() });
function drawPicture(frame2, { x, y, width, height }) {
  const whole = frame2.getBoundingClientRect();
  const within = (element) => {
    const box = element.getBoundingClientRect();
    return {
      x: (box.left - whole.left) / whole.width * width,
      y: (box.top - whole.top) / whole.height * height,
      width: box.width / whole.width * width,
      height: box.height / whole.height * height
    };
  };
  const parts = (names) => [...frame2.querySelectorAll(names)].filter(seen);
  return shape(
    "svg",
    { x, y, width, height },
    ...parts("canvas").map((canvas) => show(within(canvas), canvas, "image-rendering:pixelated")),
    ...parts("svg path").map((path) => {
      const { stroke, strokeWidth, fill: fill2 } = getComputedStyle(path);
      const [, , across] = (path.closest("svg")?.getAttribute("viewBox") ?? "0 0 1 1").split(" ").map(Number);
      return shape("path", {
        d: path.getAttribute("d"),
        transform: `scale(${width / across})`,
        fill: fill2,
        stroke,
        "stroke-width": parseFloat(strokeWidth),
        "stroke-linecap": "round"
      });
    }),
    ...parts(MARKS).flatMap(
      (mark) => [
        ["#000", 0.7],
        ["#fff", 0.35]
      ].map(([stroke, wide]) => shape("rect", { ...within(mark), fill: "none", stroke, "stroke-width": wide }))
    )
  );
}
function drawBar(bar, x, y, width) {
  const colours = barOf(bar);
  const canvas = make("canvas", { width: colours.length, height: 1 });
  const context = canvas.getContext("2d");
  colours.forEach(([r, g, b, a], i) => {
    if (!context) return;
    context.fillStyle = `rgba(${r},${g},${b},${a})`;
    context.fillRect(i, 0, 1, 1);
  });
  const ticks = [...bar.querySelectorAll(".dx-ticks span")].map(
    (span, i) => write(x + i * width / 2, y + BAR + 2.6, span.textContent ?? "", {
      size: 2.2,
      anchor: ["start", "middle", "end"][i]
    })
  );
  const label = shorten(bar.querySelector("small")?.textContent ?? "", Math.floor(width / 1.15));
  return [show({ x, y, width, height: BAR }, canvas), ...ticks, write(x, y + BAR + 5.4, label, { size: 2.2 })];
}
var titleOf = (frame2) => (frame2.closest("figure") ?? frame2.closest(".dx-tile"))?.querySelector("figcaption b, small")?.textContent ?? "";
function headingOf(group) {
  const before = group.previousElementSibling;
  const card2 = group.closest(".dx-card");
  const [heading2, what] = ["h3", ".dx-what"].map((part) => card2?.querySelector(part)?.textContent ?? "");
  const text = before?.matches(".dx-scale") ? `${heading2}, ${before.textContent}` : [heading2, what].filter(Boolean).join(" · ");
  return shorten(text, 120);
}
function drawFigure(root) {
  const frames = [...root.querySelectorAll(".dx-frame")].filter(seen);
  const groups = /* @__PURE__ */ new Map();
  for (const frame2 of frames) {
    const group = frame2.closest(".dx-panels, .dx-heads, .dx-lab-panels, .dx-maps, .dx-card, .dp-look, .kx-parts") ?? root;
    groups.set(group, [...groups.get(group) ?? [], frame2]);
  }
  const about = shorten(root.querySelector(".dx-about")?.textContent ?? "", 130);
  const parts = [
    write(0, LINE, root.querySelector("h2")?.textContent ?? "", { size: 3.6, weight: 600 }),
    write(0, 2.2 * LINE, about, { size: 2.2 })
  ];
  let y = 3.2 * LINE;
  const cardOf = (group) => group.closest(".dx-card");
  for (const [group, shown] of groups) {
    const across = Math.max(3, Math.min(9, shown.length));
    const width = (WIDTH - GAP * (across - 1)) / across;
    const heading2 = headingOf(group);
    if (heading2) parts.push(write(0, y += LINE, heading2, { weight: 600 }));
    for (let first = 0; first < shown.length; first += across) {
      let lowest = y;
      shown.slice(first, first + across).forEach((frame2, i) => {
        const box = frame2.getBoundingClientRect();
        const place2 = { x: i * (width + GAP), y: y + LINE, width, height: width * box.height / box.width };
        parts.push(write(place2.x, y + LINE - 1, titleOf(frame2)), drawPicture(frame2, place2));
        const end = place2.y + place2.height;
        const bar2 = frame2.closest("figure")?.querySelector(".dx-bar");
        if (bar2 && seen(bar2)) parts.push(...drawBar(bar2, place2.x, end + 1.5, width));
        lowest = Math.max(lowest, end + (bar2 ? BAR + 8 : 1));
      });
      y = lowest + 1;
    }
    const bar = cardOf(group)?.querySelector(":scope > .dx-bar");
    const last = [...groups.keys()].filter((other) => cardOf(other) === cardOf(group)).at(-1);
    if (bar && seen(bar) && group === last) {
      parts.push(...drawBar(bar, 0, y + 1, (WIDTH - 2 * GAP) / 3));
      y += BAR + 8;
    }
  }
  parts.push(write(0, y + LINE, "Not for clinical use.", { size: 2.2 }));
  const height = Math.ceil(y + 1.5 * LINE);
  const drawing = shape(
    "svg",
    {
      width: `${WIDTH}mm`,
      height: `${height}mm`,
      viewBox: `-1 0 ${WIDTH + 2} ${height}`,
      "font-family": "Helvetica, Arial, sans-serif"
    },
    shape("rect", { x: -1, width: WIDTH + 2, height, fill: "#fff" }),
    ...parts
  );
  return { text: new XMLSerializer().serializeToString(drawing), size: [WIDTH, height] };
}
async function rasterise({ text, size }) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = size.map((mm) => Math.round(mm / 25.4 * DPI));
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

// dcamsr_lite/widgets/shared/download.js
var HINTS = {
  png: `the pictures in sight, 180 mm wide at ${DPI} dots per inch`,
  svg: "the pictures in sight, their words and lines as vectors",
  pdf: `the pictures in sight on one page, at ${DPI} dots per inch, without loss`,
  npy: "the numbers of the map or image on screen, for NumPy"
};
function saveFile(name, data, type) {
  const url = URL.createObjectURL(new Blob([data], { type }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1e3);
}
async function compress(canvas) {
  const { width, height } = canvas;
  const rgba = canvas.getContext("2d")?.getImageData(0, 0, width, height).data ?? new Uint8ClampedArray();
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) rgb.set(rgba.subarray(4 * i, 4 * i + 3), 3 * i);
  const packed = new Blob([rgb]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
function downloads(root, kind) {
  const said = make("span", { role: "status" });
  const write2 = {
    svg: async () => drawFigure(root).text,
    png: async () => {
      const canvas = await rasterise(drawFigure(root));
      const blob = await new Promise((done) => canvas.toBlob((found) => done(
        /** @type {Blob} */
        found
      )));
      return withResolution(new Uint8Array(await blob.arrayBuffer()), DPI);
    },
    pdf: async () => {
      const canvas = await rasterise(drawFigure(root));
      return writePdf(await compress(canvas), [canvas.width, canvas.height], DPI);
    },
    npy: async () => {
      const numbers = root.explorer.numbers();
      if (!numbers) throw new Error("nothing to save yet");
      return writeNpy(numbers.values, numbers.size);
    }
  };
  const types = { svg: "image/svg+xml", png: "image/png", pdf: "application/pdf", npy: "application/octet-stream" };
  const each = Object.keys(HINTS).filter((ending) => ending !== "npy" || root.explorer?.numbers);
  const buttons = each.map(
    (ending) => button(
      ending.toUpperCase(),
      () => write2[ending]().then(
        (data) => {
          saveFile(`${kind}.${ending}`, data, types[ending]);
          said.textContent = `Saved ${kind}.${ending}.`;
        },
        (error) => {
          said.textContent = `Not saved: ${error.message}.`;
        }
      ),
      { title: HINTS[ending], "aria-label": `Save as ${ending.toUpperCase()}: ${HINTS[ending]}` }
    )
  );
  return make(
    "div",
    { class: "dx-save", role: "group", "aria-label": "Save the view" },
    "Save the view:",
    ...buttons,
    said
  );
}

// dcamsr_lite/widgets/shared/page.js
function guide(model) {
  const steps2 = model.get("tour");
  if (!steps2?.length) return null;
  const text = make("p", { class: "dx-step", "aria-live": "polite" });
  const place2 = make("small");
  const back = button("Back", () => go(at - 1));
  const next = button("Next", () => go(at + 1), { class: "dx-main" });
  let at = -1;
  function go(to) {
    at = Math.max(0, Math.min(steps2.length - 1, to));
    const { text: words, ...state } = steps2[at];
    text.textContent = words;
    place2.textContent = `${at + 1} of ${steps2.length}`;
    [back.disabled, next.disabled] = [at === 0, at === steps2.length - 1];
    for (const [name, value] of Object.entries(state)) model.set(name, value);
    model.save_changes();
  }
  back.disabled = true;
  text.textContent = `A tour in ${steps2.length} steps: press Next.`;
  return make("nav", { class: "dx-tour", "aria-label": "Guided tour" }, text, make("div", {}, back, next, place2));
}
function kept(model) {
  const { slice, slices: count, turns } = model.get("info");
  return model.alone && turns && count > 1 ? `this page keeps slice ${slice} alone: others need a kernel, in a notebook` : null;
}
function slices(model) {
  const { slice, slices: count, turns, refused = "" } = model.get("info");
  if (!turns || count < 2 || model.alone || model.get("slice") === void 0) return null;
  const status = make("small", { role: "status" }, refused);
  let at = slice;
  const turn = slider(
    "Slice",
    { kind: "dx-range dx-slice", hint: "Slice", bounds: [0, count - 1, 1], text: (x) => `${x}` },
    () => at,
    (value, settled) => {
      at = value;
      if (!settled || value === model.get("slice")) return;
      status.textContent = `Computing slice ${value} …`;
      model.set("slice", value);
      model.save_changes();
    }
  );
  turn.sync();
  return make("div", { class: "dx-turn" }, turn.group, status);
}
var heading = (model, title, lead, about) => make(
  "header",
  {},
  make("h2", {}, title),
  make("p", {}, lead),
  make("p", { class: "dx-about" }, [...about, kept(model)].filter(Boolean).join(" · ")),
  slices(model),
  guide(model)
);
function revive(value) {
  if (value === null || typeof value !== "object") return value;
  if (typeof value.dtype === "string") return { ...value, data: read85(value.data) };
  return Array.isArray(value) ? value.map(revive) : Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]));
}
function savedModel(state) {
  const values = revive(state);
  const listeners = {};
  return {
    alone: true,
    get: (name) => values[name],
    set: (name, value) => {
      if (JSON.stringify(values[name]) === JSON.stringify(value)) return;
      values[name] = value;
      for (const listener of listeners[`change:${name}`] ?? []) listener();
    },
    on: (event, listener) => {
      (listeners[event] ??= []).push(listener);
    },
    off: (event, listener) => {
      listeners[event] = listeners[event]?.filter((l) => l !== listener);
    },
    save_changes: () => {
    },
    send: () => {
    }
  };
}
function widget(build2, kind) {
  function render2({ model, el }) {
    const root = make("div", { class: `dcamsr-explorer dx-is-${kind}`, "data-lm-suppress-shortcuts": "true" });
    el.append(root);
    let stop;
    function show2() {
      const turning = root.querySelector(".dx-slice input") === root.ownerDocument.activeElement;
      stop?.();
      const message = model.get("message");
      const footer = make("footer", {}, "Not for clinical use.");
      if (!message && Object.keys(model.get("info")).length) {
        root.replaceChildren();
        stop = build2(model, root);
        footer.append(downloads(root, kind));
        const input = root.querySelector(".dx-slice input");
        if (turning) input?.focus();
      } else root.replaceChildren(make("p", { class: "dx-message", role: "alert" }, message || "Nothing to show."));
      root.append(footer);
    }
    show2();
    model.on("change:info", show2);
    return () => {
      model.off("change:info", show2);
      stop?.();
    };
  }
  const standalone2 = (el, state) => render2({ model: savedModel(state), el });
  return { render: render2, standalone: standalone2 };
}

// dcamsr_lite/widgets/shared/panels.js
function frame([rows, columns], ...layers) {
  const mark = make("div", { class: "dx-mark" });
  const element = make("div", { class: "dx-frame", style: `aspect-ratio:${columns}/${rows}` }, ...layers, mark);
  return { element, mark };
}
var sliceOf = ({ slice, slices: slices2 }) => `slice ${slice} (counted 0 to ${slices2 - 1})`;

// dcamsr_lite/widgets/shared/state.js
function shareState(model, names, state, changed, fit = () => {
}) {
  let writing = false;
  const read = () => {
    if (writing) return;
    Object.assign(state, Object.fromEntries(names.map((name) => [name, model.get(name)])));
    fit();
    changed();
  };
  const write2 = () => {
    writing = true;
    for (const name of names) model.set(name, state[name]);
    writing = false;
  };
  const save = () => {
    write2();
    model.save_changes();
  };
  const set = (changes) => {
    Object.assign(state, changes);
    fit();
    save();
    changed();
  };
  const bind = (name) => [() => state[name], (value) => set(
    /** @type {any} */
    { [name]: value }
  )];
  for (const name of names) model.on(`change:${name}`, read);
  const stop = () => {
    for (const name of names) model.off(`change:${name}`, read);
  };
  return { read, write: write2, save, set, bind, stop };
}

// dcamsr_lite/widgets/kspace/fft.js
var plans = /* @__PURE__ */ new Map();
function planOf(n) {
  const plan = plans.get(n) ?? new FFT(n);
  plans.set(n, plan);
  return plan;
}
var FFT = class {
  constructor(n) {
    this.n = n;
    this.re = new Float64Array(n);
    this.im = new Float64Array(n);
    this.shifted = Int32Array.from({ length: n }, (_, i) => (i + (n >> 1)) % n);
    this.transform = n & n - 1 ? bluestein(n) : radix2(n);
  }
};
function radix2(n) {
  const bits = Math.log2(n);
  const reversed = Int32Array.from({ length: n }, (_, i) => {
    let r = 0;
    for (let b = 0; b < bits; b++) r |= (i >> b & 1) << bits - 1 - b;
    return r;
  });
  const cos = Float64Array.from({ length: n / 2 }, (_, i) => Math.cos(2 * Math.PI * i / n));
  const sin = Float64Array.from({ length: n / 2 }, (_, i) => -Math.sin(2 * Math.PI * i / n));
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
    let half2 = 1;
    if (bits % 2) {
      for (let a = 0; a < n; a += 2) {
        const x = re[a + 1];
        const y = im[a + 1];
        re[a + 1] = re[a] - x;
        im[a + 1] = im[a] - y;
        re[a] += x;
        im[a] += y;
      }
      half2 = 2;
    }
    for (; half2 < n; half2 *= 4) {
      const step = n / (4 * half2);
      for (let j = 0; j < half2; j++) {
        const c1 = cos[2 * j * step];
        const s1 = sin[2 * j * step];
        const c2 = cos[j * step];
        const s2 = sin[j * step];
        const c3 = c1 * c2 - s1 * s2;
        const s3 = c1 * s2 + s1 * c2;
        for (let a = j; a < n; a += 4 * half2) {
          const b = a + half2;
          const c = b + half2;
          const d = c + half2;
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
          const oy = dx - cx;
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
function bluestein(n) {
  const inner = planOf(2 ** Math.ceil(Math.log2(2 * n - 1)));
  const m = inner.n;
  const angle = (i) => Math.PI * (i * i % (2 * n)) / n;
  const cos = Float64Array.from({ length: n }, (_, i) => Math.cos(angle(i)));
  const sin = Float64Array.from({ length: n }, (_, i) => -Math.sin(angle(i)));
  const chirpRe = new Float64Array(m);
  const chirpIm = new Float64Array(m);
  for (let i = 0; i < n; i++) {
    chirpRe[i] = chirpRe[(m - i) % m] = cos[i] / m;
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
function fft2c(re, im, [rows, columns], from = 0, to = rows) {
  const along = planOf(columns);
  const down = planOf(rows);
  const scale = 1 / Math.sqrt(rows * columns);
  for (let r = from; r < to; r++) line(re, im, r * columns, 1, along, 1);
  for (let c = 0; c < columns; c++) line(re, im, c, columns, down, scale);
}
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

// dcamsr_lite/widgets/kspace/samples.js
function uniform(i) {
  let t = Math.imul(i + 1, 1831565813);
  t = Math.imul(t ^ t >>> 15, t | 1);
  t ^= t + Math.imul(t ^ t >>> 7, t | 61);
  return (((t ^ t >>> 14) >>> 0) + 0.5) / 2 ** 32;
}
function whiteNoise(count) {
  const [re, im] = [new Float64Array(count), new Float64Array(count)];
  for (let i = 0; i < count; i++) {
    const r = Math.sqrt(-2 * Math.log(uniform(2 * i)));
    const angle = 2 * Math.PI * uniform(2 * i + 1);
    [re[i], im[i]] = [r * Math.cos(angle), r * Math.sin(angle)];
  }
  return { re, im };
}
var covered = ({ box: [row, column, height, width], shape: shape2 }, [rows]) => shape2 === "lines" ? [0, column, rows, width] : [row, column, height, width];
function weights(setting, size) {
  const [, , height, width] = covered(setting, size);
  const { shape: shape2, window } = setting;
  const taper = { none: 0, hann: 1, tukey: setting.taper }[window];
  const lines = shape2 === "lines";
  const disc = shape2 === "disc";
  const distance = (n) => Float64Array.from({ length: n }, (_, i) => Math.abs(i - (n >> 1)) / ((n + 1) / 2));
  const fall = (t) => t <= 1 - taper ? 1 : 0.5 + 0.5 * Math.cos(Math.PI * (t - 1 + taper) / taper);
  const down = lines ? new Float64Array(height) : distance(height);
  const along = distance(width);
  const [a, b] = [down.map(fall), along.map(fall)];
  const values = new Float64Array(height * width);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const radius = disc ? Math.hypot(down[i], along[j]) : 0;
      values[i * width + j] = disc ? radius <= 1 ? fall(radius) : 0 : a[i] * b[j];
    }
  }
  return values;
}
var KSpace = class {
  /** @type {ReturnType<typeof whiteNoise> | undefined} */
  noise;
  // unless it is asked for, it is not drawn
  /** @param {{ values: import("../shared/numbers.js").Floats, shape: number[] }} kspace real and imaginary parts of each coil */
  constructor({ values, shape: [coils, , rows, columns] }) {
    this.coils = coils;
    this.rows = rows;
    this.columns = columns;
    this.size = [rows, columns];
    const n = rows * columns;
    const part = (i) => Float64Array.from(values.subarray(i * n, (i + 1) * n));
    this.parts = Array.from({ length: coils }, (_, c) => [part(2 * c), part(2 * c + 1)]);
    this.power = new Float64Array(n);
    for (const [re, im] of this.parts) for (let i = 0; i < n; i++) this.power[i] += re[i] ** 2 + im[i] ** 2;
    this.energy = this.power.reduce((a, b) => a + b, 0);
    this.re = new Float64Array(n);
    this.im = new Float64Array(n);
    this.full = this.image({ box: [0, 0, rows, columns], shape: "box", window: "none", taper: 0, noise: 0 });
    this.peak = this.full.reduce((top, x) => Math.max(top, x), 0);
  }
  /**
   * Calls `put(i, from, w, nre, nim)` per sample of the box: its place there, in k-space, its weight, its noise.
   * @param {Setting} setting
   * @param {Float64Array} w
   * @param {number} coil
   * @param {(i: number, from: number, w: number, nre: number, nim: number) => void} put
   */
  eachSample(setting, w, coil, put) {
    const [row, column, , width] = covered(setting, this.size);
    const sigma = setting.noise * this.peak;
    const first = coil * this.rows * this.columns;
    const noise = sigma ? this.noise ??= whiteNoise(this.coils * this.rows * this.columns) : null;
    for (let i = 0; i < w.length; i++) {
      const from = (row + Math.floor(i / width)) * this.columns + column + i % width;
      noise ? put(i, from, w[i], sigma * noise.re[first + from], sigma * noise.im[first + from]) : put(i, from, w[i], 0, 0);
    }
  }
  /**
   * Root-sum-of-squares of the coils, zero-filled to full size, or of the box's own size.
   * @param {Setting} setting
   */
  image(setting, small = false) {
    const [row, , height, width] = covered(setting, this.size);
    const each = weights(setting, this.size);
    const [size, top] = small ? [[height, width], 0] : [this.size, row];
    const n = size[0] * size[1];
    const re = this.re.subarray(0, n);
    const im = this.im.subarray(0, n);
    const sum = new Float64Array(n);
    for (let coil = 0; coil < this.coils; coil++) {
      const [kre, kim] = this.parts[coil];
      re.fill(0);
      im.fill(0);
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
  /**
   * How much brighter the box's own small image is: the square root of all samples over those of the box.
   * @param {Setting} setting
   */
  brightening(setting) {
    const [, , height, width] = covered(setting, this.size);
    return Math.sqrt(this.rows * this.columns / (height * width));
  }
  /**
   * The shares of the samples and of the signal's energy that lie in the box.
   * @param {Setting} setting
   */
  kept(setting) {
    const { count, inside } = split(this.power, setting, this.size);
    return { samples: count / this.power.length, energy: inside / this.energy };
  }
  /**
   * Squared error of the coils' samples, in the box (noise, the window, a brightness `gain`) and outside it, where all is
   * lost: shares of the energy of k-space.
   * @param {Setting} setting
   */
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
};
function split(power, setting, size) {
  const [row, column, , width] = covered(setting, size);
  const w = weights(setting, size);
  let [count, inside, all] = [0, 0, 0];
  for (let i = 0; i < power.length; i++) all += power[i];
  for (let i = 0; i < w.length; i++) {
    if (w[i] === 0) continue;
    count++;
    inside += power[(row + Math.floor(i / width)) * size[1] + column + i % width];
  }
  return { count, inside, all };
}

// dcamsr_lite/widgets/kspace/box_panel.js
var moved = ([, , height, width], corner, size) => [
  ...corner.map((x, i) => clamp(Math.round(x), 0, size[i] - [height, width][i])),
  height,
  width
];
function sized([row, column, height, width], sides, size) {
  const centre = [row + (height >> 1), column + (width >> 1)];
  const fit = sides.map(
    (side, i) => clamp(Math.round(side), 1, Math.min(2 * centre[i] + 1, 2 * (size[i] - centre[i])))
  );
  return [...centre.map((c, i) => c - (fit[i] >> 1)), ...fit];
}
function drag(element, { size, state }, change, settled) {
  let from = null;
  function at(event) {
    const [row, column] = pointIn(event, element, size);
    return [state.shape === "lines" ? state.box[0] + state.box[2] / 2 : row, column];
  }
  function grab(event) {
    const frame2 = element.getBoundingClientRect();
    const pointer = at(event);
    const [row, column, height, width] = covered(state, size);
    const reach = event.pointerType === "touch" ? 20 : 10;
    const edges = [
      [row, height, frame2.height / size[0]],
      [column, width, frame2.width / size[1]]
    ].map(([low, length, unit], i) => {
      const inner = Math.min(reach, length * unit / 4) / unit;
      const outer = reach / unit;
      const x = pointer[i];
      const near = x > low - outer && x < low + inner || x > low + length - inner && x < low + length + outer;
      return { near, within: x > low - outer && x < low + length + outer };
    });
    if (state.shape === "lines") edges[0] = { near: false, within: true };
    const on = edges.every((edge) => edge.within);
    return { pointer, on, resize: edges.map((edge) => on && edge.near) };
  }
  function pull(event, { pointer: start, box, resize }) {
    const pointer = at(event);
    const centre = [box[0] + box[2] / 2, box[1] + box[3] / 2];
    if (!resize.some(Boolean))
      return change(
        moved(
          box,
          [0, 1].map((i) => box[i] + pointer[i] - start[i]),
          size
        )
      );
    const grown = [0, 1].map((i) => 2 * (Math.abs(pointer[i] - centre[i]) - Math.abs(start[i] - centre[i])));
    return change(
      sized(
        box,
        [0, 1].map((i) => box[2 + i] + (resize[i] ? grown[i] : 0)),
        size
      )
    );
  }
  element.addEventListener("pointerdown", (event) => {
    const { pointer, on, resize } = grab(event);
    const [, , height, width] = state.box;
    const start = on ? state.box : moved(state.box, [pointer[0] - height / 2, pointer[1] - width / 2], size);
    from = { pointer, resize, box: start, before: state.box };
    element.setPointerCapture(event.pointerId);
    change(start);
  });
  element.addEventListener("pointermove", (event) => {
    if (from) return pull(event, from);
    const {
      on,
      resize: [down, along]
    } = grab(event);
    element.style.cursor = !on ? "crosshair" : down && along ? "nwse-resize" : down ? "ns-resize" : along ? "ew-resize" : "move";
  });
  const end = () => {
    if (from) settled();
    from = null;
  };
  element.addEventListener("pointerup", end);
  element.addEventListener("pointercancel", () => {
    if (from) change(from.before);
    end();
  });
}
function boxPanel(view, actions) {
  const { size, state, data } = view;
  const canvas = make("canvas", { role: "img", "aria-label": "magnitude of k-space, logarithmic" });
  const ground = frame(size, canvas);
  const bar = colourBar("viridis", "log₁₀ of the magnitude over its largest");
  const count = make("output");
  const box = make(
    "div",
    { class: "kx-box", tabindex: 0, role: "application" },
    make("i"),
    ...["nw", "n", "ne", "e", "se", "s", "sw", "w"].map((at) => make("u", { class: `kx-${at}` }))
  );
  ground.mark.replaceWith(box);
  const strongest = extent(data.power);
  const log = data.power.map((x) => 0.5 * Math.log10(x / strongest + 1e-30));
  const measured = log.filter((x) => x > -10).sort();
  const floor = Math.min(-1, Math.max(-6, Math.floor(2 * measured[Math.floor(measured.length / 100)]) / 2));
  paint(canvas, log, size, floor, 0, "viridis");
  bar.set(floor, 0);
  function draw() {
    const [row, column, height, width] = covered(state, size);
    place(box, size, row, column, height, width);
    for (const shape2 of ["disc", "lines"]) box.classList.toggle(`kx-${shape2}`, state.shape === shape2);
    count.textContent = `${height} × ${width} of ${size.join(" × ")}`;
  }
  function said() {
    const [row, column, height, width] = covered(state, size);
    const away = [row + (height >> 1) - (size[0] >> 1), column + (width >> 1) - (size[1] >> 1)];
    const where = `Box of ${height} × ${width} samples, ${away.some(Boolean) ? `${away[0]} rows and ${away[1]} columns off the centre` : "centred"}`;
    box.setAttribute(
      "aria-label",
      `${where}. Arrow keys move it; with shift, right and down widen it, left and up narrow it.`
    );
    return where;
  }
  drag(ground.element, view, actions.drag, actions.settle);
  steps(
    box,
    (rows, columns, { shiftKey }) => {
      const [row, column, height, width] = state.box;
      const down = state.shape === "lines" ? 0 : rows;
      actions.step(
        shiftKey ? sized(state.box, [height + down, width + columns], size) : moved(state.box, [row + down, column + columns], size)
      );
    },
    actions.settle
  );
  const figure = make("figure", {}, make("figcaption", {}, make("b", {}, "k-space"), count), ground.element, bar.bar);
  return { figure, draw, said };
}

// dcamsr_lite/widgets/kspace/controls.js
function controlPanel({ size, state }, bind, slide) {
  const rescale = choice(
    "Brightness",
    [
      [true, "rescaled", "divided by the brightening of the crop"],
      [false, "as it comes"]
    ],
    ...bind("rescale")
  );
  const choices = [
    choice(
      "Shape",
      [
        ["box", "box"],
        ["lines", "lines", "phase-encoding lines, the readout whole"],
        ["disc", "disc"]
      ],
      ...bind("shape")
    ),
    choice(
      "Window",
      [
        ["none", "none"],
        ["hann", "Hann"],
        ["tukey", "Tukey"]
      ],
      ...bind("window")
    ),
    choice(
      "Matrix",
      [
        ["zero-filled", "zero-filled", "zero-filled to full size"],
        ["acquired", "as acquired", "the small image as acquired"]
      ],
      ...bind("matrix")
    ),
    rescale,
    choice(
      "Grey",
      [
        [false, "fixed", "white as in the full image"],
        [true, "stretched", "white as in this image: what a faint one holds"]
      ],
      ...bind("stretch")
    )
  ];
  const share = (name, label, whole, bounds) => slider(
    label,
    { kind: "kx-slider", bounds, text: (x) => `${format(100 * x)} % of ${whole}` },
    () => state[name],
    (value, settled) => slide({ [name]: value }, settled)
  );
  const taper = share("taper", "Tukey width", "the box", [0, 1, 0.05]);
  const noise = share("noise", "Noise", "maximum", [0, 0.2, 5e-3]);
  const centred = (sides) => [...size.map((n, i) => (n >> 1) - (sides[i] >> 1)), ...sides];
  const [, setBox] = bind("box");
  const preset = (text, hint, sides) => {
    const element2 = button(text, () => setBox(centred(sides())), { title: hint, "aria-label": `Box: ${hint}` });
    return {
      element: element2,
      sync: () => element2.setAttribute("aria-pressed", String(String(centred(sides())) === String(state.box)))
    };
  };
  const presets = [
    [1, "full"],
    [2, "2×"],
    [4, "4×"],
    [8, "8×"]
  ].map(
    ([scale, text]) => preset(
      text,
      scale === 1 ? "all of k-space" : `the centre 1/${scale} of each axis`,
      () => size.map((n) => Math.max(1, Math.floor(n / +scale)))
    )
  );
  const centre = preset("centre", "moved to the centre", () => state.box.slice(2)).element;
  const element = make(
    "div",
    { class: "dx-controls" },
    make(
      "div",
      { class: "kx-presets", role: "group", "aria-label": "Box" },
      make("small", {}, "Box"),
      ...presets.map((p) => p.element),
      centre
    ),
    ...choices.map((c) => c.group),
    taper.group,
    noise.group
  );
  function sync() {
    for (const part of [...choices, noise, taper]) part.sync();
    rescale.group.hidden = state.matrix !== "acquired";
    taper.group.hidden = state.window !== "tukey";
  }
  return { element, sync, syncPresets: () => presets.forEach((p) => p.sync()) };
}

// dcamsr_lite/widgets/kspace/quality.js
var WINDOW = 7;
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
function windowMeans(values, [rows, columns]) {
  const wide = columns - WINDOW + 1;
  const high = rows - WINDOW + 1;
  const sums = new Float64Array(rows * wide);
  const means = new Float64Array(high * wide);
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
var Quality = class {
  /**
   * @param {Float64Array} target
   * @param {number[]} size
   */
  constructor(target, size) {
    this.target = target;
    this.size = size;
    this.peak = target.reduce((top, x) => Math.max(top, x), -Infinity);
    this.energy = target.reduce((sum, x) => sum + x * x, 0);
    this.means = windowMeans(target, size);
    this.squares = windowMeans(times(target, target), size);
  }
  /** @param {Float64Array} image */
  psnr(image) {
    let error = 0;
    for (let i = 0; i < image.length; i++) error += (image[i] - this.target[i]) ** 2;
    return 10 * Math.log10(this.peak ** 2 * image.length / error);
  }
  /** @param {Float64Array} image */
  ssim(image) {
    const means = windowMeans(image, this.size);
    const squares = windowMeans(times(image, image), this.size);
    const products = windowMeans(times(image, this.target), this.size);
    const c1 = (0.01 * this.peak) ** 2;
    const c2 = (0.03 * this.peak) ** 2;
    const sample = WINDOW ** 2 / (WINDOW ** 2 - 1);
    let sum = 0;
    for (let i = 0; i < means.length; i++) {
      const a = this.means[i];
      const b = means[i];
      const va = sample * (this.squares[i] - a * a);
      const vb = sample * (squares[i] - b * b);
      const both = sample * (products[i] - a * b);
      sum += (2 * a * b + c1) * (2 * both + c2) / ((a * a + b * b + c1) * (va + vb + c2));
    }
    return sum / means.length;
  }
  /**
   * Squared error of the magnitude image in the box's band and outside it: shares of the target's energy, together the NMSE.
   * @param {Float64Array} image
   * @param {import("./samples.js").Setting} setting
   */
  bands(image, setting) {
    const re = minus(image, this.target);
    const im = new Float64Array(re.length);
    const power = re;
    fft2c(re, im, this.size);
    for (let i = 0; i < re.length; i++) power[i] = re[i] * re[i] + im[i] * im[i];
    const { all, inside } = split(power, setting, this.size);
    return {
      nmse: all / this.energy,
      measured: inside / this.energy,
      removed: Math.max(0, all - inside) / this.energy
    };
  }
  /**
   * The image's mean over the target's, where the target is above a tenth of its peak: a noise floor is no brightness.
   * @param {Float64Array} image
   */
  brightness(image) {
    let [sum, own] = [0, 0];
    for (let i = 0; i < image.length; i++)
      if (this.target[i] > 0.1 * this.peak) {
        sum += image[i];
        own += this.target[i];
      }
    return sum / own;
  }
  /**
   * @param {Float64Array} image
   * @param {import("./samples.js").Setting} setting
   */
  all(image, setting) {
    return {
      psnr: this.psnr(image),
      ssim: this.ssim(image),
      brightness: this.brightness(image),
      ...this.bands(image, setting)
    };
  }
};

// dcamsr_lite/widgets/kspace/view.js
var View = class {
  /** @type {State} */
  state = (
    /** @type {any} */
    { stretch: false }
  );
  /** @param {import("../shared/page.js").Model} model */
  constructor(model) {
    this.info = model.get("info");
    this.size = this.info.shape;
    this.data = new KSpace(unpack(model.get("images").kspace));
    this.judge = new Quality(this.data.full, this.size);
    this.white = window995(this.data.full);
  }
  /**
   * The zero-filled image of a setting, as bright as it is shown, and how good it is.
   * @param {State} setting
   */
  judged(setting) {
    const image = this.data.image(setting);
    const gain = setting.rescale || setting.matrix === "zero-filled" ? 1 : this.data.brightening(setting);
    if (gain !== 1) for (let i = 0; i < image.length; i++) image[i] *= gain;
    return { image, quality: { ...this.judge.all(image, setting), ...this.data.error(setting, gain) } };
  }
  /** Read the profile through another pixel. */
  look(row, column) {
    this.state.point = [row, column].map((x, i) => clamp(x, 0, this.size[i] - 1));
  }
};
var percent = (share) => share > 1e-12 ? `${format(100 * share)} %` : "0 %";
var ladder = (share) => {
  const ten = 10 ** Math.floor(Math.log10(share));
  return ten * ([1, 2, 5].find((x) => x * ten >= share * 0.999) ?? 10);
};

// dcamsr_lite/widgets/kspace/picture_panels.js
function picturePanels(view, pointer) {
  const { size, state, data, white } = view;
  const [rows, columns] = size;
  const { full, peak } = data;
  function picture(title, label, colours) {
    const canvas = make("canvas", { role: "img", "aria-label": label });
    const rule = make("div", { class: "kx-rule" });
    const heading2 = make("b", {}, title);
    const value = make("output");
    const bar = colourBar(colours, "% of the full image's maximum");
    const framed = frame(size, canvas, rule);
    follow(framed.element, size, pointer);
    const figure = make("figure", {}, make("figcaption", {}, heading2, value), framed.element, bar.bar);
    return { canvas, rule, heading: heading2, value, bar, figure, ...framed };
  }
  const shown = picture("Image", "", "grey");
  const missed = picture("Minus the full image", "difference from the full image", "signed");
  Object.entries({
    tabindex: "0",
    role: "application",
    "aria-label": "Place of the profile. Arrow keys move it one pixel, with shift eight."
  }).forEach(([name, value]) => shown.element.setAttribute(name, value));
  strides(shown.element, (dr, dc) => pointer.look(state.point[0] + dr, state.point[1] + dc), pointer.stay);
  function draw(image) {
    const [, , height, width] = covered(state, size);
    const acquired = state.matrix === "acquired";
    const divided = state.rescale ? data.brightening(state) : 1;
    const grey2 = acquired ? data.image(state, true).map((x) => x / divided) : image;
    const top = state.stretch ? window995(grey2) : white;
    paint(shown.canvas, grey2, acquired ? [height, width] : size, 0, top, "grey");
    shown.bar.set(0, 100 * top / peak);
    shown.heading.textContent = acquired ? `Image, ${height} × ${width} as acquired` : "Image, zero-filled";
    shown.canvas.setAttribute("aria-label", shown.heading.textContent);
    const difference = minus(image, full);
    const high = ladder(Math.max(0.6 * extent(difference), 1e-3 * peak) / peak);
    paint(missed.canvas, difference, size, -high * peak, high * peak, "signed");
    missed.bar.set(-100 * high, 100 * high);
  }
  function point(image) {
    const [r, c] = state.point;
    const row = state.along === "row";
    const at = r * columns + c;
    for (const { rule, mark } of [shown, missed]) {
      place(rule, size, row ? r : 0, row ? 0 : c, row ? 1 : rows, row ? columns : 1);
      place(mark, size, r + 0.5, c + 0.5, 1, 1);
    }
    shown.value.textContent = `□ ${format(100 * image[at] / peak)} %`;
    missed.value.textContent = `□ ${format(100 * (image[at] - full[at]) / peak)} %`;
  }
  return { figures: [shown.figure, missed.figure], draw, point };
}

// dcamsr_lite/widgets/kspace/profile_panel.js
function profileChart() {
  const [height, left, right, top, bottom] = [250, 38, 8, 28, 34];
  let width = 720;
  let drawn = "";
  let last;
  const grid = shape("g");
  const [whole, part] = ["kx-whole", "kx-part"].map((name) => shape("path", { class: name }));
  const cursor = shape("line", { class: "kx-cursor", y1: top, y2: height - bottom });
  const legend = [
    ["full k-space", "kx-whole"],
    ["the box alone", "kx-part"]
  ].map(([text, name], i) => {
    const x = left + 12 + 116 * i;
    return shape(
      "g",
      {},
      shape("path", { class: name, d: `M${x} 10h22` }),
      shape("text", { x: x + 28, y: 13.5 }, text)
    );
  });
  const svg = shape(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      class: "kx-profile",
      "aria-label": "profile of the full image and of the box's image"
    },
    grid,
    cursor,
    whole,
    part,
    ...legend
  );
  function plot(full, box, at, unit) {
    last = [full, box, at, unit];
    const n = full.length;
    const high = 1.05 * Math.max(...full, ...box, 1);
    const step = 100 * ladder(high / 600);
    const x = (i) => left + (i + 0.5) / n * (width - left - right);
    const y = (v) => height - bottom - v / high * (height - top - bottom);
    const path = (values) => values.map((v, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join("");
    whole.setAttribute("d", path(full));
    part.setAttribute("d", path(box));
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, String(x(at)));
    const key = [high.toPrecision(4), n, unit, width].join();
    if (key === drawn) return;
    drawn = key;
    const levels = Array.from({ length: Math.floor(high / step) + 1 }, (_, i) => i * step);
    const every = 10 * 2 ** Math.max(0, Math.ceil(Math.log2(n / (width / 9))));
    const pixels = Array.from({ length: Math.ceil(n / every) }, (_, i) => i * every);
    grid.replaceChildren(
      ...levels.flatMap((v) => [
        shape("line", { x1: left, x2: width - right, y1: y(v), y2: y(v) }),
        shape("text", { x: left - 6, y: y(v) + 3.5, "text-anchor": "end" }, format(v))
      ]),
      ...pixels.map((i) => shape("text", { x: x(i), y: height - bottom + 14, "text-anchor": "middle" }, String(i))),
      shape("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, unit)
    );
  }
  const fitted = new ResizeObserver(() => {
    const room = Math.max(280, Math.round(svg.clientWidth));
    if (room === width || !svg.clientWidth) return;
    width = room;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    if (last) plot(...last);
  });
  fitted.observe(svg);
  return { svg, draw: plot, stop: () => fitted.disconnect() };
}
function profilePanel(view, bind) {
  const {
    size: [rows, columns],
    state,
    data: { full, peak }
  } = view;
  const chart = profileChart();
  const along = choice(
    "along a",
    [
      ["row", "row", "row"],
      ["column", "column", "column"]
    ],
    ...bind("along")
  );
  const what = make("p", { class: "dx-reading" });
  const element = card("Profile", make("div", { class: "dx-controls" }, along.group, what), chart.svg);
  function draw(image) {
    const [r, c] = state.point;
    const row = state.along === "row";
    const n = row ? columns : rows;
    const cut = (values) => Array.from({ length: n }, (_, i) => 100 * values[row ? r * columns + i : i * columns + c] / peak);
    chart.draw(cut(full), cut(image), row ? c : r, row ? "column" : "row");
    what.textContent = `${row ? `row ${r}` : `column ${c}`}, % of the full image's maximum`;
  }
  return { element, draw, sync: along.sync, stop: chart.stop };
}

// dcamsr_lite/widgets/kspace/quality_panel.js
function qualityPanel() {
  const tiles = Object.fromEntries(
    [
      ["psnr", "PSNR"],
      ["ssim", "SSIM"],
      ["brightness", "Brightness"],
      ["nmse", "NMSE"],
      ["samples", "Samples kept"],
      ["energy", "Energy kept"]
    ].map(([name, label]) => [name, { value: make("b"), label }])
  );
  const shares = [
    ["inside", "In the box"],
    ["outside", "Outside it"]
  ].map(([name, label]) => {
    const fill2 = make("i");
    const value = make("span");
    return {
      name,
      fill: fill2,
      value,
      line: make("div", { class: `kx-share kx-${name}` }, make("span", {}, label), make("div", {}, fill2), value)
    };
  });
  const folded = make("p", { class: "dx-reading" });
  const element = card(
    "How good is it?",
    make(
      "div",
      { class: "kx-tiles" },
      ...Object.values(tiles).map(({ label, value }) => make("div", {}, make("small", {}, label), value))
    ),
    make("h3", {}, "Squared error in k-space, share of its energy"),
    ...shares.map(({ line: line2 }) => line2),
    folded
  );
  function draw(quality, kept2) {
    const { psnr, ssim, nmse, brightness, measured, removed } = quality;
    tiles.nmse.value.textContent = percent(nmse);
    tiles.psnr.value.textContent = isFinite(psnr) ? `${psnr.toFixed(2)} dB` : "∞";
    tiles.ssim.value.textContent = ssim.toFixed(4);
    tiles.brightness.value.textContent = `${brightness.toFixed(3)} ×`;
    tiles.samples.value.textContent = percent(kept2.samples);
    tiles.energy.value.textContent = percent(kept2.energy);
    const most = Math.max(quality.inside, quality.outside);
    for (const { name, fill: fill2, value } of shares) {
      fill2.style.width = `${most > 1e-12 ? 100 * quality[name] / most : 0}%`;
      value.textContent = percent(quality[name]);
    }
    folded.textContent = `In: noise, the window, a wrong brightness. Outside: lost. The magnitude mixes the two; its image has ${percent(measured)} in, ${percent(removed)} outside, together the NMSE.`;
  }
  const said = () => `PSNR ${tiles.psnr.value.textContent}, SSIM ${tiles.ssim.value.textContent}, brightness ${tiles.brightness.value.textContent}`;
  return { element, draw, said };
}

// dcamsr_lite/widgets/kspace/explorer.js
var NAMES = ["box", "shape", "noise", "window", "taper", "matrix", "rescale", "point", "along"];
function build(model, root) {
  const view = new View(model);
  const { info, size, state, data } = view;
  const { soon, flush } = eachFrame();
  const shared = shareState(model, NAMES, state, update);
  const settle = () => {
    flush();
    shared.save();
    say();
  };
  const slide = (changes, settled) => {
    Object.assign(state, changes);
    settled ? settle() : soon(draw);
  };
  const show2 = (next) => {
    state.box = next;
    draw();
  };
  const look = (row, column) => {
    view.look(row, column);
    drawProfile();
  };
  const leave = () => {
    state.point = model.get("point");
    drawProfile();
  };
  const controls = controlPanel(view, shared.bind, slide);
  const numbers = qualityPanel();
  const box = boxPanel(view, { drag: (next) => slide({ box: next }, false), step: show2, settle });
  const pictures = picturePanels(view, { look, stay: settle, leave });
  const profile = profilePanel(view, shared.bind);
  const live = announcer();
  root.append(
    heading(
      model,
      "What does each part of k-space hold?",
      "Drag the box on k-space: its inside moves it, its edges and corners size it. The image keeps only what lies in the box.",
      [
        info.title,
        info.origin,
        info.coils > 1 ? `${info.coils} coils` : null,
        sliceOf(info),
        ...info.files,
        ...info.notes
      ]
    ),
    controls.element,
    make("div", { class: "kx-parts" }, box.figure, ...pictures.figures, profile.element, numbers.element),
    live
  );
  let image;
  function draw() {
    const shown = view.judged(state);
    image = shown.image;
    box.draw();
    pictures.draw(image);
    numbers.draw(shown.quality, data.kept(state));
    drawProfile();
    controls.syncPresets();
  }
  function drawProfile() {
    profile.draw(image);
    pictures.point(image);
  }
  function update() {
    controls.sync();
    profile.sync();
    draw();
    say();
  }
  function say() {
    live.textContent = `${box.said()}. ${numbers.said()}.`;
  }
  shared.read();
  root.explorer = {
    image: (setting, small) => data.image(setting, small),
    quality: (setting) => view.judged(setting).quality,
    weights: (setting) => weights(setting, size),
    full: data.full,
    state,
    format,
    show: show2,
    numbers: () => ({ values: image, size: view.size })
  };
  return () => {
    profile.stop();
    shared.stop();
  };
}
var { render, standalone } = widget(build, "kspace");
var explorer_default = { render };
export {
  explorer_default as default,
  standalone
};
