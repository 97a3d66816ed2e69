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
var unpackAll = (packed) => Object.fromEntries(Object.entries(packed).map(([name, image]) => [name, unpack(image).values]));
function extent(values) {
  let top = 0;
  for (let i = 0; i < values.length; i++) top = Math.max(top, Math.abs(values[i]));
  return top || 1e-30;
}
var window995 = (values) => Float32Array.from(values).sort()[Math.floor(0.995 * values.length)] || 1;
var distance = (a, b) => a.map((x, i) => Math.abs(x - b[i]));
var clamp = (x, low, high) => Math.max(low, Math.min(high, x));
function format(x, digits = 3) {
  if (x === 0 || !isFinite(x)) return String(x);
  const power = Math.floor(Math.log10(Math.abs(x)));
  if (power >= -2 && power < 4) return String(+x.toPrecision(digits)).replace("-", "−");
  const raised = String(power).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
  return `${(x / 10 ** power).toFixed(digits - 1)}·10${raised}`.replace("-", "−");
}

// dcamsr_lite/widgets/shared/controls.js
function choice(label, options, read, write3, refuse = () => "", closed = true) {
  const name = `dx${Math.random()}`;
  const inputs = options.map(([value, text, hint = text]) => {
    const input = make("input", { type: "radio", name, "aria-label": `${label}: ${hint}` });
    input.addEventListener("change", () => write3(value));
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
    write3(value);
  });
  return { group, sync };
}
function slider(label, { kind, hint = label, bounds: [min, max, step], text, note = () => "", snap = (value) => value }, read, write3) {
  const input = make("input", { type: "range", min, max, step, "aria-label": hint });
  const number = make("output");
  const sync = () => {
    input.value = String(read());
    number.textContent = text(read());
    input.setAttribute("aria-valuetext", number.textContent);
    group.title = note();
    group.classList.toggle("dx-unanswered", Boolean(note()));
  };
  const moved = (settled, way = 0) => {
    write3(snap(+input.value, way), settled);
    sync();
  };
  input.addEventListener("input", () => moved(false));
  input.addEventListener("change", () => moved(true));
  const keys = (rows, columns) => {
    const way = columns > rows ? 1 : -1;
    if (way > 0) input.stepUp();
    else input.stepDown();
    moved(false, way);
  };
  steps(input, keys, () => moved(true));
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
  const head2 = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape2.join(", ")}${shape2.length === 1 ? "," : ""}), }`;
  const padded = `${head2.padEnd(64 * Math.ceil((head2.length + 11) / 64) - 11)}
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
  const write3 = {
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
      () => write3[ending]().then(
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
function panel(title, size, { colours = "grey", unit, note = null } = {}) {
  const canvas = make("canvas", { role: "img", "aria-label": title });
  const value = make("output");
  const { element, mark } = frame(size, canvas);
  const scale = unit ? colourBar(colours, unit) : null;
  const figure = make(
    "figure",
    {},
    make("figcaption", {}, make("b", {}, title), value),
    element,
    scale ? scale.bar : note
  );
  const low = colours === "signed" ? -1 : 0;
  const draw = (values, high, shown = high) => {
    paint(canvas, values, size, low * high, high, colours);
    scale?.set(low * shown, shown);
  };
  return { figure, element, mark, value, draw };
}
function qualityNote(quality, name) {
  if (!quality) return null;
  const percent = (x) => `${format(100 * x, 2)} %`;
  return make(
    "small",
    { class: "dx-quality" },
    ...[
      `${name === "low" ? "zero-filled, " : ""}PSNR ${quality.psnr}`,
      `error ${percent(quality.measured)} measured`,
      `+ ${percent(quality.removed)} removed`
    ].map((line2) => make("span", {}, line2))
  );
}
var sliceOf = ({ slice, slices: slices2 }) => `slice ${slice} (counted 0 to ${slices2 - 1})`;
var greysOf = ({ windows }) => `grey: black 0, white ${format(windows.output)} (reference ${format(windows.reference)}), arbitrary units of the files`;
var QUALITY = "PSNR of this slice, its peak the slice's largest value, as wherever one slice is shown (a volume's PSNR, as in tables of volumes, takes the volume's largest value and is another number). Error: squared, in % of the target's energy, split in k-space: measured is the centre, which the input keeps (of simulated data: as if it had been measured); removed is the rest, which the network must guess.";

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
  const write3 = () => {
    writing = true;
    for (const name of names) model.set(name, state[name]);
    writing = false;
  };
  const save = () => {
    write3();
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
  return { read, write: write3, save, set, bind, stop };
}

// dcamsr_lite/widgets/attention/level.js
function taps({ values, shape: [rows, columns] }) {
  return Array.from({ length: rows }, (_, i) => {
    const row = values.subarray(i * columns, (i + 1) * columns);
    const start = row.findIndex((x) => x !== 0);
    return { start, weights: row.slice(start, row.findLastIndex((x) => x !== 0) + 1) };
  });
}
function addFour(sum, weights, footprints) {
  const [a, b, c, d] = Array.from(weights);
  const [f, g, h, k] = footprints;
  for (let j = 0; j < sum.length; j++) sum[j] += a * f[j] + b * g[j] + c * h[j] + d * k[j];
}
var Level = class {
  /** @param {PackedLevel} packed */
  constructor(packed) {
    const [rows, columns] = packed.grid;
    const side = packed.window;
    const footprints = side || !packed.footprints ? { shape: [(side ?? 0) ** 2, rows, columns], values: new Float32Array() } : unpack(packed.footprints);
    const [p, heldRows, heldColumns] = footprints.shape;
    this.rows = rows;
    this.columns = columns;
    const [heads, , d] = packed.queries ? packed.queries.shape : [packed.heads, 0, packed.d];
    this.heads = heads;
    this.n = rows * columns;
    this.d = d;
    this.p = p;
    this.heldRows = heldRows;
    this.heldColumns = heldColumns;
    this.window = side;
    this.around = [0, 0];
    this.queries = packed.queries ? unpack(packed.queries).values : new Float32Array();
    this.keys = packed.keys ? unpack(packed.keys).values : new Float32Array();
    this.attention = packed.attention ? unpack(packed.attention) : null;
    this.footprints = footprints.values;
    this.channel = packed.channel && Object.fromEntries(Object.entries(packed.channel).map(([k, v]) => [k, unpack(v)]));
    this.entropy = packed.entropy;
    this.common = unpack(packed.common).values;
    this.own = packed.own;
    this.norms = packed.norms ? unpack(packed.norms) : null;
    this.taps = packed.resample && packed.resample.map((m) => taps(unpack(m)));
  }
  /**
   * Attention of one query on the p tokens, as sent or softmax(q . k), of one head or the mean (null).
   * @param {number | null} head
   * @param {number} token
   */
  weights(head2, token) {
    const { p, d, n } = this;
    const mean = new Float64Array(p);
    const one = new Float64Array(p);
    const heads = head2 === null ? [...Array(this.heads).keys()] : [head2];
    this.around = [Math.floor(token / this.columns), token % this.columns];
    for (const h of heads) {
      if (this.attention) {
        const start = (h % this.attention.shape[0] * n + token) * p;
        for (let i = 0; i < p; i++) mean[i] += this.attention.values[start + i] / heads.length;
        continue;
      }
      const q = (h * n + token) * d;
      let top = -Infinity;
      let total = 0;
      for (let i = 0; i < p; i++) {
        const k = (this.window ? h * n + this.pixel(i) : h * p + i) * d;
        let logit = 0;
        for (let j = 0; j < d; j++) logit += this.queries[q + j] * this.keys[k + j];
        one[i] = logit;
        if (logit > top) top = logit;
      }
      for (let i = 0; i < p; i++) total += one[i] = Math.exp(one[i] - top);
      for (let i = 0; i < p; i++) mean[i] += one[i] / total / heads.length;
    }
    return mean;
  }
  /** Window attention: where token i of the last query lies; beyond the border, the nearest pixel. */
  pixel(i) {
    const { rows, columns, around: around2 } = this;
    const window = this.window ?? 1;
    const half2 = (window - 1) / 2;
    const row = around2[0] + Math.floor(i / window) - half2;
    const column = around2[1] + i % window - half2;
    return clamp(row, 0, rows - 1) * columns + clamp(column, 0, columns - 1);
  }
  /**
   * sum_p weights[p] F[p, j].
   * @param {Float64Array} weights
   */
  lift(weights) {
    return this.lifts([weights])[0];
  }
  /**
   * Of several at once, so that each footprint is read once; those held on a coarse grid are summed there, then resampled.
   * @param {Float64Array[]} all
   */
  lifts(all) {
    const size = this.heldRows * this.heldColumns;
    const part = (p2) => this.footprints.subarray(p2 * size, (p2 + 1) * size);
    const held = all.map(() => new Float32Array(size));
    if (this.window) {
      all.forEach(
        (weights, i) => weights.forEach((w, p2) => {
          held[i][this.pixel(p2)] += w;
        })
      );
      return held;
    }
    let p = 0;
    for (; p + 3 < this.p; p += 4) {
      const four = [part(p), part(p + 1), part(p + 2), part(p + 3)];
      all.forEach((weights, i) => addFour(held[i], weights.subarray(p, p + 4), four));
    }
    for (; p < this.p; p++) {
      const f = part(p);
      all.forEach((weights, i) => {
        for (let j = 0; j < size; j++) held[i][j] += weights[p] * f[j];
      });
    }
    return held.map((map) => this.resampled(map));
  }
  /**
   * From the grid that holds the footprints to the level's own.
   * @param {Float32Array} held
   */
  resampled(held) {
    const { heldRows, heldColumns, rows, columns } = this;
    if (!this.taps) return held;
    const wide = new Float32Array(heldRows * columns);
    const map = new Float32Array(rows * columns);
    this.taps[1].forEach(({ start, weights: w }, j) => {
      for (let i = 0; i < heldRows; i++) {
        let sum = 0;
        for (let t = 0; t < w.length; t++) sum += w[t] * held[i * heldColumns + start + t];
        wide[i * columns + j] = sum;
      }
    });
    this.taps[0].forEach(({ start, weights: w }, i) => {
      for (let t = 0; t < w.length; t++) {
        const from = (start + t) * columns;
        for (let j = 0; j < columns; j++) map[i * columns + j] += w[t] * wide[from + j];
      }
    });
    return map;
  }
  footprint(p) {
    const size = this.heldRows * this.heldColumns;
    return this.taps || this.window ? this.lift(Float64Array.from({ length: this.p }, (_, i) => +(i === p))) : this.footprints.subarray(p * size, (p + 1) * size);
  }
  /**
   * What is taken from the weights: nothing, uniform attention, or the mean over all queries.
   * @param {number | null} head
   * @param {boolean | "queries"} relative
   * @returns {(w: number, i: number) => number}
   */
  minus(head2, relative) {
    const { p, heads, common } = this;
    if (relative !== "queries") return (w) => relative ? w - 1 / p : w;
    const mean = (i) => [...Array(heads).keys()].reduce((sum, h) => sum + common[h * p + i] / heads, 0);
    return (w, i) => w - (head2 === null ? mean(i) : common[head2 * p + i]);
  }
  /** The share of the difference from uniform that belongs to the query; null where there is none. */
  ownShare(head2) {
    return this.own[head2 ?? this.heads];
  }
  /** Entropy of one head at a query, or the mean of the heads' own: that of their mean would be larger. */
  entropyAt(head2, row, column) {
    const heads = head2 === null ? [...Array(this.heads).keys()] : [head2];
    const token = row * this.columns + column;
    return heads.reduce((sum, h) => sum + entropy(this.weights(h, token)) / heads.length, 0);
  }
  /** The weights that a map shows: of one head or the mean (null), as they are or minus something. */
  shown(head2, row, column, relative) {
    return this.weights(head2, row * this.columns + column).map(this.minus(head2, relative));
  }
  map(head2, row, column, relative) {
    return this.lift(this.shown(head2, row, column, relative));
  }
  /** The maps of all heads, and their mean last. */
  maps(row, column, relative) {
    const each = this.lifts(Array.from({ length: this.heads }, (_, head2) => this.shown(head2, row, column, relative)));
    return [...each, average(each)];
  }
  /** Where the values of one output token come from: its own, or where the released merge took them. */
  source(row, column, scrambled) {
    const { heads, n, d } = this;
    const token = row * this.columns + column;
    return Array.from({ length: heads * d }, (_, i) => {
      const at = token * heads * d + i;
      const [head2, feature, from] = scrambled ? [Math.floor(at / n) % heads, Math.floor(at / n / heads), at % n] : [Math.floor(i / d), i % d, token];
      return { head: head2, feature, row: Math.floor(from / this.columns), column: from % this.columns };
    });
  }
  /** Channel attention of one head, d x d: what a query feature (row) takes of each reference feature. */
  matrix(head2) {
    return this.part("matrix", head2, this.d ** 2);
  }
  /** How alike a query map and a key map are over all pixels, d x d. */
  cosine(head2) {
    return this.part("cosine", head2, this.d ** 2);
  }
  sent(name) {
    if (!this.channel) throw new Error("a level without a channel branch");
    return this.channel[name];
  }
  part(name, index, size) {
    return this.sent(name).values.subarray(index * size, (index + 1) * size);
  }
  /** A feature map of a head: "query", "key" or "value"; rows and columns as sent, at most half of a large level's. */
  feature(kind, head2, i) {
    const [, d, rows, columns] = this.sent(kind).shape;
    return { values: this.part(kind, head2 * d + i, rows * columns), size: [rows, columns] };
  }
  /** What a head writes into its feature i: the sum of its value maps, weighted by row i of its matrix. */
  mixed(head2, i) {
    const weights = this.matrix(head2).subarray(i * this.d, (i + 1) * this.d);
    const { size } = this.feature("value", head2, 0);
    const values = new Float32Array(size[0] * size[1]);
    weights.forEach(
      (w, j) => this.feature("value", head2, j).values.forEach((v, at) => {
        values[at] += w * v;
      })
    );
    return { values, size };
  }
};
function average(maps) {
  const mean = new Float32Array(maps[0].length);
  for (const map of maps) for (let j = 0; j < mean.length; j++) mean[j] += map[j] / maps.length;
  return mean;
}
var entropy = (weights) => -weights.reduce((sum, w) => sum + (w > 0 ? w * Math.log(w) : 0), 0) / Math.log(weights.length);
var share = (x) => x.toFixed(x > 0.9995 ? 5 : 3);
var times = (x) => `${Math.abs(x - 1) < 5e-3 ? x.toFixed(5) : format(x)} ×`;

// dcamsr_lite/widgets/attention/view.js
var minusWhat = (relative) => relative === "queries" ? "minus the mean over queries" : "minus uniform";
function openNetwork(packed) {
  const levels = Object.fromEntries(Object.entries(packed.levels).map(([name, level]) => [name, new Level(level)]));
  const { title, merge, values, layout, notes, heads, d, quality, cuts } = packed;
  return { title, merge, values, layout, notes, heads, d, quality, cuts, levels, output: unpack(packed.output).values };
}
var View = class {
  /** @type {Record<string, Network>} */
  #opened = {};
  /** @type {State} */
  state = (
    /** @type {any} */
    { over: true }
  );
  /** @type {Query | undefined} */
  query;
  /**
   * @param {Model} model
   * @param {{ set: (changes: Partial<State>) => void, settle: () => void,
   *   cursor: import("../shared/input.js").Pointer }} actions change the state; `cursor` is a pointer on an image
   */
  constructor(model, actions) {
    this.info = model.get("info");
    this.size = this.info.shape;
    this.images = unpackAll(model.get("images"));
    this.packed = model.get("networks");
    this.set = actions.set;
    this.settle = actions.settle;
    this.cursor = actions.cursor;
  }
  get net() {
    return this.#opened[this.state.network] ??= openNetwork(this.packed[this.state.network]);
  }
  get level() {
    return this.net.levels[this.state.level];
  }
  /** The images that follow the network. */
  compare() {
    this.images.output = this.net.output;
    if (this.images.target) this.images.error = distance(this.net.output, this.images.target);
  }
  /** A network that lacks the level, head, branch or cell starts at its own first. */
  fit() {
    const { net, state } = this;
    const most = Math.max(net.d, 1);
    const [head2, i, j] = state.cell;
    if (!net.levels[state.level]) state.level = Math.min(...Object.keys(net.levels).map(Number));
    if (state.head !== null && state.head >= net.heads) state.head = null;
    if (!net.d) state.branch = "spatial";
    if (net.values === "torn") state.by_value = false;
    if (head2 >= net.heads || Math.max(i, j) >= most) state.cell = [0, 0, 0];
  }
  /**
   * Where a pixel of the image lies in a level: row and column there, and what marks it on an image.
   * @param {number[]} at
   */
  locate(at, level = this.state.level) {
    const { size, info } = this;
    const [top, left] = info.offset;
    const [row, column] = [at[0] + top, at[1] + left].map((x) => Math.floor(x / level));
    const centre = [(row + 0.5) * level - top, (column + 0.5) * level - left];
    const mark = (element) => place(element, size, centre[0], centre[1], level, level);
    return { row, column, mark };
  }
  /** Question the attention at a pixel of the image. */
  ask(r, c) {
    const { size, level, state } = this;
    const at = [clamp(r, 0, size[0] - 1), clamp(c, 0, size[1] - 1)];
    const { row, column, mark } = this.locate(at);
    const weights = level.weights(state.head, row * level.columns + column);
    const drawn = weights.map(level.minus(state.head, state.relative));
    return this.query = { at, row, column, weights, drawn, mark };
  }
};
function overImage(canvas, { info, size, state, net }, name = state.level) {
  const [top, left] = info.offset;
  const { rows, columns } = net.levels[name];
  place(canvas, size, -top, -left, rows * name, columns * name);
}

// dcamsr_lite/widgets/attention/feature_panel.js
function featurePanel(view) {
  const canvas = make("canvas", { class: "dx-overlay", role: "img" });
  const value = make("output");
  const name = make("b");
  const { element, mark } = frame(view.size, canvas);
  const bar = colourBar("signed", "feature value");
  element.classList.add("dx-foot");
  const figure = make("figure", {}, make("figcaption", {}, name, value), element, bar.bar);
  const [top, left] = view.info.offset;
  let map;
  function draw(drawn, words) {
    map = drawn;
    const high = extent(map.values);
    paint(canvas, map.values, map.size, -high, high, "signed");
    overImage(canvas, view);
    canvas.setAttribute("aria-label", words);
    name.textContent = words;
    bar.set(-high, high);
  }
  function read(at, moved) {
    const [r, c] = [at[0] + top, at[1] + left].map((x, i) => Math.floor(x * map.size[i] / view.info.grid[i]));
    value.textContent = format(map.values[r * map.size[1] + c]);
    moved(mark);
  }
  follow(element, view.size, view.cursor);
  return { figure, draw, read };
}

// dcamsr_lite/widgets/attention/channel_panel.js
function channelPanel(view) {
  const { state } = view;
  const matrices = make("div", { class: "dx-matrices" });
  const bar = colourBar("viridis", "share of the reference feature");
  const cell = make("p", { class: "dx-reading" });
  const what = make("p", { class: "dx-what" });
  const element = card("Channel attention", what, matrices, bar.bar, cell);
  const [query, key, value, mixed] = [0, 0, 0, 0].map(() => featurePanel(view));
  const panels = [query, key, value, mixed];
  const words = make("p", { class: "dx-words" });
  const maps = make(
    "section",
    { class: "dx-card dx-wide" },
    make("h3", {}, "The feature maps behind this cell"),
    make("div", { class: "dx-maps" }, ...panels.map((panel2) => panel2.figure)),
    words
  );
  let each = [];
  let shown = state.cell;
  function layMatrices() {
    each = [...Array(view.net.heads).keys()].map((head2) => {
      const canvas = make("canvas", { role: "img", tabindex: 0, "data-head": head2 });
      const mark = make("div", { class: "dx-cell" });
      return {
        head: head2,
        canvas,
        mark,
        box: make("div", {}, make("div", { class: "dx-matrix" }, canvas, mark), make("small", {}, `head ${head2}`))
      };
    });
    matrices.replaceChildren(...each.map(({ box }) => box));
  }
  function read([head2, i, j]) {
    const { level } = view;
    const { d } = level;
    const weight = level.matrix(head2)[i * d + j];
    const alike = level.cosine(head2)[i * d + j];
    shown = [head2, i, j];
    for (const one of each) {
      one.mark.hidden = one.head !== head2;
      one.box.classList.toggle("dx-now", one.head === head2);
      place(one.mark, [d, d], i, j, 1, 1);
    }
    query.draw(level.feature("query", head2, i), `query feature ${i}`);
    key.draw(level.feature("key", head2, j), `key feature ${j}`);
    value.draw(level.feature("value", head2, j), `value feature ${j}`);
    mixed.draw(level.mixed(head2, i), `mixed into ${i}`);
    cell.textContent = `Head ${head2}: query feature ${i} takes ${format(weight)} of reference feature ${j}; uniform would be ${format(1 / d)}.`;
    words.textContent = `Over all pixels, query feature ${i} of the input and key feature ${j} of the reference have cosine ${format(alike)}. The softmax over the row makes that a share of ${format(weight)}: so much of value feature ${j} goes into feature ${i}. The last map is the whole row: all ${d} value features of head ${head2}, mixed by their shares.`;
    if (view.query) show2(view.query);
  }
  function update() {
    const { level } = view;
    element.hidden = maps.hidden = state.branch !== "channel";
    if (element.hidden) return;
    if (each.length !== view.net.heads) layMatrices();
    const high = extent(level.sent("matrix").values);
    for (const { head: head2, canvas } of each) {
      paint(canvas, level.matrix(head2), [level.d, level.d], 0, high, "viridis");
      canvas.setAttribute("aria-label", `channel attention of head ${head2}: arrow keys choose a cell`);
    }
    what.textContent = `level ${state.level} · one ${level.d} × ${level.d} square per head. Row (↓): a query feature of the input. Column (→): the reference feature it takes from. Point at a cell, click to keep it.`;
    bar.set(0, high);
    read(state.cell);
  }
  function show2({ at, mark }) {
    for (const panel2 of panels) panel2.read(at, mark);
  }
  const inside = (x) => clamp(x, 0, view.level.d - 1);
  const pointed = ({ target, offsetX, offsetY }) => {
    if (!target.dataset.head) return null;
    const { d } = view.level;
    return [
      +target.dataset.head,
      inside(Math.floor(offsetY / target.clientHeight * d)),
      inside(Math.floor(offsetX / target.clientWidth * d))
    ];
  };
  const same = (a, b) => a.every((x, i) => x === b[i]);
  matrices.addEventListener("pointermove", (event) => {
    const at = pointed(event);
    if (at && !same(at, shown)) read(at);
  });
  matrices.addEventListener("pointerleave", () => read(state.cell));
  matrices.addEventListener("click", (event) => {
    const at = pointed(event);
    if (at) view.set({ cell: at });
  });
  strides(
    matrices,
    (dr, dc, target) => {
      const head2 = Number(target.dataset.head);
      const [from, i, j] = state.cell;
      state.cell = from === head2 ? [head2, inside(i + dr), inside(j + dc)] : [head2, inside(dr), inside(dc)];
      read(state.cell);
    },
    view.settle
  );
  matrices.addEventListener("focusin", ({ target }) => {
    if (!(target instanceof HTMLElement) || !target.dataset.head || !target.matches(":focus-visible")) return;
    if (+target.dataset.head !== state.cell[0]) read([+target.dataset.head, 0, 0]);
  });
  return { elements: [element, maps], update, show: show2, said: () => cell.textContent };
}

// dcamsr_lite/widgets/attention/controls.js
var BY_VALUE = {
  projected: "attention times the length of the reference pixel's value behind the output projection: a large weight on a value near nothing brings nothing",
  moved: "attention times the length of what is moved, the reference or its features: this network encodes anew what it found, without an output projection between",
  torn: "attention times the length of the value behind the output projection"
};
var TORN = "Not here: the released merge writes the features of one pixel to different pixels, so no value has a length";
function controlPanel(view, bind) {
  const { state, packed } = view;
  const first = make("div", { class: "dx-choices" });
  const second = make("div", { class: "dx-choices" });
  const network = choice(
    "Network",
    Object.entries(packed).map(([name, one]) => [name, name, `${name}: ${one.title}`]),
    ...bind("network")
  );
  const branch = choice(
    "Branch",
    [
      ["spatial", "spatial: where to look", "spatial, where to look"],
      ["channel", "channel: which features", "channel, which features to take"]
    ],
    ...bind("branch")
  );
  if (Object.keys(packed).length > 1) first.append(network.group);
  first.append(branch.group);
  let level;
  let ofSpatial = [];
  let laid = "";
  function lay() {
    const heads = [...Array(view.net.heads).keys()];
    const levels = Object.entries(view.net.levels);
    level = choice(
      "Level",
      levels.map(([l, v]) => [+l, l, `level ${l}, ${v.rows} × ${v.columns}`]),
      ...bind("level")
    );
    ofSpatial = [
      choice(
        "Head",
        [
          [null, "mean", "mean over heads"],
          ...heads.map((h) => (
            /** @type {[number, string, string]} */
            [h, String(h), `head ${h}`]
          ))
        ],
        ...bind("head")
      ),
      choice(
        "View",
        [
          [false, "one map"],
          [true, "all heads", "all heads side by side"],
          ["levels", "all levels", "all heads of all levels"]
        ],
        ...bind("side_by_side")
      ),
      choice(
        "Show",
        [
          [true, "minus uniform", "difference from uniform attention, most of which queries may share"],
          [false, "absolute"],
          ["queries", "minus mean", "difference from the mean over all queries: this query's own"]
        ],
        ...bind("relative")
      ),
      choice(
        "Weight",
        [
          [false, "attention"],
          [true, "× value", BY_VALUE[view.net.values]]
        ],
        ...bind("by_value"),
        (value) => value && view.net.values === "torn" ? TORN : ""
      ),
      choice(
        "Pixel",
        [
          [false, "reads", "what the query at this pixel reads of the reference"],
          [true, "is read by", "which queries read this pixel of the reference"]
        ],
        ...bind("reverse")
      ),
      choice(
        "Map",
        [
          [true, "on image", "on reference, or on the input where queries are shown"],
          [false, "alone"]
        ],
        ...bind("over")
      )
    ];
    second.replaceChildren(level.group, ...ofSpatial.map(({ group }) => group));
    branch.group.hidden = !view.net.d;
    laid = state.network;
  }
  function update() {
    if (laid !== state.network) lay();
    for (const { sync } of [network, branch, level, ...ofSpatial]) sync();
    for (const { group } of ofSpatial) group.hidden = state.branch !== "spatial";
  }
  return { element: make("div", { class: "dx-controls dx-rows" }, first, second), update };
}

// dcamsr_lite/widgets/attention/cuts_panel.js
function cutsPanel(view) {
  const lines = make("div", { class: "dx-losses" });
  const what = make("p", { class: "dx-what" });
  const element = card(
    "Does it matter?",
    what,
    lines,
    make(
      "p",
      { class: "dx-reading" },
      "The trained network, run once more for each: what it leans on, and not what a network trained without the part would lose. Uniform: all weights of the branch alike. Off: it adds nothing. Single heads and levels: in the intervention lab."
    )
  );
  function update() {
    const { cuts } = view.net;
    const judged = cuts.every(({ psnr }) => psnr !== null);
    const value = (cut) => judged ? cut.psnr : 100 * cut.moved;
    const most = Math.max(...cuts.map((cut) => Math.abs(value(cut))), 1e-9);
    element.hidden = !cuts.length;
    what.textContent = judged ? "change of the PSNR of this slice" : "root mean square change of the output, % of white";
    lines.replaceChildren(
      ...cuts.flatMap((cut) => {
        const x = value(cut);
        const text = judged ? `${Math.abs(x) < 5e-3 ? "±" : x < 0 ? "−" : "+"}${Math.abs(x).toFixed(2)} dB` : `${format(x)} %`;
        return [
          make("span", cut.part === view.state.branch ? { class: "dx-here" } : {}, `${cut.part} ${cut.state}`),
          make(
            "div",
            {},
            make("i", { class: x > 0 && judged ? "dx-gain" : "", style: `width:${100 * Math.abs(x) / most}%` })
          ),
          make("span", {}, text)
        ];
      })
    );
  }
  return { element, update, show: () => {
  } };
}

// dcamsr_lite/widgets/attention/entropy_panel.js
function entropyPanel(view) {
  const { state } = view;
  const lines = make("div", { class: "dx-spread", role: "img" });
  const words = make("p", { class: "dx-reading" });
  const element = card(
    "How far from uniform?",
    make("p", { class: "dx-what" }, "entropy of the attention: 1 is uniform, 0 one-hot"),
    lines,
    words
  );
  const at = (value) => `left:${(100 * value).toFixed(2)}%`;
  let rings = [];
  function line2({ level, branch, values }) {
    const now = level === state.level && branch === state.branch;
    const head2 = branch === "spatial" ? state.head : state.cell[0];
    const dots = values.map(
      (value, h) => make("i", {
        class: now && h === head2 ? `${branch} dx-now` : branch,
        style: at(value),
        title: `level ${level}, ${branch}, head ${h}: ${value.toFixed(5)}`
      })
    );
    const track = make("div", {}, ...dots);
    const mean = values.reduce((a, b) => a + b) / values.length;
    if (now && branch === "spatial" && !state.reverse) track.append(...rings = values.map(() => make("u")));
    return [
      make("span", now ? { class: "dx-here" } : {}, `level ${level}, ${branch}`),
      track,
      make("span", {}, share(mean))
    ];
  }
  function update() {
    const all = Object.entries(view.net.levels).flatMap(
      ([l, { entropy: entropy2 }]) => Object.entries(entropy2).map(([branch, values]) => ({ level: +l, branch, values }))
    );
    rings = [];
    lines.setAttribute(
      "aria-label",
      all.map(({ level, branch, values }) => `level ${level} ${branch}: ${values.map((x) => x.toFixed(3)).join(" ")}`).join("; ")
    );
    lines.replaceChildren(
      ...all.flatMap(line2),
      make("span"),
      make("div", { class: "dx-ticks" }, ...["0", "0.5", "1"].map((x) => make("span", {}, x))),
      make("span", {}, "mean")
    );
    words.textContent = `Dots: the heads, each over all its rows.${rings.length ? ` Ring${state.head === null ? "s: the heads" : `: head ${state.head}`} at this query.` : ""}`;
  }
  function show2({ row, column }) {
    const { level } = view;
    const token = row * level.columns + column;
    rings.forEach((ring, head2) => {
      ring.hidden = state.head !== null && state.head !== head2;
      if (!ring.hidden) ring.setAttribute("style", at(entropy(level.weights(head2, token))));
    });
  }
  return { element, update, show: show2 };
}

// dcamsr_lite/widgets/attention/footprint_panel.js
function footprintPanel(view) {
  const { state } = view;
  const heading2 = make("h3");
  const title = make("p", { class: "dx-reading" });
  const name = make("b");
  const chart = make("canvas", {
    class: "dx-chart",
    tabindex: 0,
    role: "slider",
    "aria-label": "projected token",
    "aria-valuemin": 0
  });
  const [top, low, note] = [0, 0, 0].map(() => make("span"));
  const foot = make("canvas", { class: "dx-overlay", role: "img" });
  const frameOf = frame(view.size, foot);
  const bar = colourBar("signed", "weight per pixel");
  frameOf.element.classList.add("dx-foot");
  frameOf.mark.remove();
  const plot = make("div", { class: "dx-plot" }, make("div", { class: "dx-axis" }, top, low), chart, make("i"), note);
  const element = make(
    "section",
    { class: "dx-card dx-wide" },
    heading2,
    make(
      "div",
      { class: "dx-tokens" },
      make("div", {}, plot, title),
      make("figure", {}, make("figcaption", {}, name), frameOf.element, bar.bar)
    )
  );
  let last;
  let token = null;
  let level = view.level;
  let painted = "";
  const chosen = () => token ?? last.weights.reduce((best, w, i) => w > last.weights[best] ? i : best, 0);
  function bars(drawn, one) {
    const { p } = level;
    const high = extent(drawn);
    const floor = state.relative ? -high : 0;
    const [width, height] = [p * 16, 256];
    const context = (
      /** @type {CanvasRenderingContext2D} */
      chart.getContext("2d")
    );
    const y = (value) => (high - value) / (high - floor) * height;
    if (chart.width !== width) [chart.width, chart.height] = [width, height];
    context.clearRect(0, 0, width, height);
    for (let i = 0; i < p; i++) {
      context.fillStyle = `rgba(${drawn[i] < 0 ? BLUE : ORANGE},${i === one ? 1 : 0.55})`;
      context.fillRect(16 * i + 2, Math.min(y(drawn[i]), y(0)), 12, Math.max(2, Math.abs(y(drawn[i]) - y(0))));
      if (i === one) {
        context.fillStyle = "rgba(128,128,128,.25)";
        context.fillRect(16 * i, 0, 16, height);
      }
    }
    context.fillStyle = "rgba(128,128,128,.9)";
    for (let x = 0; x < width; x += 16)
      context.fillRect(x, y(state.relative ? 0 : 1 / p) - 1, state.relative ? 16 : 8, 2);
    top.textContent = format(high, 2);
    low.textContent = format(floor, 2);
    const uniform = `uniform, 1/${p} = ${format(1 / p)}`;
    const shown = state.relative === "queries" ? minusWhat("queries") : `minus ${uniform}`;
    note.textContent = `one bar per token${state.relative ? `: its weight ${shown}` : `; dashes: ${uniform}`}`;
  }
  function show2(query) {
    last = query;
    const { weights } = query;
    const one = chosen();
    bars(query.drawn, one);
    title.textContent = `Token ${one}${token === null ? ", the strongest" : ""}: weight ${format(weights[one])}, ${times(weights[one] * level.p)} uniform. Its footprint says how much of each reference pixel is in it; the map is all footprints, times their weights. Point at another bar.`;
    name.textContent = `footprint of token ${one}`;
    chart.setAttribute("aria-valuemax", String(level.p - 1));
    chart.setAttribute("aria-valuenow", String(one));
    chart.setAttribute("aria-valuetext", title.textContent);
    const drawn = `${state.network} ${state.level} ${one} ${level.window ? level.around : ""}`;
    if (painted === drawn) return;
    painted = drawn;
    const picture = level.footprint(one);
    const limit = extent(picture);
    paint(foot, picture, [level.rows, level.columns], -limit, limit, "signed");
    foot.setAttribute("aria-label", `footprint of token ${one}`);
    bar.set(-limit, limit);
  }
  function update() {
    if (level !== view.level) token = null;
    level = view.level;
    heading2.textContent = `Weights of the ${level.p} ${level.window ? "pixels of the window" : "projected tokens"}`;
    overImage(foot, view);
  }
  const pick = (next) => {
    token = next === null ? null : clamp(next, 0, level.p - 1);
    show2(last);
  };
  const pointed = (event) => pick(Math.floor(event.offsetX / chart.clientWidth * level.p));
  strides(chart, (dr, dc) => pick(chosen() + dc - dr));
  chart.addEventListener("pointerdown", pointed);
  chart.addEventListener("pointermove", pointed);
  for (const gone of ["pointerleave", "blur"]) chart.addEventListener(gone, () => pick(null));
  return { element, update, show: show2 };
}

// dcamsr_lite/widgets/attention/image_panel.js
function imagePanel(view) {
  const { info, size, images } = view;
  const bar = { colours: "viridis", unit: "% of white" };
  const shown = Object.keys(info.titles).filter(
    (name) => name === "output" || name in images || name === "error" && images.target
  );
  const notes = Object.fromEntries(["low", "output"].map((name) => [name, make("div", {})]));
  const panels = shown.map((name) => ({
    name,
    ...panel(info.titles[name], size, name === "error" ? bar : { note: notes[name] ?? null })
  }));
  const element = make(
    "div",
    {
      class: "dx-panels",
      tabindex: 0,
      role: "application",
      "aria-label": "Query pixel. Arrow keys move it one pixel of the level, with shift eight."
    },
    ...panels.map(({ figure }) => figure)
  );
  const note = (name, quality) => notes[name].replaceChildren(qualityNote(quality, name) ?? "");
  const legend = make(
    "details",
    { class: "dx-fold" },
    make("summary", {}, "What the numbers are: □ at the square, PSNR of this slice"),
    make("p", { class: "dx-about" }, `□: the value at the square. ${QUALITY}`)
  );
  legend.hidden = !info.quality;
  const errors = images.target ? window995(distance(images.low, images.target)) : 1;
  const window = (name) => name === "error" ? errors : info.windows[name];
  note("low", info.quality);
  function update() {
    note("output", view.net.quality);
    for (const { name, draw } of panels) draw(images[name], window(name), 100 * window(name) / info.windows.output);
  }
  function show2({ at, mark }) {
    for (const shown2 of panels) {
      shown2.value.textContent = format(images[shown2.name][at[0] * size[1] + at[1]]);
      mark(shown2.mark);
    }
  }
  for (const { element: framed } of panels) follow(framed, size, view.cursor);
  return { element, legend, update, show: show2 };
}

// dcamsr_lite/widgets/attention/maps.js
var kept2 = /* @__PURE__ */ new WeakMap();
function attentionOf(level, head2) {
  const { n, p } = level;
  const heads = kept2.get(level) ?? /* @__PURE__ */ new Map();
  kept2.set(level, heads);
  let all = heads.get(head2);
  if (!all) {
    all = new Float32Array(n * p);
    for (let query = 0; query < n; query++) all.set(level.weights(head2, query), query * p);
    heads.set(head2, all);
  }
  return all;
}
function tokensAt(level, row, column) {
  const { p, heldRows, heldColumns, footprints, taps: taps2 } = level;
  const one = (at) => ({ start: at, weights: [1] });
  const [down, along] = taps2 ? [taps2[0][row], taps2[1][column]] : [one(row), one(column)];
  return Float64Array.from({ length: p }, (_, i) => {
    let sum = 0;
    down.weights.forEach(
      (w, r) => along.weights.forEach((v, c) => {
        sum += w * v * footprints[(i * heldRows + down.start + r) * heldColumns + along.start + c];
      })
    );
    return sum;
  });
}
function around(map, { rows, columns, window: side }, row, column) {
  const length = side ?? 1;
  const half2 = (length - 1) / 2;
  return Float32Array.from({ length: length * length }, (_, i) => {
    const [r, c] = [row - half2 + Math.floor(i / length), column - half2 + i % length];
    return r >= 0 && r < rows && c >= 0 && c < columns ? map[r * columns + c] : 0;
  });
}
function reach(at, length, side) {
  const half2 = (side - 1) / 2;
  return Array.from(
    { length },
    (_, place2) => [...Array(side).keys()].filter((i) => clamp(place2 + i - half2, 0, length - 1) === at)
  );
}
function readers(level, head2, row, column, relative) {
  const { n, p, rows, columns, window: side } = level;
  const minus = level.minus(head2, relative);
  const map = new Float32Array(n);
  if (side) {
    const [down, along] = [reach(row, rows, side), reach(column, columns, side)];
    for (let query = 0; query < n; query++) {
      const [is, js] = [down[Math.floor(query / columns)], along[query % columns]];
      if (!is.length || !js.length) continue;
      const weights = level.weights(head2, query);
      for (const i of is) for (const j of js) map[query] += minus(weights[i * side + j], i * side + j);
    }
    return map;
  }
  const tokens = tokensAt(level, row, column);
  const all = attentionOf(level, head2);
  let common = 0;
  for (let i = 0; i < p; i++) common += minus(0, i) * tokens[i];
  for (let query = 0, at = 0; query < n; query++) {
    let sum = common;
    for (let i = 0; i < p; i++, at++) sum += all[at] * tokens[i];
    map[query] = sum;
  }
  return map;
}
function valued(level, map, head2, row, column, look) {
  if (!look.by_value || !level.norms) return map;
  const [heads] = level.norms.shape;
  const start = head2 % heads * level.n;
  const { values } = level.norms;
  return look.reverse ? map.map((x) => x * values[start + row * level.columns + column]) : map.map((x, i) => x * values[start + i]);
}
function mapsOf(level, row, column, look) {
  const { relative = false, reverse } = look;
  const each = reverse ? Array.from({ length: level.heads }, (_, head2) => readers(level, head2, row, column, relative)) : level.maps(row, column, relative).slice(0, -1);
  const worth = each.map((map, head2) => valued(level, map, head2, row, column, look));
  return [...worth, average(worth)];
}
function mapOf(level, head2, row, column, look) {
  const { relative = false, reverse, by_value } = look;
  const ownNorms = by_value && level.norms && level.norms.shape[0] > 1;
  if (head2 === null && ownNorms) return mapsOf(level, row, column, look)[level.heads];
  const map = reverse ? readers(level, head2, row, column, relative) : level.map(head2, row, column, relative);
  return valued(level, map, head2 ?? 0, row, column, look);
}

// dcamsr_lite/widgets/attention/map_panel.js
var FORWARD = { title: "Attention on the reference", on: "attention on the reference", unit: "per reference pixel" };
var REVERSE = { title: "Who reads this pixel of the reference?", on: "readers, on the input", unit: "per query" };
function lifted(view) {
  const ground = make("canvas");
  const overlay = make("canvas", { class: "dx-overlay", role: "img" });
  return { ground, overlay, ...frame(view.size, ground, overlay) };
}
function near() {
  const overlay = make("canvas", { role: "img" });
  const own = make("div", { class: "dx-own" });
  return { ground: null, overlay, mark: null, element: make("div", { class: "dx-frame dx-near" }, overlay, own) };
}
var headsApart = (mean, own) => ` The heads' own entropies here: ${share(own)} on average, as listed below; ${mean - own < 5e-4 ? "the heads look alike" : "that of their mean is larger"}.`;
function mapPanel(view) {
  const { state } = view;
  const one = lifted(view);
  const peak = make("div", { class: "dx-peak", "aria-hidden": "true" });
  one.element.append(peak);
  const bar = colourBar("signed", "weight per reference pixel");
  const reading = make("p", { class: "dx-reading" });
  const what = make("p", { class: "dx-what" });
  const tiles = make("div", { class: "dx-heads", role: "group" });
  const element = card(FORWARD.title, what, one.element, tiles, bar.bar, reading);
  element.classList.add("dx-map");
  let each = [];
  let scales = {};
  let laid = "";
  let map;
  const words = () => state.reverse ? REVERSE : FORWARD;
  const look = () => ({ relative: state.relative, reverse: state.reverse, by_value: state.by_value });
  function tile(level, head2) {
    const { window } = view.net.levels[level];
    const picture = window ? near() : lifted(view);
    const name = head2 === null ? "mean" : `head ${head2}`;
    const place2 = state.side_by_side === "levels" ? `level ${level}, ${name}` : name;
    const button2 = make(
      "button",
      { type: "button", class: "dx-tile", "aria-label": `Choose ${place2}` },
      make("small", {}, name),
      picture.element
    );
    button2.addEventListener("click", () => view.set({ head: head2, level }));
    return { level, head: head2, button: button2, ...picture };
  }
  function layTiles() {
    const all = state.side_by_side === "levels";
    const levels = all ? Object.keys(view.net.levels).map(Number) : [state.level];
    const heads = [...Array(view.net.heads).keys(), null];
    each = levels.flatMap((level) => heads.map((head2) => tile(level, head2)));
    scales = Object.fromEntries(levels.map((level) => [level, make("small", { class: "dx-scale" })]));
    const row = (level) => each.filter((one2) => one2.level === level).map((one2) => one2.button);
    tiles.replaceChildren(
      ...levels.flatMap(
        (level) => all ? [scales[level], make("div", { class: "dx-heads", style: `--tiles:${heads.length}` }, ...row(level))] : row(level)
      )
    );
    tiles.classList.toggle("dx-levels", all);
    tiles.setAttribute("aria-label", `Attention of every head${all ? " at every level" : ""}: choose one`);
  }
  function update() {
    const who = state.head === null ? "mean over heads" : `head ${state.head}`;
    const { rows, columns } = view.level;
    const several = {
      true: "all heads on one colour scale, ",
      levels: "all levels and heads, one colour scale for each level, ",
      false: ""
    };
    const key = `${state.network} ${state.side_by_side} ${state.side_by_side === true ? state.level : ""}`;
    if (state.side_by_side && laid !== key) [laid] = [key, layTiles()];
    element.classList.toggle("dx-every", state.side_by_side === "levels");
    tiles.hidden = !state.side_by_side;
    one.element.hidden = Boolean(state.side_by_side);
    peak.hidden = !view.level.window;
    const more = [state.relative && minusWhat(state.relative), state.by_value && "times the length of the value"];
    const extra = more.filter(Boolean).join(", ");
    const alike = state.side_by_side && view.level.attention?.shape[0] === 1 ? " · all heads share one map" : "";
    const ringed = peak.hidden || state.side_by_side ? "" : " · ring: around the largest weight";
    const tiled = state.side_by_side && view.level.window ? " · a tile: what the window reaches around the place, the white circle" : "";
    what.textContent = `level ${state.level}, ${rows} × ${columns} · ${several[String(state.side_by_side)]}${who}${extra && ` · ${extra}`}${alike}${tiled}${ringed}`;
    const heading2 = element.querySelector("h3");
    if (heading2) heading2.textContent = words().title;
    one.overlay.setAttribute("aria-label", `${words().on}, ${what.textContent}`);
    bar.name(
      `${state.side_by_side === "levels" ? `level ${state.level}: ` : ""}weight ${words().unit}${extra && `, ${extra}`}${state.relative ? ": orange more, blue less" : ""}`
    );
    const ground = state.reverse ? "low" : "reference";
    for (const shown of [one, ...state.side_by_side ? each : []])
      if (shown.ground) paint(shown.ground, view.images[ground], view.size, 0, view.info.windows[ground], "grey");
    overImage(one.overlay, view);
    for (const { level, head: head2, button: button2, overlay } of each) {
      if (view.net.levels[level] && !view.net.levels[level].window) overImage(overlay, view, level);
      button2.setAttribute("aria-pressed", String(head2 === state.head && level === state.level));
    }
  }
  function drawLevel(name, at) {
    const level = view.net.levels[name];
    const { row, column, mark } = view.locate(at, name);
    const maps = mapsOf(level, row, column, look());
    const high = Math.max(...maps.map(extent));
    const shown = each.filter((tile2) => tile2.level === name);
    shown.forEach((tile2, i) => {
      if (level.window)
        paint(tile2.overlay, around(maps[i], level, row, column), [level.window, level.window], -high, high, "signed");
      else paint(tile2.overlay, maps[i], [level.rows, level.columns], -high, high, "signed");
      if (tile2.mark) mark(tile2.mark);
    });
    const part = level.window ? `, ${level.window} × ${level.window} pixels of it` : "";
    scales[name].textContent = `level ${name}, ${level.rows} × ${level.columns}${part}: colours up to ±${format(high, 2)}`;
    return { maps, high };
  }
  function show2(query) {
    const { level } = view;
    let high;
    if (state.side_by_side) {
      const names = Object.keys(scales).map(Number);
      const drawn = Object.fromEntries(names.map((name) => [name, drawLevel(name, query.at)]));
      map = drawn[state.level].maps[state.head ?? level.heads];
      ({ high } = drawn[state.level]);
    } else {
      map = mapOf(level, state.head, query.row, query.column, look());
      high = extent(map);
      paint(one.overlay, map, [level.rows, level.columns], -high, high, "signed");
      query.mark(one.mark);
      ring(level);
    }
    bar.set(-high, high);
    reading.textContent = state.reverse ? readReverse(query) : readForward(query);
  }
  function highest() {
    const best = map.reduce((top, x, i) => x > map[top] ? i : top, 0);
    return [Math.floor(best / view.level.columns), best % view.level.columns];
  }
  function ring({ rows, columns }) {
    const { offset: offset2 } = view.info;
    const [row, column] = highest().map((x, axis) => (x + 0.5) * state.level - offset2[axis]);
    if (!peak.hidden) place(peak, view.size, row, column, 0, 0);
  }
  function readReverse({ at }) {
    const [r, c] = highest();
    const [row, column] = [r, c].map((x, axis) => Math.max(0, x * state.level - view.info.offset[axis]));
    return `Reference pixel at row ${at[0]}, column ${at[1]}: read most by the query at row ${row}, column ${column}, with weight ${format(map[r * view.level.columns + c])}.`;
  }
  function readForward({ at, row, column, weights }) {
    const { level } = view;
    const own = level.ownShare(state.head);
    const far = extent(weights.map((w) => w * level.p - 1));
    return `Query at row ${at[0]}, column ${at[1]}: entropy ${share(entropy(weights))}${state.head === null ? " of the heads' mean" : ""}, strongest token ${times(extent(weights) * level.p)} uniform.` + (state.head === null ? headsApart(entropy(weights), level.entropyAt(null, row, column)) : "") + (far < 0.01 ? ` Uniform in practice: no weight is off by more than ${format(100 * far, 2)} %, and the colours magnify that.` : own === null ? "" : ` ${own < 1e-4 ? "Less than 0.01" : format(100 * own, 2)} % of what sets this map apart from equal weights changes from query to query; the rest is the same wherever the pointer is${state.relative === true ? ", and both are shown" : state.relative ? ", and is taken away here" : ""}.`);
  }
  follow(one.element, view.size, {
    ...view.cursor,
    hover: (r, c) => {
      const { row, column } = view.locate([r, c]);
      const weight = format(map[row * view.level.columns + column] ?? 0);
      reading.textContent = state.reverse ? `The query at row ${r}, column ${c} reads it with weight ${weight}.` : `Reference row ${r}, column ${c}: weight ${weight}.`;
    }
  });
  const numbers = () => ({ values: map, size: [view.level.rows, view.level.columns] });
  return { element, update, show: show2, numbers, said: () => reading.textContent };
}

// dcamsr_lite/widgets/attention/merge_panel.js
function mergePanel(view) {
  const picture = make("canvas", { role: "img" });
  const arrow = make("div", { class: "dx-arrow" });
  const runs = make("div");
  const { element: framed, mark: marked } = frame(view.size, picture, runs, arrow);
  const text = make("div", { class: "dx-words" });
  const element = card(
    "Where did this pixel's value really come from?",
    make("div", { class: "dx-side dx-start" }, framed, text)
  );
  const [top, left] = view.info.offset;
  function within(axis, ...at) {
    const s = view.state.level;
    const [first, end] = [Math.min(...at), Math.max(...at) + 1].map((x) => x * s - [top, left][axis]);
    const name = ["row", "column"][axis];
    const from = Math.max(first, 0);
    const last = Math.min(end, view.size[axis]) - 1;
    if (last < from) return "the zero padding";
    return from === last ? `${name} ${from}` : `${name}s ${from} to ${last}`;
  }
  function joined(sources) {
    const parts = [];
    for (const from of sources) {
      const last = parts.at(-1);
      if (last && last.row === from.row && last.column + last.width === from.column) last.width++;
      else parts.push({ ...from, width: 1 });
    }
    return parts;
  }
  function show2({ row, column, mark }) {
    if (element.hidden) return;
    const { size, state, level } = view;
    const s = state.level;
    const parts = joined(level.source(row, column, true));
    runs.replaceChildren(
      ...parts.map((part) => {
        const run = make("div", { class: "dx-run" });
        place(run, size, part.row * s - top, part.column * s - left, s, part.width * s);
        return run;
      })
    );
    mark(marked);
    const { head: head2, feature, row: from, column: first, width } = parts[0];
    const count = level.heads * level.d;
    const each = s > 1 ? ` of level ${s}` : "";
    const start = [from + 0.5, first + width / 2];
    const far = Math.hypot(start[0] - row - 0.5, start[1] - column - 0.5);
    draw(
      start.map((x, i) => (x * s - [top, left][i]) / size[i]),
      [row, column].map((x, i) => ((x + 0.5) * s - [top, left][i]) / size[i])
    );
    text.replaceChildren(
      make(
        "p",
        {},
        make("b", {}, "Violet frame: "),
        `${count} pixels${each} in ${within(0, ...parts.map((part) => part.row))}, for which the network asked the reference.`
      ),
      make(
        "p",
        {},
        make("b", {}, "White square: "),
        `${within(0, row)}, ${within(1, column)}, where the answers were written, ${format(far)} pixels${each} away.`
      ),
      make(
        "p",
        {},
        `The ${count} values at the square should be ${count} features of one pixel. The released code merges the heads in the wrong order: they are one feature (${feature} of head ${head2}) of ${count} pixels.`
      ),
      make(
        "p",
        {},
        "Nothing is lost, but everything is moved: the layers that follow must undo it. The aligned merge of the corrected network leaves every value at its own pixel."
      )
    );
  }
  function draw([fromRow, fromColumn], [toRow, toColumn]) {
    const [rows, columns] = view.size;
    const down = (toRow - fromRow) * rows;
    const across = (toColumn - fromColumn) * columns;
    Object.assign(arrow.style, {
      top: `${100 * fromRow}%`,
      left: `${100 * fromColumn}%`,
      width: `${100 * Math.hypot(down, across) / columns}%`,
      transform: `rotate(${Math.atan2(down, across)}rad)`
    });
  }
  function update() {
    element.hidden = view.net.merge !== "scrambled";
    paint(picture, view.images.output, view.size, 0, view.info.windows.output, "grey");
    picture.setAttribute("aria-label", "output, with the place where the query's values were computed");
  }
  follow(framed, view.size, view.cursor);
  return { element, update, show: show2 };
}

// dcamsr_lite/widgets/shared/arrow_field.js
var LONGER = 3;
var [HEAD, WIDE] = [2.6, 0.5];
var LEAST = 0.25;
var write2 = (x) => +x.toFixed(2);
var line = ({ row, column, offset: [down, right] }) => `M${column + 0.5} ${row + 0.5}l${write2(LONGER * right)} ${write2(LONGER * down)}`;
function head({ row, column, offset: [down, right] }) {
  const long = LONGER * Math.hypot(down, right);
  const [y, x] = [down, right].map((part) => LONGER * part / long);
  const size = Math.min(HEAD, 2 * long / 3);
  const [tipX, tipY] = [column + 0.5 + long * x, row + 0.5 + long * y];
  const corner = (side) => `${write2(tipX - size * (x - side * WIDE * y))} ${write2(tipY - size * (y + side * WIDE * x))}`;
  return `M${write2(tipX)} ${write2(tipY)}L${corner(1)}L${corner(-1)}Z`;
}
var ARROWS2 = `Arrows: from a place (white dot) towards where in the reference it looks, drawn ${LONGER} times as long; below ${LEAST} pixels only the dot.`;
function arrowField(size) {
  const ground = make("canvas", { role: "img" });
  const lines = shape("path", { class: "dx-offsets" });
  const heads = shape("path", { class: "dx-offsets dx-tips" });
  const dots = shape("path", { class: "dx-offsets dx-starts" });
  const drawing = shape("svg", { viewBox: `0 0 ${size[1]} ${size[0]}`, "aria-hidden": "true" }, lines, heads, dots);
  const { element, mark } = frame(
    size,
    ground,
    /** @type {any} */
    drawing
  );
  element.classList.add("dx-field");
  function point(arrows2) {
    const long = arrows2.filter(({ offset: offset2 }) => Math.hypot(...offset2) >= LEAST);
    lines.setAttribute("d", long.map(line).join(""));
    heads.setAttribute("d", long.map(head).join(""));
    dots.setAttribute("d", arrows2.map(({ row, column }) => `M${column + 0.5} ${row + 0.5}h0`).join(""));
  }
  return {
    element,
    mark,
    point,
    draw: (image, white) => paint(ground, image, size, 0, white, "grey"),
    name: (words) => ground.setAttribute("aria-label", words)
  };
}

// dcamsr_lite/widgets/shared/offsets.js
var EVERY = 8;
var DARK = 1 / 8;
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
function offset(weights, side, scale) {
  const half2 = (side - 1) / 2;
  let [down, right, total] = [0, 0, 0];
  for (let i = 0; i < side * side; i++) {
    total += weights[i];
    down += weights[i] * (Math.floor(i / side) - half2);
    right += weights[i] * (i % side - half2);
  }
  return [scale * down / total, scale * right / total];
}
function inWords(offset2, least = 0.25, write3 = (x) => x.toFixed(1)) {
  const ways = [
    ["up", "down"],
    ["to the left", "to the right"]
  ];
  const parts = offset2.map((x, axis) => Math.abs(x) < least ? "" : `${write3(Math.abs(x))} ${ways[axis][+(x > 0)]}`);
  return parts.filter(Boolean).join(" and ");
}
function arrows({ size, image, white }, offsetAt) {
  const found = [];
  for (let row = EVERY / 2; row < size[0]; row += EVERY)
    for (let column = EVERY / 2; column < size[1]; column += EVERY)
      if (image[row * size[1] + column] >= DARK * white) found.push({ row, column, offset: offsetAt(row, column) });
  return found;
}
function summary(found) {
  if (!found.length) return "";
  const middle = [0, 1].map((axis) => median(found.map((arrow) => arrow.offset[axis])));
  const spread = median(found.map(({ offset: o }) => Math.hypot(o[0] - middle[0], o[1] - middle[1])));
  const far = inWords(middle);
  const lies = far ? `Over the head, in the middle, ${far}: there the reference lies` : "Over the head: the reference lies in place";
  const apart = spread > 0.5 ? `, but not everywhere, places differ by ${spread.toFixed(1)}: turned, bent, or not found` : "";
  return `${lies}${apart}.`;
}

// dcamsr_lite/widgets/attention/offset_panel.js
function offsetPanel(view) {
  const { state, size, info } = view;
  const field = arrowField(size);
  const reference = { size, image: view.images.reference, white: info.windows.reference };
  field.draw(reference.image, reference.white);
  const near2 = make("canvas", { role: "img" });
  const bar = colourBar("signed", "weight");
  const own = make("div", { class: "dx-own", title: "its own place" });
  const here = make("div", { class: "dx-frame dx-near" }, near2, own);
  const cross = make("div", { class: "dx-mark" });
  here.append(cross);
  const around2 = make("b", { class: "dx-around" });
  const words = make("p", { class: "dx-reading" });
  const what = make("p", { class: "dx-what" });
  const element = make(
    "section",
    { class: "dx-card dx-wide" },
    make("h3", {}, "Where does every place look?"),
    words,
    make(
      "div",
      { class: "dx-places" },
      field.element,
      make("figure", {}, make("figcaption", {}, around2), here, bar.bar, what)
    )
  );
  let all = "";
  let drawn = "";
  function update() {
    const { level } = view;
    element.hidden = !level.window;
    if (!level.window) return;
    const name = `${state.network} ${state.level} ${state.head}`;
    if (name === drawn) return;
    drawn = name;
    const found = arrows(reference, (...place2) => {
      const at = place2.map((x, axis) => Math.floor((x + info.offset[axis]) / state.level));
      const weights = level.weights(state.head, at[0] * level.columns + at[1]);
      return offset(weights, level.window ?? 1, state.level);
    });
    all = summary(found);
    what.textContent = `level ${state.level}. White circle: the place itself. Square, in this view: where it looks. ${ARROWS2}`;
    field.name(`reference with arrows. ${all}`);
    field.point(found);
    around2.textContent = `the ${level.window} × ${level.window} pixels around it`;
  }
  function show2({ at, drawn: shown, weights, mark }) {
    const { window } = view.level;
    if (!window) return;
    const high = extent(shown);
    paint(near2, Float32Array.from(shown), [window, window], -high, high, "signed");
    near2.setAttribute("aria-label", `weights of the ${window} by ${window} pixels around this place`);
    bar.set(-high, high);
    const [down, right] = offset(weights, window, state.level);
    const centre = (x) => (window - 1) / 2 + x / state.level + 0.5;
    place(cross, [window, window], centre(down), centre(right), 0, 0);
    mark(field.mark);
    const far = inWords([down, right]);
    words.textContent = `Row ${at[0]}, column ${at[1]} looks ${far ? `${far}, in pixels of the reference` : "at its own place"}. ${all}`;
  }
  follow(field.element, size, view.cursor);
  return { element, update, show: show2, said: () => words.textContent };
}

// dcamsr_lite/widgets/attention/explorer.js
var NAMES = [
  "network",
  "branch",
  "query",
  "level",
  "head",
  "side_by_side",
  "relative",
  "reverse",
  "by_value",
  "cell"
];
var answers = (view) => {
  const of = (level) => view.net.levels[level];
  return {
    map: (l, head2, r, c, relative, reverse, by_value) => mapOf(of(l), head2, r, c, { relative, reverse, by_value }),
    maps: (l, r, c, relative, reverse, by_value) => mapsOf(of(l), r, c, { relative, reverse, by_value }),
    weights: (l, head2, r, c) => of(l).weights(head2, r * of(l).columns + c),
    channel: (l, head2) => of(l).matrix(head2),
    cosine: (l, head2) => of(l).cosine(head2),
    feature: (l, kind, head2, i) => of(l).feature(kind, head2, i),
    mixed: (l, head2, i) => of(l).mixed(head2, i),
    source: (l, r, c) => of(l).source(r, c, view.net.merge === "scrambled"),
    state: view.state,
    format
  };
};
function build(model, root) {
  const settle = () => {
    place2.save();
    say();
  };
  const stay = () => {
    if (view.query) state.query = view.query.at;
    settle();
  };
  const leave = () => {
    show2(...state.query);
    say();
  };
  const view = new View(model, {
    set: (changes) => place2.set(changes),
    settle,
    cursor: { look: show2, hover: show2, stay, leave }
  });
  const { info, state } = view;
  const place2 = shareState(model, NAMES, state, update, () => view.fit());
  for (const name of NAMES) state[name] = model.get(name);
  const controls = controlPanel(view, place2.bind);
  const pictures = imagePanel(view);
  const map = mapPanel(view);
  const footprint = footprintPanel(view);
  const offsets = offsetPanel(view);
  const merge = mergePanel(view);
  const channel = channelPanel(view);
  const entropies = entropyPanel(view);
  const cuts = cutsPanel(view);
  const [matrices, features] = channel.elements;
  const layout = make("span");
  const summary2 = make("summary", {}, "The weights of one place, on the whole image");
  const fold = make("details", { class: "dx-fold", open: "" }, summary2, map.element);
  let folds = false;
  const live = announcer();
  const header = heading(
    model,
    "Where does the network look?",
    "Move over an image: which reference pixels does the network read for that place? Click to stay, arrow keys move on. How far from uniform is it, and does it matter?",
    [info.title, sliceOf(info), greysOf(info), ...info.files, ...info.notes]
  );
  header.querySelector(".dx-about")?.append(layout);
  root.append(
    header,
    controls.element,
    make(
      "div",
      { class: "dx-look" },
      make("div", {}, pictures.element, pictures.legend),
      make("div", { class: "dx-first" }, fold, offsets.element, matrices)
    ),
    make("div", { class: "dx-column" }, footprint.element, merge.element, features, entropies.element, cuts.element),
    live
  );
  function show2(r, c) {
    const query = view.ask(r, c);
    const forward = state.reverse ? [] : [offsets, footprint, merge, entropies];
    const panels = state.branch === "spatial" ? [pictures, map, ...forward] : [pictures, channel];
    for (const panel2 of panels) panel2.show(query);
    return query.at;
  }
  function update() {
    const { net } = view;
    const spatial = state.branch === "spatial";
    view.compare();
    root.classList.toggle("dx-alone", !state.over);
    layout.textContent = ["", info.title === net.title ? null : net.title, net.layout, ...net.notes].filter((part) => part !== null).join(" · ");
    for (const part of [controls, pictures, map, offsets, footprint, merge, channel, entropies, cuts]) part.update();
    foldMap(spatial);
    const forward = spatial && !state.reverse;
    footprint.element.hidden = !forward || !!view.level.window;
    for (const { element } of [offsets, merge]) element.hidden ||= !forward;
    root.classList.toggle("dx-several", Boolean(state.side_by_side));
    root.classList.toggle("dx-grid", spatial && state.side_by_side === "levels");
    show2(...state.query);
    say();
  }
  function foldMap(spatial) {
    fold.hidden = !spatial;
    const asked = state.side_by_side || state.reverse || state.by_value || state.relative === "queries";
    const few = !!view.level.window && !asked;
    summary2.hidden = !few;
    if (few !== folds) fold.open = !(folds = few);
  }
  function say() {
    live.textContent = (state.branch === "spatial" ? map : channel).said();
  }
  strides(
    pictures.element,
    (dr, dc) => {
      state.query = show2(state.query[0] + dr * state.level, state.query[1] + dc * state.level);
    },
    stay
  );
  place2.read();
  root.explorer = { ...answers(view), show: show2, numbers: map.numbers };
  return place2.stop;
}
var { render, standalone } = widget(build, "attention");
var explorer_default = { render };
export {
  explorer_default as default,
  standalone
};
