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
  const number2 = make("output");
  const sync = () => {
    input.value = String(read());
    number2.textContent = text(read());
    input.setAttribute("aria-valuetext", number2.textContent);
    group.title = note();
    group.classList.toggle("dx-unanswered", Boolean(note()));
  };
  const moved = (settled, way = 0) => {
    write2(snap(+input.value, way), settled);
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
  const group = make("label", { class: kind }, make("span", {}, label), input, number2);
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
    let number2 = 0;
    for (let i = 5 * part; i < 5 * part + 5; i++) number2 = number2 * 85 + digit[whole.charCodeAt(i)];
    data.setUint32(4 * part, number2);
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
  const percent2 = (x) => `${format(100 * x, 2)} %`;
  return make(
    "small",
    { class: "dx-quality" },
    ...[
      `${name === "low" ? "zero-filled, " : ""}PSNR ${quality.psnr}`,
      `error ${percent2(quality.measured)} measured`,
      `+ ${percent2(quality.removed)} removed`
    ].map((line) => make("span", {}, line))
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

// dcamsr_lite/widgets/attribution/agreement_panel.js
var CURVES = {
  attribution: ["da-attribution", "none"],
  "attention, level 1": ["da-attention", "none"],
  "attention, level 2": ["da-attention", "6 3"],
  "attention, level 4": ["da-attention", "1.5 3"],
  nearness: ["da-control", "none"],
  edges: ["da-control", "6 3"],
  chance: ["da-chance", "4 3"]
};
var NAMES = { nearness: "nearest first", edges: "edges of the reference first" };
var number = (x) => x === null ? "undefined" : x.toFixed(2);
function legendOf(name, curve) {
  if (name !== "chance") return `${NAMES[name] ?? name}: ${number(curve.early)}`;
  const [low, high] = curve.early_range ?? [null, null];
  return `chance, ${curve.draws} draws: ${number(curve.early)} (${number(low)} to ${number(high)})`;
}
function drawDeletion(curves) {
  const [left, top, width, height] = [42, 26, 280, 130];
  const { chance } = curves;
  const high = Math.max(...chance.high, ...Object.values(curves).flatMap((c) => c.change)) || 1;
  const x = (fraction) => left + width * Math.sqrt(fraction);
  const y = (change) => top + height * (1 - change / high);
  const along = (changes) => [[0, 0], ...chance.fractions.map((f, i) => [f, changes[i]])];
  const path = (points) => points.map(([f, c]) => `${x(f)},${y(c)}`).join(" ");
  const svg = shape("svg", {
    viewBox: "0 0 340 200",
    role: "img",
    "aria-label": Object.entries(curves).map(([name, c]) => legendOf(name, c)).join("; ")
  });
  for (const part of [0, 0.5, 1]) {
    svg.append(
      shape("line", { x1: left, x2: left + width, y1: y(part * high), y2: y(part * high) }),
      shape("text", { x: left - 5, y: y(part * high) + 3, "text-anchor": "end" }, format(part * high, 2))
    );
  }
  for (const fraction of [0.01, 0.05, 0.1, 0.2, 0.4, 0.7, 1]) {
    svg.append(shape("text", { x: x(fraction), y: top + height + 15, "text-anchor": "middle" }, `${100 * fraction}`));
  }
  svg.append(
    shape(
      "text",
      { x: left + width / 2, y: top + height + 35, "text-anchor": "middle" },
      "% of the reference blurred (root scale)"
    )
  );
  svg.append(
    shape("text", { x: 0, y: 11 }, "mean change of the patch"),
    shape("polygon", { class: "da-band", points: path([...along(chance.high), ...along(chance.low).reverse()]) })
  );
  const names = [];
  for (const [name, curve] of Object.entries(curves)) {
    const [kind, dashes] = CURVES[name];
    const line = { class: kind, "stroke-dasharray": dashes };
    svg.append(shape("polyline", { ...line, points: path(along(curve.change)) }));
    const swatch = shape("svg", { viewBox: "0 0 26 8", "aria-hidden": "true" });
    swatch.append(shape("polyline", { ...line, points: "1,4 25,4" }));
    names.push(make("span", {}, swatch, legendOf(name, curve)));
  }
  return { svg, names };
}
function sayTold({ chance, nearness, edges, ...maps }) {
  if (!chance.early_range) return "";
  const [low, high] = chance.early_range;
  const ruler = Math.max(nearness.early ?? 0, edges.early ?? 0);
  const named = (test) => Object.keys(maps).filter((name) => maps[name].early !== null && test(maps[name].early)).join("; ") || "none";
  const clear = named((x) => x > high && x - ruler > high - low);
  return `Above every chance order: ${named((x) => x > high)}. Above both rulers by more than chance orders differ (${number(high - low)}): ${clear}` + (clear === "none" ? ", so that here the score tells no map from the rulers." : ".");
}
function rankTable(agreement) {
  if (!agreement.length) return make("p", {}, "This function has no spatial attention to compare with.");
  const rho = (x) => make("td", {}, x === null ? "no ranks" : x.toFixed(2).replace("-", "−"));
  const same = agreement.every(({ lifted, relative }) => lifted?.toFixed(2) === relative?.toFixed(2));
  const head = (same ? ["attention (minus uniform: the same)"] : ["attention", "minus uniform"]).map(
    (name) => make("th", { scope: "col" }, name)
  );
  const lines = agreement.map(
    ({ level, lifted, relative }) => make("tr", {}, make("th", { scope: "row" }, `level ${level}`), rho(lifted), same ? null : rho(relative))
  );
  return make(
    "table",
    {},
    make("caption", {}, "Rank correlation of |attribution| with |lifted attention| of the patch, from −1 to 1"),
    make("thead", {}, make("tr", {}, make("td"), ...head)),
    make("tbody", {}, ...lines)
  );
}
function agreementPanel(view) {
  const table = make("div");
  const curves = make("div");
  const legend = make("div", { class: "da-legend" });
  const told = make("p", { class: "da-told" });
  const late = make(
    "p",
    { class: "dx-reading" },
    "The maps are there. What they are compared with comes with the rest of the run; if it was stopped, Continue."
  );
  const compared = make(
    "div",
    { class: "da-agree" },
    table,
    curves,
    make(
      "div",
      {},
      legend,
      told,
      make(
        "p",
        { class: "dx-reading" },
        "Deletion: the reference is blurred pixel by pixel, in the order of each map. Beside its name the early score, the mean change over the first tenth of the pixels over that at the end: an order that knows what the patch depends on is near 1 (above it, where the patch first moves further than at the end), chance lies in the grey band. Nearness and edges know nothing of the network: a map that explains it has to be better than they are."
      )
    )
  );
  const element = card("Does attention agree?", late, compared);
  element.classList.add("da-wide");
  function draw() {
    const { agreement, deletion, controls } = view.result;
    late.hidden = Boolean(deletion);
    compared.hidden = !deletion;
    if (!deletion) return;
    const { svg, names } = drawDeletion({ ...deletion, ...controls });
    table.replaceChildren(rankTable(agreement));
    curves.replaceChildren(svg);
    legend.replaceChildren(...names);
    told.textContent = sayTold({ ...deletion, ...controls });
  }
  return { element, draw };
}

// dcamsr_lite/widgets/attribution/patch_panels.js
var markAt = (mark, size, [r, c, h, w]) => place(mark, size, r + h / 2, c + w / 2, h, w);
function patchPanels(view, change, settle) {
  const { info, size, images, state } = view;
  const panels = Object.keys(images).map((name) => {
    const error = name === "error";
    const high = error ? window995(distance(images.low, images.target)) : info.windows[name];
    const shown = panel(
      info.titles[name],
      size,
      error ? { colours: "viridis", unit: "% of white" } : { note: qualityNote(info.quality[name], name) }
    );
    shown.draw(images[name], high, 100 * high / info.windows.output);
    return shown;
  });
  const element = make(
    "div",
    {
      class: "dx-panels",
      tabindex: 0,
      role: "application",
      "aria-label": "Patch. Arrow keys move it one pixel, with shift they resize it."
    },
    ...panels.map((p) => p.figure)
  );
  let anchor = null;
  function look(r, c) {
    anchor ??= { at: [r, c], patch: state.patch };
    const {
      at: [r0, c0],
      patch: [, , h, w]
    } = anchor;
    const far = [Math.abs(r - r0), Math.abs(c - c0)];
    change(
      Math.max(...far) < 2 ? [r - h / 2, c - w / 2, h, w] : [Math.min(r, r0), Math.min(c, c0), far[0] + 1, far[1] + 1]
    );
  }
  function stay() {
    anchor = null;
    settle();
  }
  function leave() {
    if (anchor) change(anchor.patch);
    anchor = null;
  }
  for (const { element: framed } of panels) follow(framed, size, { look, stay, leave });
  steps(
    element,
    (dr, dc, { shiftKey }) => {
      const [r, c, h, w] = state.patch;
      change(shiftKey ? [r, c, h + dr, w + dc] : [r + dr, c + dc, h, w]);
    },
    settle
  );
  return { element, update: () => panels.forEach(({ mark }) => markAt(mark, size, state.patch)) };
}

// dcamsr_lite/widgets/attribution/map_panel.js
var strongest = (map) => {
  const sorted = map.map(Math.abs).sort();
  return sorted[Math.floor(0.995 * sorted.length)] || sorted.at(-1) || 1e-30;
};
function mapPanel(view, which, name, title) {
  const { info, size } = view;
  const [top, left] = info.offset;
  const ground = make("canvas");
  const overlay = make("canvas", { class: "dx-overlay", role: "img" });
  paint(ground, view.images[name], size, 0, info.windows[name], "grey");
  place(overlay, size, -top, -left, info.grid[0], info.grid[1]);
  const framed = frame(size, ground, overlay);
  const bar = colourBar("signed", "attribution per pixel; the strongest 0.5 % lie beyond the ends");
  const reading = make("p", { class: "dx-reading" });
  function rest() {
    const { target, diffusion } = view.result;
    reading.textContent = `Orange adds to the ${target === "detail" ? "detail" : "brightness"} of the patch, blue takes from it. Diffusion index ${diffusion[which] === null ? "undefined: nothing here counts" : diffusion[which].toFixed(1)}.`;
  }
  function draw() {
    const {
      values,
      shape: [h, w]
    } = view.result[which];
    const high = strongest(values);
    paint(overlay, values, [h, w], -high, high, "signed");
    overlay.setAttribute("aria-label", `attribution, ${title}`);
    bar.set(-high, high);
    markAt(framed.mark, size, view.result.patch);
    rest();
  }
  function look(r, c) {
    const {
      values,
      shape: [h, w]
    } = view.result[which];
    const scale = info.grid[0] / h;
    const [i, j] = [Math.floor((r + top) / scale), Math.floor((c + left) / scale)];
    reading.textContent = `Row ${r}, column ${c}: ${format(values[i * w + j] ?? 0)}.`;
  }
  follow(framed.element, size, { look, hover: look, stay: () => {
  }, leave: rest });
  return { element: card(title, framed.element, bar.bar, reading), draw };
}

// dcamsr_lite/widgets/attribution/run_panel.js
var roughly = (seconds) => seconds < 90 ? `about ${Math.max(1, Math.round(seconds))} s` : `about ${Math.round(seconds / 60)} min`;
var sinceS = (began) => (performance.now() - began) / 1e3;
function runPanel({ model, info, state }, live, save) {
  const [start, stop] = ["Run", "Stop"].map((label) => make("button", { type: "button" }, label));
  const bar = make("progress", { "aria-label": "progress of the run", max: 1, value: 0 });
  const status = make("span", { class: "da-status" });
  let job = null;
  let paused = null;
  const asked = () => ({ patch: state.patch, method: state.method, target: state.target });
  const place2 = () => JSON.stringify(Object.values(asked()));
  function ask(job2) {
    job2.asked = performance.now();
    model.send({ ask: "chunk", id: job2.id, ...job2.where });
  }
  function run() {
    if (model.alone || job) return;
    save();
    const first = paused && paused.place === place2() ? paused.done : 0;
    job = {
      id: `${Math.random()}`,
      where: asked(),
      place: place2(),
      title: info.methods[state.method],
      began: performance.now(),
      first
    };
    if (!first) bar.value = 0;
    status.textContent = live.textContent = "running";
    sync();
    ask(job);
  }
  function halt(words) {
    paused = job && !words ? { place: job.place, done: job.done ?? job.first, total: job.total } : null;
    status.textContent = words ?? `stopped after ${paused?.done} of ${paused?.total ?? "?"} steps; the kernel is free when its step ends${job?.chunk ? `, within ${job.chunk.toFixed(1)} s` : ""}`;
    live.textContent = status.textContent;
    job = null;
    sync();
  }
  function answered(content) {
    if (!job || content.id !== job.id) return;
    if (content.error) return halt(`the run failed: ${content.error}`);
    const { done, total, finished } = content;
    const took = sinceS(job.began);
    Object.assign(job, { done, total, chunk: Math.max(job.chunk ?? 0.1, sinceS(job.asked)) });
    bar.value = finished ? 1 : done / total;
    if (finished) return halt(`${job.title} done in ${took.toFixed(0)} s`);
    status.textContent = `step ${done} of ${total}, ${roughly(took / Math.max(1, done - job.first) * (total - done))} left`;
    ask(job);
  }
  function sync() {
    state.running = !!job;
    start.disabled = model.alone || !!job;
    stop.disabled = !job;
    start.textContent = !job && paused?.place === place2() ? "Continue" : "Run";
    for (const part of [start, stop, bar]) part.hidden = !!model.alone;
    if (model.alone)
      status.textContent = `This page keeps the results of ${Object.keys(model.get("results")).map((name) => info.methods[name]).join(" and ") || "no method"}. New runs need a kernel: dl.explore_attribution(model, pair) in a notebook. What is dashed, and any other patch, has no result here.`;
  }
  start.addEventListener("click", run);
  stop.addEventListener("click", () => halt());
  model.on("msg:custom", answered);
  return {
    element: make("div", { class: "da-run" }, start, stop, bar, status),
    sync,
    run,
    halt,
    stop() {
      job = null;
      model.off("msg:custom", answered);
    }
  };
}

// dcamsr_lite/widgets/attribution/view.js
var View = class {
  /** @type {State} */
  state = (
    /** @type {any} */
    { over: true, running: false }
  );
  /** @type {any} what the method on screen has found, the maps under "lr" and "ref" unpacked; null where it has not run */
  result = null;
  /** @param {import("../shared/page.js").Model} model */
  constructor(model) {
    this.model = model;
    this.info = model.get("info");
    this.size = this.info.shape;
    this.images = unpackAll(model.get("images"));
    if (this.images.target) this.images.error = distance(this.images.output, this.images.target);
  }
  read() {
    const found = this.model.get("results")[this.state.method];
    this.result = found ? { ...found, lr: unpack(found.lr), ref: unpack(found.ref) } : null;
  }
  /**
   * Why a saved page has no answer, where it has none.
   * @param {boolean} none
   */
  unanswered(none) {
    return this.model.alone && none ? "No result in this page: here is no kernel to run the network" : "";
  }
  /** Whether the result is about what is asked now. */
  current() {
    const { result, state } = this;
    return Boolean(result) && result.target === state.target && String(result.patch) === String(state.patch);
  }
  /**
   * The nearest patch that lies in the image and is not too large.
   * @param {number[]} patch
   */
  fit([r, c, h, w]) {
    const [rows, columns] = this.size;
    const { largest } = this.info;
    const within = (x, low, high) => clamp(Math.round(x), low, high);
    const [height, width] = [within(h, 1, Math.min(largest, rows)), within(w, 1, Math.min(largest, columns))];
    return [within(r, 0, rows - height), within(c, 0, columns - width), height, width];
  }
};
var percent = (x, digits = 0) => x === null ? "undefined" : `${(100 * x).toFixed(digits)} %`;
var whereIs = ([row, column, height, width]) => `${height} × ${width} at row ${row}, column ${column}`;

// dcamsr_lite/widgets/attribution/share_panel.js
var STARTS = {
  blur_path: "the blurred pair",
  integrated_gradients: "the flat grey pair",
  occlusion: "the blurred pair"
};
function sharePanel(view) {
  const shares = make("div", { class: "da-share", role: "img" });
  const net = make("p", { class: "dx-reading" });
  const facts = make("dl", { class: "da-facts" });
  const element = card("What the patch owes to each contrast", shares, net, facts);
  function bar(name, part) {
    const parts = [
      { of: "input", share: 1 - part, kind: "da-lr" },
      { of: "reference", share: part, kind: "da-ref" }
    ];
    const drawn = parts.every(({ share }) => share >= 0);
    return [
      make("p", {}, make("b", {}, name)),
      ...drawn ? parts.map(({ share, kind }) => make("div", { class: kind, style: `flex-grow:${share}` })) : [],
      make(
        "p",
        {},
        ...parts.map(
          ({ of, share, kind }) => make("span", {}, make("i", { class: kind }), `${of} ${percent(share, 1)}`)
        )
      )
    ];
  }
  function draw() {
    const { share, complete, net_share, net: sums, value, start, target, completeness, diffusion } = view.result;
    const { method } = view.state;
    const off = `The maps do not add up to the change of the patch (off by ${percent(completeness, 0)}), so they are no shares of it.`;
    shares.replaceChildren(
      ...net_share === null ? [] : bar("Signed sums: what explains the change", net_share),
      ...complete && share !== null ? bar("Absolute: all magnitudes, opposite signs do not cancel", share) : [],
      ...complete ? [] : [make("p", {}, off)]
    );
    shares.setAttribute("aria-label", complete ? `the reference explains ${percent(net_share, 1)}` : off);
    net.textContent = `${target === "detail" ? "Detail" : "Mean"} of the patch: ${format(start)} of ${STARTS[method]}, ${format(value)} of the images. Explained by the input ${format(sums.lr)}, by the reference ${format(sums.ref)}.`;
    const rows = [
      [
        "Completeness error",
        percent(completeness, 2),
        method === "occlusion" ? "occlusion promises none: pixels act together" : "of the difference; below 1 % the maps account for it"
      ],
      [
        "Diffusion index, reference",
        diffusion.ref === null ? "undefined" : diffusion.ref.toFixed(1),
        "100: all pixels alike; 0: one pixel (LAM)"
      ]
    ];
    facts.replaceChildren(
      ...rows.flatMap(([name, number2, note]) => [
        make("dt", {}, name),
        make("dd", {}, make("b", {}, number2), ` ${note}`)
      ])
    );
  }
  return { element, draw };
}

// dcamsr_lite/widgets/attribution/explorer.js
var NAMES2 = ["patch", "method", "target"];
function controlPanel(view, { bind, set }) {
  const { info, size, state } = view;
  const sides = [4, 8, 16, 32].filter((side) => side <= Math.min(info.largest, ...size));
  function square(side) {
    const [r, c, h, w] = state.patch;
    set({ patch: view.fit([r + (h - side) / 2, c + (w - side) / 2, side, side]) });
  }
  const choices = [
    choice(
      "Method",
      Object.entries(info.methods),
      ...bind("method"),
      (method) => view.unanswered(!view.model.get("results")[method]),
      false
    ),
    choice(
      "Question",
      [
        ["detail", "detail", "where do the edges of the patch come from?"],
        ["mean", "brightness", "where does the mean of the patch come from?"]
      ],
      ...bind("target"),
      (target) => view.unanswered(target !== view.result?.target),
      false
    ),
    choice(
      "Patch",
      sides.map((side) => [side, `${side} × ${side}`]),
      () => state.patch[2] === state.patch[3] ? state.patch[2] : null,
      square,
      (side) => view.unanswered(String(view.result?.patch.slice(2)) !== `${side},${side}`),
      false
    ),
    choice(
      "Maps",
      [
        [true, "on the image"],
        [false, "alone"]
      ],
      ...bind("over")
    )
  ];
  return {
    element: make("div", { class: "dx-controls" }, ...choices.map((c) => c.group)),
    sync: () => choices.forEach((c) => c.sync())
  };
}
function build(model, root) {
  const view = new View(model);
  const { info, state } = view;
  const live = announcer();
  const shared = shareState(model, NAMES2, state, update);
  const change = (patch2) => {
    state.patch = view.fit(patch2);
    update();
  };
  const settle = () => {
    shared.save();
    live.textContent = `Patch ${whereIs(state.patch)}.`;
  };
  const controls = controlPanel(view, shared);
  const patch = patchPanels(view, change, settle);
  const runner = runPanel(view, live, shared.save);
  const panels = [
    mapPanel(view, "lr", "low", "On the input"),
    mapPanel(view, "ref", "reference", "On the reference"),
    sharePanel(view),
    agreementPanel(view)
  ];
  const what = make("p", { class: "da-what" });
  const cards = make("div", { class: "dx-cards da-cards" }, ...panels.map((p) => p.element));
  root.append(
    heading(
      model,
      "What does this patch owe to each contrast?",
      "Drag a patch on an image, or click to move it there; arrow keys move it, shift and arrows resize it. Then run a method.",
      [info.title, sliceOf(info), greysOf(info), ...info.files]
    ),
    controls.element,
    patch.element,
    ...view.images.target ? [make("p", { class: "dx-about" }, QUALITY)] : [],
    runner.element,
    what,
    cards,
    live
  );
  function said() {
    const { result } = view;
    const method = info.methods[state.method];
    if (!result) return `${model.alone ? "This page holds no result" : "No result yet"}: ${method}.`;
    const asked = `${method}, ${result.target === "detail" ? "detail" : "brightness"} of the patch ${whereIs(result.patch)}.`;
    return view.current() ? asked : `${asked} The patch or the question has changed since.`;
  }
  function update() {
    view.read();
    controls.sync();
    patch.update();
    runner.sync();
    cards.hidden = !view.result;
    if (view.result) for (const panel2 of panels) panel2.draw();
    what.textContent = said();
    root.classList.toggle("dx-alone", !state.over);
    root.classList.toggle("da-old", Boolean(view.result) && !view.current());
  }
  model.on("change:results", update);
  shared.read();
  function numbers() {
    if (!view.result) return null;
    const { values, shape: shape2 } = view.result.ref;
    const [rows, columns] = info.shape;
    const at = (row, column) => values[(info.offset[0] + row) * shape2[1] + info.offset[1] + column];
    const inside = Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns));
    return { values: inside, size: [rows, columns] };
  }
  root.explorer = { numbers, state, run: runner.run, stop: () => runner.halt(), result: () => view.result };
  return () => {
    runner.stop();
    shared.stop();
    model.off("change:results", update);
  };
}
var { render, standalone } = widget(build, "attribution");
var explorer_default = { render };
export {
  explorer_default as default,
  standalone
};
