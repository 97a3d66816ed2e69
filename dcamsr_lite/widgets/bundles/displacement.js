// Built by `make bundles` from the modules named below: change those, not this.

// dcamsr_lite/widgets/shared/answers.js
function fromKernel({ model, question, adopt: adopt2, keyOf: keyOf2, put, tell, wait }) {
  let waiting = (
    /** @type {Key} */
    null
  ), last = (
    /** @type {Key} */
    null
  ), count = 0, timer;
  let pending = (
    /** @type {{ state: State, draft: boolean } | null} */
    null
  );
  const answers = () => keyOf2(adopt2(model.get("result")[question])) === waiting;
  function send() {
    if (waiting || !pending) return;
    const { state, draft } = pending;
    last = waiting = keyOf2(state);
    pending = null;
    const same = draft === (model.get("draft") ?? draft) && keyOf2(adopt2(model.get(question))) === last;
    put(state, draft);
    if (same && answers()) return answered();
    model.save_changes();
    clearTimeout(timer);
    timer = setTimeout(() => {
      wait("Computing …");
      timer = setTimeout(() => {
        wait(model.late ?? "The kernel has not answered yet: it is busy, or gone. The next change asks again.");
        waiting = null;
      }, 1e4);
    }, 600);
  }
  function answered() {
    if (waiting && !answers()) return;
    const result = model.get("result");
    count++;
    clearTimeout(timer);
    waiting = null;
    tell(result, `Answered in ${result.seconds.toFixed(2)} s.`);
    send();
  }
  model.on("change:result", answered);
  return {
    ask(state, draft) {
      pending = { state: structuredClone(state), draft };
      send();
    },
    adopted() {
      last = pending = null;
    },
    // what still waited to be asked is not wanted any more
    isAsked: (key) => key === last,
    has: () => true,
    waiting: () => Boolean(waiting || pending),
    count: () => count,
    stop() {
      model.off("change:result", answered);
      clearTimeout(timer);
    }
  };
}
function fromPage({ model, question, adopt: adopt2, keyOf: keyOf2, put, tell, refused }) {
  const saved = new Map((model.get("results") ?? []).map((result) => [keyOf2(adopt2(result[question])), result]));
  const answer = (state) => tell(saved.get(keyOf2(state)) ?? { refused }, "");
  return {
    ask(state, draft) {
      put(state, draft);
      answer(state);
    },
    adopted: answer,
    isAsked: () => false,
    has: (key) => saved.has(key),
    waiting: () => false,
    count: () => 0,
    stop() {
    }
  };
}

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

// dcamsr_lite/widgets/shared/input.js
var ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
function steps(element, move2, settled = () => {
}) {
  element.addEventListener("keydown", (event) => {
    const step = ARROWS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    move2(
      step[0],
      step[1],
      /** @type {any} */
      event
    );
  });
  element.addEventListener("keyup", (event) => ARROWS[event.key] && settled());
}

// dcamsr_lite/widgets/shared/controls.js
function choice(label, options, read, write4, refuse = () => "", closed = true) {
  const name = `dx${Math.random()}`;
  const inputs = options.map(([value, text, hint = text]) => {
    const input = make("input", { type: "radio", name, "aria-label": `${label}: ${hint}` });
    input.addEventListener("change", () => write4(value));
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
    write4(value);
  });
  return { group, sync };
}
function slider(label, { kind, hint = label, bounds: [min, max, step], text, note = () => "", snap = (value) => value }, read, write4) {
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
    write4(snap(+input.value, way), settled);
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
var window995 = (values) => Float32Array.from(values).sort()[Math.floor(0.995 * values.length)] || 1;
var distance = (a, b) => a.map((x, i) => Math.abs(x - b[i]));
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
var show = (place, canvas, style = "") => shape("image", { ...place, preserveAspectRatio: "none", style, href: canvas.toDataURL() });
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
  const card = group.closest(".dx-card");
  const [heading2, what] = ["h3", ".dx-what"].map((part) => card?.querySelector(part)?.textContent ?? "");
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
        const place = { x: i * (width + GAP), y: y + LINE, width, height: width * box.height / box.width };
        parts.push(write(place.x, y + LINE - 1, titleOf(frame2)), drawPicture(frame2, place));
        const end = place.y + place.height;
        const bar2 = frame2.closest("figure")?.querySelector(".dx-bar");
        if (bar2 && seen(bar2)) parts.push(...drawBar(bar2, place.x, end + 1.5, width));
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
  const write4 = {
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
      () => write4[ending]().then(
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
  const place = make("small");
  const back = button("Back", () => go(at - 1));
  const next = button("Next", () => go(at + 1), { class: "dx-main" });
  let at = -1;
  function go(to) {
    at = Math.max(0, Math.min(steps2.length - 1, to));
    const { text: words, ...state } = steps2[at];
    text.textContent = words;
    place.textContent = `${at + 1} of ${steps2.length}`;
    [back.disabled, next.disabled] = [at === 0, at === steps2.length - 1];
    for (const [name, value] of Object.entries(state)) model.set(name, value);
    model.save_changes();
  }
  back.disabled = true;
  text.textContent = `A tour in ${steps2.length} steps: press Next.`;
  return make("nav", { class: "dx-tour", "aria-label": "Guided tour" }, text, make("div", {}, back, next, place));
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
var sliceOf = ({ slice, slices: slices2 }) => `slice ${slice} (counted 0 to ${slices2 - 1})`;
var greysOf = ({ windows }) => `grey: black 0, white ${format(windows.output)} (reference ${format(windows.reference)}), arbitrary units of the files`;

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
  const write4 = () => {
    writing = true;
    for (const name of names) model.set(name, state[name]);
    writing = false;
  };
  const save = () => {
    write4();
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
  return { read, write: write4, save, set, bind, stop };
}

// dcamsr_lite/widgets/shared/offsets.js
var DARK = 1 / 8;
function inWords(offset, least = 0.25, write4 = (x) => x.toFixed(1)) {
  const ways = [
    ["up", "down"],
    ["to the left", "to the right"]
  ];
  const parts = offset.map((x, axis) => Math.abs(x) < least ? "" : `${write4(Math.abs(x))} ${ways[axis][+(x > 0)]}`);
  return parts.filter(Boolean).join(" and ");
}

// dcamsr_lite/widgets/displacement/words.js
var AXES = ["right", "down", "turn"];
var ZERO = { right: 0, down: 0, turn: 0 };
var KEPT = 0.5;
var LEANS = 0.25;
var NEAR = 0.5;
var adopt = (given) => ({ ...ZERO, ...given });
var keyOf = (moved) => JSON.stringify(AXES.map((axis) => moved[axis]));
function sliderText(axis, x) {
  if (!x) return axis === "turn" ? "0°" : "0 px";
  if (axis === "turn") return `${Math.abs(x)}° ${x > 0 ? "counter-clockwise" : "clockwise"}`;
  const ways = axis === "right" ? ["left", "right"] : ["up", "down"];
  return `${Math.abs(x)} px ${ways[+(x > 0)]}`;
}
var ROUND = { least: 0.25, write: (x) => x.toFixed(1) };
var EXACT = { least: 1e-6, write: (x) => x.toFixed(Number.isInteger(10 * x) ? 1 : 2) };
function moveInWords({ down, right, turn }, { least, write: write4 }) {
  const way = turn > 0 ? "counter-clockwise" : "clockwise";
  const turned = Math.abs(turn) < Math.min(least, 0.05) ? "" : `turned ${write4(Math.abs(turn))}° ${way}`;
  return [inWords([down, right], least, write4), turned].filter(Boolean).join(", ");
}
function sayFound(name, moved, found, start = null) {
  const planted = `Planted: ${moveInWords(moved, EXACT) || "nothing, the reference lies in place"}`;
  if (!found) return `${planted}. There are no arrows: ${name} does not look at offsets around each place.`;
  return `${planted}. Found by ${name}: ${moveInWords(found, ROUND) || "in place"}; ${found.off.toFixed(1)} pixels off (medians over the head)${sayWay(moved, found)}.${start !== null && start >= LEANS ? ` In place it is ${start.toFixed(1)} off, too: the contrasts may lie so far apart, or it errs by that much.` : ""}`;
}
function sayWay(moved, found) {
  if (found.off < LEANS) return "";
  const [down, right, turn] = ["down", "right", "turn"].map((axis) => found[axis] - moved[axis]);
  const way = moveInWords({ down, right, turn }, ROUND);
  return way ? `: that is ${way}` : ", not all places one way";
}
function sayWorth({ name, moved, found, now, inPlace, floor }) {
  if (now === null || inPlace === null || floor === null)
    return "There is no target, or a blank one: nothing to measure the output against.";
  const above = now - floor;
  const gain = `${Math.abs(above).toFixed(1)} dB ${above < 0 ? "below" : "above"} zero-fill`;
  if (keyOf(moved) === keyOf(ZERO))
    return `You see ${name} with the reference in place: ${now.toFixed(1)} dB, ${gain}. Move a slider: how much of that stays?`;
  const loss = inPlace - now;
  const kept2 = loss <= KEPT;
  const near = found && found.off <= NEAR;
  const seen2 = kept2 ? `keep its PSNR: ${now.toFixed(1)} dB, in place ${inPlace.toFixed(1)}` : `lose ${loss.toFixed(1)} dB of its ${inPlace.toFixed(1)} in place; ${now.toFixed(1)} dB are left, ${gain}`;
  return `You see ${name} ${seen2}; therefore ${therefore(kept2, found ? near : null)}.`;
}
function therefore(kept2, near) {
  if (near === null) return kept2 ? "this move does not matter to it" : "it takes the reference as if it lay in place";
  if (near) return kept2 ? "it reads the reference where it lies" : "finding the place is not enough here";
  return kept2 ? "looking beside the place costs it little here" : "it reads the reference beside where it lies";
}
var placeText = (moved, without) => AXES.filter((axis) => axis !== without && moved[axis]).map((axis) => sliderText(axis, moved[axis])).join(", ");
function sayCurve(axis, through) {
  const name = axis === "turn" ? "the turn" : `the shift ${axis}`;
  const held = placeText(through, axis);
  return `The curve: ${name} goes from end to end, ${held ? `${held} stays` : "nothing else moves"}. Small dots were measured, lines join them.`;
}
function curve(rows, axis, name, through) {
  const on = (moved) => AXES.every((other) => other === axis || moved[other] === through[other]);
  const points = rows.filter(({ moved, psnr }) => psnr[name] != null && on(moved)).map(({ moved, psnr }) => (
    /** @type {[number, number]} */
    [moved[axis], psnr[name]]
  ));
  return points.sort((a, b) => a[0] - b[0]);
}
function move(moved, axis, value, has) {
  const kept2 = { ...moved, [axis]: value };
  return has(kept2) ? kept2 : { ...ZERO, [axis]: value };
}
function sayBack(before, after, axis) {
  const back = { ...before, [axis]: 0 };
  for (const other of AXES) if (after[other]) back[other] = 0;
  const words = placeText(back);
  return words && `This page holds one slider at a time: ${words} went back to 0.`;
}

// dcamsr_lite/widgets/displacement/controls.js
var LABELS = {
  right: ["shift right", "px"],
  down: ["shift down", "px"],
  turn: ["turn", "degrees, counter-clockwise"]
};
function controlPanel(view, bind, change, reset, alone) {
  const { bounds, steps: steps2 } = view.info;
  const sliders = AXES.map((axis) => {
    const [label, unit] = LABELS[axis];
    return slider(
      label,
      {
        kind: "dx-range",
        hint: `${label}, ${unit}`,
        bounds: [-bounds[axis], bounds[axis], steps2[axis]],
        text: (x) => sliderText(axis, x)
      },
      () => view.moved[axis],
      (value, settled) => change(axis, value, settled)
    );
  });
  const back = button("In place", reset);
  const network = choice(
    "Network",
    view.names.map((name) => [name, name, `${name}: ${view.info.networks[name]}`]),
    ...bind("network")
  );
  const note = alone ? `A saved page: steps of ${steps2.right} px and ${steps2.turn}° were computed before, one slider at a time: move one, and the others go back to 0.` : "";
  const element = make(
    "div",
    { class: "dp-controls" },
    make("div", { class: "dp-sliders" }, ...sliders.map((s) => s.group), back),
    make("div", { class: "dx-controls" }, network.group, make("small", {}, note))
  );
  network.group.hidden = view.names.length < 2;
  function sync() {
    for (const part of [...sliders, network]) part.sync();
    back.disabled = keyOf(view.moved) === keyOf(ZERO);
  }
  return { element, sync };
}

// dcamsr_lite/widgets/displacement/curve_panel.js
var [WIDTH2, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [320, 196, 30, 10, 8, 34];
var NAMES = { right: "shift right, px", down: "shift down, px", turn: "turn, degrees counter-clockwise" };
var COLOURS2 = 4;
var signedText = (x) => `${x > 0 ? "+" : x < 0 ? "−" : "±"}${Math.abs(x).toFixed(1)}`;
var write2 = (x) => String(x).replace("-", "−");
function curvePanel(view) {
  const { info, names } = view;
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH2} ${HEIGHT}`, role: "img", class: "dp-curve" });
  const body = make("tbody");
  const head2 = ["", "dB", "to in place", "to zero-fill"].map((text) => make("th", { scope: "col" }, text));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...head2)), body);
  const title = make("b");
  const what = make("small");
  const element = make(
    "div",
    { class: "dp-worth" },
    make("figure", {}, make("figcaption", {}, title), svg, what),
    table
  );
  element.hidden = info.floor === null;
  function draw() {
    if (info.floor === null) return;
    const { axis } = view.state;
    const most = info.bounds[axis];
    const lines = names.map((name) => curve(view.rows, axis, name, adopt(view.result.moved)));
    const values = [info.floor, ...view.rows.flatMap(({ psnr }) => names.map((name) => psnr[name] ?? info.floor))];
    const [low, high] = [Math.floor(Math.min(...values) - 0.3), Math.ceil(Math.max(...values) + 0.3)];
    const x = (v) => LEFT + (v + most) / (2 * most) * (WIDTH2 - LEFT - RIGHT);
    const y = (v) => HEIGHT - BOTTOM - (v - low) / (high - low) * (HEIGHT - TOP - BOTTOM);
    const every = Math.ceil((high - low) / 5);
    const levels = Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, i) => low + i * every);
    const now = view.result.moved[axis];
    svg.setAttribute("aria-label", `${title.textContent}. ${tell()}`);
    svg.replaceChildren(
      ...levels.flatMap((v) => [
        shape("line", { x1: LEFT, x2: WIDTH2 - RIGHT, y1: y(v), y2: y(v) }),
        shape("text", { x: LEFT - 5, y: y(v) + 3.5, "text-anchor": "end" }, String(v))
      ]),
      ...[-1, -0.5, 0, 0.5, 1].map(
        (part) => shape("text", { x: x(part * most), y: HEIGHT - BOTTOM + 14, "text-anchor": "middle" }, write2(part * most))
      ),
      shape("text", { x: (LEFT + WIDTH2 - RIGHT) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, NAMES[axis]),
      shape("line", { x1: x(now), x2: x(now), y1: TOP, y2: HEIGHT - BOTTOM, class: "dp-now" }),
      shape("line", { x1: LEFT, x2: WIDTH2 - RIGHT, y1: y(info.floor), y2: y(info.floor), class: "dp-floor" }),
      ...lines.flatMap((points, i) => [
        shape("path", {
          class: `dp-line dp-${i % COLOURS2}`,
          d: points.map(([at, v], j) => `${j ? "L" : "M"}${x(at).toFixed(1)} ${y(v).toFixed(1)}`).join("")
        }),
        ...points.map(([at, v]) => shape("circle", { class: `dp-${i % COLOURS2}`, cx: x(at), cy: y(v), r: 2 })),
        shape("circle", {
          class: `dp-here dp-${i % COLOURS2}`,
          cx: x(now),
          cy: y(view.result.networks[names[i]].psnr),
          r: 4.5
        })
      ])
    );
  }
  const tell = () => names.map((name) => `${name} ${view.result.networks[name].psnr.toFixed(1)} dB`).join(", ") + `, zero-fill ${info.floor.toFixed(1)} dB`;
  function update() {
    if (info.floor === null) return;
    const moved = adopt(view.result.moved);
    title.textContent = `PSNR of this slice, dB, at ${placeText(moved) || "0: in place"}`;
    what.textContent = sayCurve(view.state.axis, moved);
    const key = (kind) => make("i", { class: `dp-key ${kind}`, "aria-hidden": "true" });
    const line2 = (kind, name, ...cells) => make("tr", {}, make("th", { scope: "row" }, key(kind), name), ...cells.map((c) => make("td", {}, c)));
    body.replaceChildren(
      ...names.map((name, i) => {
        const { psnr } = view.result.networks[name];
        const before = view.inPlace(name);
        return line2(
          `dp-${i % COLOURS2}`,
          name,
          psnr.toFixed(1),
          before === null ? "" : signedText(psnr - before),
          signedText(psnr - info.floor)
        );
      }),
      line2("dp-floor", "zero-fill", info.floor.toFixed(1), "", "")
    );
    draw();
  }
  return { element, update };
}

// dcamsr_lite/widgets/shared/arrow_field.js
var LONGER = 3;
var [HEAD, WIDE] = [2.6, 0.5];
var LEAST = 0.25;
var write3 = (x) => +x.toFixed(2);
var line = ({ row, column, offset: [down, right] }) => `M${column + 0.5} ${row + 0.5}l${write3(LONGER * right)} ${write3(LONGER * down)}`;
function head({ row, column, offset: [down, right] }) {
  const long = LONGER * Math.hypot(down, right);
  const [y, x] = [down, right].map((part) => LONGER * part / long);
  const size = Math.min(HEAD, 2 * long / 3);
  const [tipX, tipY] = [column + 0.5 + long * x, row + 0.5 + long * y];
  const corner = (side) => `${write3(tipX - size * (x - side * WIDE * y))} ${write3(tipY - size * (y + side * WIDE * x))}`;
  return `M${write3(tipX)} ${write3(tipY)}L${corner(1)}L${corner(-1)}Z`;
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
  function point(arrows) {
    const long = arrows.filter(({ offset }) => Math.hypot(...offset) >= LEAST);
    lines.setAttribute("d", long.map(line).join(""));
    heads.setAttribute("d", long.map(head).join(""));
    dots.setAttribute("d", arrows.map(({ row, column }) => `M${column + 0.5} ${row + 0.5}h0`).join(""));
  }
  return {
    element,
    mark,
    point,
    draw: (image, white) => paint(ground, image, size, 0, white, "grey"),
    name: (words) => ground.setAttribute("aria-label", words)
  };
}

// dcamsr_lite/widgets/displacement/picture_panels.js
function picturePanels(view) {
  const { info, size } = view;
  const field = arrowField(size);
  const note = make("small", {}, "");
  const reference = make(
    "figure",
    {},
    make("figcaption", {}, make("b", {}, info.titles.reference)),
    field.element,
    note
  );
  const output = panel(info.titles.output, size);
  const error = panel(info.titles.error, size, { colours: "viridis", unit: "% of white" });
  error.figure.hidden = !view.target;
  function draw() {
    const { pixels } = view;
    const arrows = view.arrows();
    field.draw(pixels.reference, info.windows.reference);
    field.point(arrows);
    field.name(`reference as used, with ${arrows.length} arrows`);
    note.textContent = view.shown.offsets ? ARROWS2 : `No arrows: ${view.state.network} does not look at offsets around each place.`;
    output.draw(pixels.output, info.windows.output);
    if (view.target) error.draw(pixels.error, view.errorTop, 100 * view.errorTop / info.windows.output);
  }
  return { figures: [reference, output.figure, error.figure], draw };
}

// dcamsr_lite/widgets/displacement/view.js
var View = class {
  /** What the kernel shares: the network on screen, and the slider that the curve is over. */
  state = { network: "", axis: (
    /** @type {keyof import("./words.js").Moved} */
    "right"
  ) };
  /** @type {Record<string, Float32Array>} */
  pixels = {};
  /** @param {import("../shared/page.js").Model} model */
  constructor(model) {
    this.model = model;
    this.info = model.get("info");
    this.size = this.info.shape;
    this.names = Object.keys(this.info.networks);
    const { low, target } = unpackAll(model.get("images"));
    this.target = target;
    this.errorTop = target ? window995(distance(low, target)) : 1;
    this.moved = adopt(model.get("moved"));
    this.result = model.get("result");
  }
  /** @returns {import("./words.js").Row[]} */
  get rows() {
    return this.model.get("rows");
  }
  /** The network on screen, in the answer on screen. */
  get shown() {
    return this.result.networks[this.state.network];
  }
  /** Its PSNR where the reference lies in place; null without a target. */
  inPlace(name = this.state.network) {
    return this.start?.psnr[name] ?? null;
  }
  get start() {
    return this.rows.find(({ moved }) => keyOf(moved) === keyOf(ZERO));
  }
  /** The pictures of the answer on screen. */
  read() {
    const output = unpack(this.shown.output).values;
    this.pixels = { reference: unpack(this.result.reference).values, output };
    if (this.target) this.pixels.error = distance(output, this.target);
  }
  /** @returns {import("../shared/offsets.js").Arrow[]} */
  arrows() {
    const { offsets } = this.shown;
    return offsets ? this.result.places.map(([row, column], i) => ({ row, column, offset: offsets[i] })) : [];
  }
};

// dcamsr_lite/widgets/displacement/explorer.js
function build(model, root) {
  const view = new View(model);
  const { info } = view;
  const alone = Boolean(model.alone);
  const sent = {};
  const asking = shareState(model, ["draft", "moved"], sent, heard);
  const sharing = shareState(model, ["network", "axis"], view.state, draw);
  const status = make("p", { class: "dx-status", role: "status" });
  const found = make("p", { class: "dx-sentence" });
  const worth = make("p", { class: "dx-sentence" });
  const answers = (alone ? fromPage : fromKernel)({
    model,
    question: "moved",
    adopt,
    keyOf,
    put(moved, draft) {
      Object.assign(sent, { draft, moved: { ...moved } });
      asking.write();
    },
    tell,
    wait: (words) => {
      status.textContent = words;
    },
    refused: "This page has no answer to that: it holds one slider at a time, in steps. A notebook has a kernel for every value"
  });
  const controls = controlPanel(view, sharing.bind, change, () => go({ ...ZERO }), alone);
  const pictures = picturePanels(view);
  const curves = curvePanel(view);
  root.append(
    heading(
      model,
      "What if the reference lies elsewhere?",
      "Shift or turn the reference: the networks run again. Arrows show where each place looks, the curve what the output keeps.",
      [info.title, sliceOf(info), greysOf(info), ...info.files, ...info.notes]
    ),
    controls.element,
    make("div", { class: "dp-said", "aria-live": "polite" }, found, worth, status),
    make("div", { class: "dp-look" }, ...pictures.figures, curves.element)
  );
  let back = { axis: "", words: "" };
  function change(axis, value, settled) {
    const moved = move(view.moved, axis, value, (place) => answers.has(keyOf(place)));
    const words = sayBack(view.moved, moved, axis);
    if (words || back.axis !== axis) back = { axis, words };
    go(moved, axis, settled);
    if (back.words) status.textContent = back.words;
  }
  function go(moved, axis = view.state.axis, settled = true) {
    view.moved = moved;
    view.state.axis = axis;
    controls.sync();
    if (settled) sharing.write();
    answers.ask(moved, !settled);
    if (settled) sharing.save();
  }
  function heard() {
    const given = adopt(model.get("moved"));
    if (answers.isAsked(keyOf(given))) return;
    view.moved = given;
    controls.sync();
    answers.adopted(given);
  }
  function tell(result, words) {
    root.classList.toggle("dx-stale", Boolean(result.refused));
    status.textContent = result.refused ? `${result.refused}. The picture is still the last one.` : words;
    if (result.refused) return;
    view.result = result;
    draw();
  }
  function draw() {
    const { network: name } = view.state;
    if (!view.result.networks) return;
    view.read();
    controls.sync();
    pictures.draw();
    curves.update();
    const seen2 = { name, moved: adopt(view.result.moved), found: view.shown.found };
    found.textContent = sayFound(
      name,
      seen2.moved,
      seen2.found,
      keyOf(seen2.moved) === keyOf(ZERO) ? null : view.start?.off[name] ?? null
    );
    worth.textContent = sayWorth({ ...seen2, now: view.shown.psnr, inPlace: view.inPlace(), floor: info.floor });
  }
  model.on("change:rows", draw);
  sharing.read();
  tell(model.get("result"), "");
  controls.sync();
  root.explorer = {
    get moved() {
      return view.moved;
    },
    get state() {
      return view.state;
    },
    get answers() {
      return answers.count();
    },
    move: change,
    shown: () => view.result,
    values: (name) => view.pixels[name],
    arrows: () => view.arrows(),
    waiting: answers.waiting,
    numbers: () => ({ values: view.pixels.output, size: view.size })
  };
  return () => {
    answers.stop();
    asking.stop();
    sharing.stop();
    model.off("change:rows", draw);
  };
}
var { render, standalone } = widget(build, "displacement");
var explorer_default = { render };
export {
  explorer_default as default,
  standalone
};
