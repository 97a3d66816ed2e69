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

// dcamsr_lite/widgets/shared/print.js
var WIDTH = 180;
var DPI = 300;
var [GAP, LINE, BAR] = [3, 4, 3];
var MARKS = ".dx-mark, .dx-run, .dx-lesion, .mx-box, .mx-line, .kx-box";
var seen = (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility !== "hidden";
var shorten = (text, most) => text.length > most ? `${text.slice(0, most - 1)}…` : text;
var write = (x, y, text, { size = 2.6, anchor = "start", weight = 400 } = {}) => shape("text", { x, y, "font-size": size, "text-anchor": anchor, "font-weight": weight }, text);
var show = (place2, canvas, style = "") => shape("image", { ...place2, preserveAspectRatio: "none", style, href: canvas.toDataURL() });
function drawPicture(frame, { x, y, width, height }) {
  const whole = frame.getBoundingClientRect();
  const within = (element) => {
    const box = element.getBoundingClientRect();
    return {
      x: (box.left - whole.left) / whole.width * width,
      y: (box.top - whole.top) / whole.height * height,
      width: box.width / whole.width * width,
      height: box.height / whole.height * height
    };
  };
  const parts = (names) => [...frame.querySelectorAll(names)].filter(seen);
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
var titleOf = (frame) => (frame.closest("figure") ?? frame.closest(".dx-tile"))?.querySelector("figcaption b, small")?.textContent ?? "";
function headingOf(group) {
  const before = group.previousElementSibling;
  const card = group.closest(".dx-card");
  const [heading2, what] = ["h3", ".dx-what"].map((part) => card?.querySelector(part)?.textContent ?? "");
  const text = before?.matches(".dx-scale") ? `${heading2}, ${before.textContent}` : [heading2, what].filter(Boolean).join(" · ");
  return shorten(text, 120);
}
function drawFigure(root) {
  const frames = [...root.querySelectorAll(".dx-frame")].filter(seen);
  const groups = /* @__PURE__ */ new Map();
  for (const frame of frames) {
    const group = frame.closest(".dx-panels, .dx-heads, .dx-lab-panels, .dx-maps, .dx-card, .dp-look, .kx-parts") ?? root;
    groups.set(group, [...groups.get(group) ?? [], frame]);
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
      shown.slice(first, first + across).forEach((frame, i) => {
        const box = frame.getBoundingClientRect();
        const place2 = { x: i * (width + GAP), y: y + LINE, width, height: width * box.height / box.width };
        parts.push(write(place2.x, y + LINE - 1, titleOf(frame)), drawPicture(frame, place2));
        const end = place2.y + place2.height;
        const bar2 = frame.closest("figure")?.querySelector(".dx-bar");
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

// dcamsr_lite/widgets/comparison/explorer.js
function build(model, root) {
  const { names, shape: shape2, white, half: half2, title } = model.get("info");
  const [rows, columns] = shape2;
  const images = unpackAll(model.get("images"));
  const state = { left: "", right: "", at: 0.5, point: [0, 0] };
  const { soon, flush } = eachFrame();
  const shared = shareState(model, Object.keys(state), state, draw);
  const settle = () => {
    flush();
    shared.save();
    live.textContent = said();
  };
  const [under, over] = [0, 1].map(() => make("canvas", { role: "img" }));
  const words = [make("span", { class: "mx-name" }), make("span", { class: "mx-name mx-right" })];
  const line = make("div", { class: "mx-line" });
  const box = make("div", { class: "mx-box" });
  const frame = make(
    "div",
    {
      class: "dx-frame mx-frame",
      style: `aspect-ratio:${columns}/${rows}`,
      tabindex: "0",
      role: "application",
      "aria-label": "Images. Drag moves the line; arrow keys move the magnified part, with shift eight pixels."
    },
    under,
    over,
    ...words,
    box,
    line
  );
  const lenses = names.map((name) => {
    const canvas = make("canvas", { role: "img", "aria-label": `${name}, magnified` });
    return { name, canvas, figure: make("figure", {}, make("figcaption", {}, make("b", {}, name)), canvas) };
  });
  const swipe = slider(
    "Line",
    {
      kind: "mx-swipe",
      hint: "Line between the two images",
      bounds: [0, 1, 0.01],
      text: (x) => `${Math.round(100 * x)} %`
    },
    () => state.at,
    (value, settled) => move(value, settled)
  );
  const choices = ["left", "right"].map(
    (side) => choice(
      side === "left" ? "Left" : "Right",
      names.map((name) => [name, name]),
      ...shared.bind(side)
    )
  );
  const scale = colourBar("grey", "signal, a.u.");
  scale.set(0, white);
  const live = announcer();
  root.append(
    heading(model, "Swipe", "Drag the line over the image; point at a place to magnify it.", [title]),
    make("div", { class: "dx-controls" }, ...choices.map((c) => c.group)),
    make(
      "div",
      { class: "mx-parts" },
      make("div", {}, frame, swipe.group, scale.bar),
      make("div", { class: "mx-lenses" }, ...lenses.map((l) => l.figure))
    ),
    live
  );
  function move(value, settled) {
    state.at = clamp(value, 0, 1);
    settled ? settle() : soon(draw);
  }
  function look(row, column) {
    state.point = [clamp(row, 0, rows - 1), clamp(column, 0, columns - 1)];
    soon(draw);
  }
  let down = false;
  const across = (event) => pointIn(event, frame, shape2)[1] / columns;
  frame.addEventListener("pointerdown", (event) => {
    down = true;
    frame.setPointerCapture(event.pointerId);
    move(across(event), false);
  });
  frame.addEventListener("pointermove", (event) => {
    if (down) return move(across(event), false);
    const [row, column] = pointIn(event, frame, shape2).map(Math.floor);
    look(row, column);
  });
  for (const end of ["pointerup", "pointercancel"])
    frame.addEventListener(end, () => {
      down = false;
      settle();
    });
  strides(frame, (dr, dc) => look(state.point[0] + dr, state.point[1] + dc), settle);
  function corner() {
    const side = Math.min(2 * half2, rows, columns);
    const [top, left] = state.point.map((x, i) => clamp(x - half2, 0, shape2[i] - side));
    return { side, top, left };
  }
  function lens(name) {
    const { side, top, left } = corner();
    return Float32Array.from({ length: side * side }, (_, i) => {
      return images[name][(top + Math.floor(i / side)) * columns + left + i % side];
    });
  }
  function draw() {
    paint(under, images[state.left], shape2, 0, white, "grey");
    paint(over, images[state.right], shape2, 0, white, "grey");
    over.style.clipPath = `inset(0 0 0 ${100 * state.at}%)`;
    line.style.left = `${100 * state.at}%`;
    const { side, top, left } = corner();
    place(box, shape2, top, left, side, side);
    for (const { name, canvas } of lenses) paint(canvas, lens(name), [side, side], 0, white, "grey");
    [state.left, state.right].forEach((name, i) => {
      words[i].textContent = name;
      [under, over][i].setAttribute("aria-label", name);
    });
    swipe.sync();
    for (const part of choices) part.sync();
  }
  function said() {
    const [row, column] = state.point;
    const values = names.map((name) => `${name} ${format(images[name][row * columns + column])}`);
    return `Row ${row}, column ${column}: ${values.join(", ")}.`;
  }
  shared.read();
  root.explorer = { state, lens, numbers: () => ({ values: images[state.left], size: shape2 }) };
  return () => shared.stop();
}
var { render, standalone } = widget(build, "comparison");
var explorer_default = { render };
export {
  explorer_default as default,
  standalone
};
