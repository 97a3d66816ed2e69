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
var card = (title, ...children) => make("section", { class: "dx-card" }, make("h3", {}, title), ...children);
function button(label, act, attributes = {}) {
  const element = make("button", { type: "button", ...attributes }, label);
  element.addEventListener("click", act);
  return element;
}
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
  const next2 = button("Next", () => go(at + 1), { class: "dx-main" });
  let at = -1;
  function go(to) {
    at = Math.max(0, Math.min(steps2.length - 1, to));
    const { text: words, ...state } = steps2[at];
    text.textContent = words;
    place2.textContent = `${at + 1} of ${steps2.length}`;
    [back.disabled, next2.disabled] = [at === 0, at === steps2.length - 1];
    for (const [name, value] of Object.entries(state)) model.set(name, value);
    model.save_changes();
  }
  back.disabled = true;
  text.textContent = `A tour in ${steps2.length} steps: press Next.`;
  return make("nav", { class: "dx-tour", "aria-label": "Guided tour" }, text, make("div", {}, back, next2, place2));
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

// dcamsr_lite/widgets/lab/intervention.js
var STATES = ["on", "off", "uniform"];
var LESION = { radius: 4, strength: 0.5, remove: false };
function toGrid(cuts, { branches, levels, heads }) {
  const grid = Object.fromEntries(
    branches.map((b) => [b, Object.fromEntries(levels.map((l) => [l, Array(heads).fill("on")]))])
  );
  for (const { branch, state, levels: some, heads: chosen } of cuts)
    for (const level of some ?? levels)
      for (const head of chosen ?? Array(heads).keys()) grid[branch][level][head] = state;
  return grid;
}
function toCuts(grid, { branches, levels, heads }) {
  const cuts = [];
  for (const branch of branches)
    for (const state of STATES.slice(1)) {
      const together = /* @__PURE__ */ new Map();
      for (const level of levels) {
        const chosen = [...Array(heads).keys()].filter((h) => grid[branch][level][h] === state);
        const name = chosen.join();
        if (chosen.length) together.set(name, [...together.get(name) ?? [], level]);
      }
      for (const [name, some] of together) {
        const chosen = name.split(",").map(Number);
        cuts.push({
          branch,
          state,
          levels: some.length < levels.length ? some : null,
          heads: chosen.length < heads ? chosen : null
        });
      }
    }
  return cuts;
}
function adopt(given, info) {
  const { cuts, lesions, ...rest } = { ...info.blank, ...given };
  return structuredClone({ ...rest, lesions: lesions.map((l) => ({ ...LESION, ...l })), grid: toGrid(cuts, info) });
}
var asked = ({ grid, ...rest }, info) => structuredClone({ ...rest, cuts: toCuts(grid, info) });
var keyOf = (s) => JSON.stringify([
  s.reference,
  s.reference === "noise" ? s.seed : 0,
  s.shift,
  s.rotate,
  s.blur,
  s.lesions.map((l) => [l.image, l.row, l.column, l.radius, l.remove || l.strength]),
  s.grid
]);

// dcamsr_lite/widgets/lab/switches.js
var GLYPHS = { on: "●", off: "×", uniform: "≈" };
var next = (state) => STATES[(STATES.indexOf(state) + 1) % 3];
function switches(branch, { levels, heads }, read, write2, doubt) {
  const cells = [];
  const group = make("div", {
    class: "dx-switches",
    role: "group",
    style: `--heads:${heads}`,
    "aria-label": `${branch} attention: arrow keys move, space switches on, off, uniform`
  });
  const covered = (level, head) => levels.filter((l) => level === null || l === level).flatMap((l) => [...Array(heads).keys()].filter((h) => head === null || h === head).map((h) => [l, h]));
  const following = (places) => {
    const states = new Set(places.map(([l, h]) => read(l, h)));
    return states.size > 1 ? "on" : next([...states][0]);
  };
  [null, ...levels].forEach(
    (level, row) => [null, ...Array(heads).keys()].forEach((head, column) => {
      const header = level === null || head === null;
      const words = header ? level === null ? head === null ? "all" : String(head) : `level ${level}` : "";
      const button2 = make(
        "button",
        { type: "button", class: header ? "dx-all" : "dx-switch", tabindex: row + column ? -1 : 0 },
        words
      );
      button2.addEventListener("click", () => {
        const places = covered(level, head);
        write2(places, following(places));
      });
      button2.addEventListener(
        "focus",
        () => cells.forEach((c) => {
          c.button.tabIndex = c.button === button2 ? 0 : -1;
        })
      );
      cells.push({ button: button2, level, head, header, row, column });
      group.append(button2);
    })
  );
  strides(group, (dr, dc, target) => {
    const at = cells.find((c) => c.button === target);
    if (!at) return;
    const row = clamp(at.row + dr, 0, levels.length);
    const column = clamp(at.column + dc, 0, heads);
    cells.find((c) => c.row === row && c.column === column)?.button.focus();
  });
  const sync = () => cells.forEach(({ button: button2, level, head, header }) => {
    const place2 = `${level === null ? "all levels" : `level ${level}`}, ${head === null ? "all heads" : `head ${head}`}`;
    const places = covered(level, head);
    const states = new Set(places.map(([l, h]) => read(l, h)));
    const state = states.size > 1 ? "mixed" : [...states][0];
    const none = doubt(places, following(places));
    if (!header) {
      button2.dataset.state = state;
      button2.textContent = GLYPHS[state];
    }
    button2.classList.toggle("dx-unanswered", Boolean(none));
    button2.setAttribute("aria-label", `${branch} attention, ${place2}: ${state}${none && `. ${none}`}`);
    button2.title = `${place2}: ${state}${none && `. ${none}`}`;
  });
  return { group, sync };
}

// dcamsr_lite/widgets/lab/controls.js
var CHOICES = {
  own: "its own reference",
  blank: "a blank reference",
  noise: "noise",
  other: "the reference of another subject",
  target: "the target itself"
};
var NO_PAINT = "A saved page does not answer what you paint, for here is no kernel to run the network. Open the lab in a notebook.";
var paragraph = (text) => make("p", { class: "dx-what" }, text);
function attentionCard(view, change) {
  const { info } = view;
  const grids = info.branches.map((branch) => {
    const write2 = (places, to) => {
      for (const [l, h] of places) view.state.grid[branch][l][h] = to;
      change();
    };
    const doubt = (places, to) => view.doubt((state) => places.forEach(([l, h]) => state.grid[branch][l][h] = to));
    return { branch, ...switches(branch, info, (l, h) => view.state.grid[branch][l][h], write2, doubt) };
  });
  const legend = make(
    "p",
    { class: "dx-legend" },
    ...STATES.flatMap((s) => [
      make("i", { class: "dx-switch", "data-state": s, "aria-hidden": "true" }, GLYPHS[s]),
      ` ${s}`
    ])
  );
  const element = card(
    "Attention",
    paragraph("Click a head, a level's name or a head's number: from on to off (zero) to uniform (all weights alike)."),
    ...grids.map(
      ({ branch, group }) => make("div", { class: "dx-branch" }, make("b", {}, `${branch}: levels by heads`), group)
    ),
    legend
  );
  return { element, sync: () => grids.forEach((grid) => grid.sync()) };
}
var range = (label, unit, bounds, note, read, write2, snap = (value, _way) => value) => slider(
  label,
  { kind: "dx-range", hint: `${label}, ${unit}`, bounds, note, snap, text: (x) => `${format(x)} ${unit}` },
  read,
  write2
);
function referenceCard(view, change) {
  const reference = choice(
    "Use",
    view.info.references.map((name) => [name, name, CHOICES[name]]),
    () => view.state.reference,
    (name) => {
      view.state.reference = name;
      change();
    },
    (name) => view.doubt((state) => state.reference = name),
    false
  );
  const notes = [];
  const slide = (label, unit, bounds, read, set) => {
    const [low, high, step] = bounds;
    const places = Array.from({ length: (high - low) / step + 1 }, (_, i) => low + i * step);
    const stored = () => places.filter((x) => !view.doubt((state) => set(state, x)));
    const note = () => {
      if (!view.alone) return "";
      const known2 = stored().map((x) => format(x));
      return known2.length ? `${label} ${known2.join(", ")} ${unit}` : `${label} none`;
    };
    notes.push(note);
    const snap = (value, way) => {
      if (!view.alone) return value;
      const open = stored().filter((x) => way * (x - read()) >= 0 && !(way && x === read()));
      return open.length ? open.reduce((a, b) => Math.abs(b - value) < Math.abs(a - value) ? b : a) : read();
    };
    const write2 = (value, settled) => {
      set(view.state, value);
      change(settled);
    };
    return range(label, unit, bounds, note, read, write2, snap);
  };
  const ranges = [
    slide(
      "down",
      "px",
      [-8, 8, 0.25],
      () => view.state.shift[0],
      (state, x) => {
        state.shift[0] = x;
      }
    ),
    slide(
      "right",
      "px",
      [-8, 8, 0.25],
      () => view.state.shift[1],
      (state, x) => {
        state.shift[1] = x;
      }
    ),
    slide(
      "turn",
      "°",
      [-20, 20, 0.5],
      () => view.state.rotate,
      (state, x) => {
        state.rotate = x;
      }
    ),
    slide(
      "blur",
      "px",
      [0, 6, 0.25],
      () => view.state.blur,
      (state, x) => {
        state.blur = x;
      }
    )
  ];
  const known = make("p", { class: "dx-no-answer" });
  const element = card(
    "Reference",
    paragraph("What guides the network; then blurred, turned (counter-clockwise) and moved."),
    make("div", { class: "dx-controls" }, reference.group),
    ...ranges.map((r) => r.group),
    view.alone ? known : null
  );
  function sync() {
    for (const part of [reference, ...ranges]) part.sync();
    known.textContent = `From here this page has answers to: ${notes.map((note) => note()).join("; ")}.`;
  }
  return { element, sync };
}
function lesionCard(view, change, handled) {
  const { brush } = view;
  const images = view.info.references.includes("target") ? ["reference", "target"] : ["reference"];
  const handle = (name) => [
    () => brush[name],
    (value) => {
      brush[name] = value;
      handled();
    }
  ];
  const tools = [
    choice(
      "Click",
      [
        ["look", "looks"],
        ["paint", "paints"],
        ["remove", "removes"]
      ],
      ...handle("mode"),
      (mode) => mode === "look" ? "" : unanswered(),
      false
    ),
    choice(
      "In",
      images.map((name) => [name, name]),
      ...handle("image")
    )
  ];
  const unanswered = () => view.alone ? NO_PAINT : "";
  const radius = range("radius", "px", [1, 16, 0.5], unanswered, ...handle("radius"));
  const strength = range("strength", "of white", [-1, 1, 0.05], unanswered, ...handle("strength"));
  const undo = button("Undo last", () => {
    view.state.lesions.pop();
    change();
  });
  const clear = button("Clear", () => {
    view.state.lesions = [];
    change();
  });
  const element = card(
    "Lesion",
    paragraph("In one image only. With the target, the input is degraded anew."),
    view.alone ? make("p", { class: "dx-no-answer" }, NO_PAINT) : null,
    make("div", { class: "dx-controls" }, ...tools.map((t) => t.group)),
    radius.group,
    strength.group,
    make("div", { class: "dx-buttons" }, undo, clear)
  );
  function sync() {
    for (const part of [...tools, radius, strength]) part.sync();
    for (const { group } of view.alone ? [radius, strength] : [])
      group.querySelector("input")?.setAttribute("disabled", "");
    undo.disabled = clear.disabled = !view.state.lesions.length;
    strength.group.hidden = brush.mode === "remove";
  }
  return { element, sync };
}
function controlPanel(view, change, handled) {
  const marked = make("p", { class: "dx-no-answer" });
  if (view.alone)
    marked.textContent = "A saved page has answers that were computed before. What is dashed or dim has none here: a notebook has.";
  const cards = [attentionCard(view, change), referenceCard(view, change), lesionCard(view, change, handled)];
  const reset = button("Reset", () => {
    view.state = view.adopt({});
    change();
  });
  function sync() {
    for (const one of cards) one.sync();
    reset.disabled = keyOf(view.state) === keyOf(view.adopt({}));
  }
  return {
    element: make("div", { class: "dx-lab-controls" }, view.alone ? marked : null, ...cards.map((c) => c.element)),
    reset,
    sync
  };
}

// dcamsr_lite/widgets/lab/image_panels.js
var LOOKS = {
  low: {},
  reference: {},
  target: {},
  output: {},
  change: { colours: "signed", unit: "% of white" },
  error: { colours: "viridis", unit: "% of white" }
};
function imagePanels(view, paint2) {
  const { info, size, brush, base } = view;
  const [rows, columns] = size;
  const white = info.windows.output;
  const names = Object.keys(LOOKS).filter((name) => base.target || !["target", "error"].includes(name));
  const panels = names.map((name) => {
    const spots = make("div");
    const one = panel(info.titles[name], size, LOOKS[name]);
    one.element.append(spots);
    return { name, spots, ...one };
  });
  const element = make(
    "div",
    {
      class: "dx-lab-panels",
      tabindex: 0,
      role: "application",
      "aria-label": "Images with one cursor. Arrow keys move it, with shift eight pixels; Enter paints or removes."
    },
    ...panels.map((p) => p.figure)
  );
  let cursor = [rows >> 1, columns >> 1];
  function draw() {
    for (const { name, draw: draw2 } of panels) draw2(view.pixels[name], view.top(name), 100 * view.top(name) / white);
    drawCursor();
  }
  function drawCursor() {
    const [row, column] = cursor;
    const side = brush.mode === "look" ? 1 : 2 * brush.radius;
    for (const { name, mark, value } of panels) {
      place(mark, size, row + 0.5, column + 0.5, side, side);
      if (view.pixels[name]) value.textContent = format(view.pixels[name][row * columns + column]);
    }
  }
  function sync() {
    for (const { name, spots } of panels) {
      const here = view.state.lesions.filter(
        (l) => l.image === (name === "reference" ? "reference" : "target") || name === "change"
      );
      spots.replaceChildren(
        ...here.map((l) => {
          const spot = make("div", { class: "dx-lesion" });
          place(spot, size, l.row + 0.5 - l.radius, l.column + 0.5 - l.radius, 2 * l.radius, 2 * l.radius);
          return spot;
        })
      );
    }
    drawCursor();
  }
  const look = (row, column) => {
    cursor = [clamp(row, 0, rows - 1), clamp(column, 0, columns - 1)];
    drawCursor();
  };
  function act() {
    const [row, column] = cursor;
    const { mode, ...how } = brush;
    if (mode !== "look") paint2({ ...how, row, column, remove: mode === "remove" });
  }
  for (const { element: element2 } of panels) follow(element2, size, { look, hover: look, stay: act, leave: () => {
  } });
  strides(element, (dr, dc) => look(cursor[0] + dr, cursor[1] + dc));
  element.addEventListener("keydown", (event) => {
    if (event.target !== element || !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    act();
  });
  return { element, draw, sync };
}

// dcamsr_lite/widgets/lab/view.js
var View = class {
  brush = { mode: "look", image: "reference", radius: LESION.radius, strength: LESION.strength };
  /** @type {Record<string, Float32Array>} */
  pixels = {};
  /** Whether a state would be answered; a saved page has few answers. */
  answered = (
    /** @type {(state: import("./intervention.js").State) => boolean} */
    (() => true)
  );
  /** @param {import("../shared/page.js").Model} model */
  constructor(model) {
    this.alone = Boolean(model.alone);
    this.info = model.get("info");
    this.size = this.info.shape;
    this.base = unpackAll(model.get("images"));
    this.state = this.adopt(model.get("intervention"));
    this.takeUp();
    this.errorTop = this.base.target ? 1.5 * window995(distance(this.base.output, this.base.target)) : 1;
  }
  adopt(given) {
    return adopt(given, this.info);
  }
  /** The brush as the last lesion was painted, which another has set. */
  takeUp() {
    const last = this.state.lesions.at(-1);
    if (last && !last.remove) Object.assign(this.brush, { radius: last.radius, strength: last.strength });
  }
  asked() {
    return asked(this.state, this.info);
  }
  /**
   * Why there would be no answer to the state on screen with this edit; nothing where there is one.
   * @param {(state: import("./intervention.js").State) => void} edit
   */
  doubt(edit) {
    const next2 = structuredClone(this.state);
    edit(next2);
    return this.answered(next2) ? "" : "No answer in this page: here is no kernel to run the network";
  }
  /** The images of an answer. */
  read(result) {
    const { base } = this;
    const change = result.change ? unpack(result.change).values : base.output.map(() => 0);
    const output = base.output.map((x, i) => x + change[i]);
    this.pixels = { ...base, ...unpackAll(result.images ?? {}), change, output };
    if (base.target) this.pixels.error = distance(output, this.pixels.target);
  }
  /** Where the colours of an image end. */
  top(name) {
    const { windows } = this.info;
    if (name === "change") return Math.max(extent(this.pixels.change), 0.02 * windows.output);
    return name === "error" ? this.errorTop : windows[name];
  }
};
var signedText = (x, digits) => (x > 0 ? "+" : x < 0 ? "−" : "±") + Math.abs(x).toFixed(digits);

// dcamsr_lite/widgets/lab/numbers_panel.js
var tile = (label, text, small) => make("div", { class: "dx-tile" }, make("small", {}, label), make("b", {}, text), make("small", {}, small));
function band(label, value, before, top) {
  const at = (x) => `${Math.min(100, 100 * x / top)}%`;
  return make(
    "div",
    {
      class: "dx-band",
      title: "squared error as a share of the target's energy, both bars on one scale; the line: nothing changed"
    },
    make("small", {}, label),
    make(
      "div",
      { class: "dx-meter" },
      make("i", { style: `width:${at(value)}` }),
      make("u", { style: `left:${at(before)}` })
    ),
    make("span", {}, `${format(100 * value)} %`),
    make("small", {}, `was ${format(100 * before)} %`)
  );
}
function numbersPanel(floors) {
  const element = make("div", { class: "dx-numbers" });
  function draw(result, none) {
    if (result.psnr_db === null)
      return element.replaceChildren("No target, or a blank one: nothing to measure against.");
    const before = [none.error_measured, none.error_removed];
    const top = Math.max(...before.map((x) => 2 * x), result.error_measured, result.error_removed);
    const gain = result.delta_psnr_db;
    const above = ([name, psnr]) => tile(
      `against ${name}`,
      `${signedText(result.psnr_db - psnr, 2)} dB`,
      `${name === "no reference" ? "a network trained without:" : "a floor of"} ${psnr.toFixed(2)}`
    );
    element.replaceChildren(
      tile("PSNR", `${result.psnr_db.toFixed(2)} dB`, `was ${none.psnr_db.toFixed(2)}`),
      tile("change", `${signedText(gain, 2)} dB`, gain < 0 ? "worse" : gain > 0 ? "better" : "the same"),
      ...Object.entries(floors).map(above),
      tile("SSIM", result.ssim.toFixed(4), `was ${none.ssim.toFixed(4)}`),
      make(
        "div",
        { class: "dx-bands" },
        ...["measured", "removed"].map(
          (part) => band(`error, ${part} k-space`, result[`error_${part}`], none[`error_${part}`], top)
        )
      )
    );
  }
  return { element, draw };
}

// dcamsr_lite/widgets/lab/tried_panel.js
var HEADERS = ["intervention", "PSNR, dB", "change, dB", "SSIM", "error, measured", "error, removed"];
function cellOf(row, name, { title, slice }) {
  const { shift = [], lesions, cuts, ...rest } = row.intervention ?? {};
  const lists = { lesions: JSON.stringify(lesions), cuts: JSON.stringify(cuts) };
  return { ...rest, ...lists, shift_down: shift[0], shift_right: shift[1], network: title, slice, ...row }[name];
}
function saveTable(info, rows) {
  const { columns } = info;
  const quote = (x) => `"${String(x ?? "").replaceAll('"', '""')}"`;
  const lines = [columns, ...rows.map((row) => columns.map((name) => cellOf(row, name, info)))];
  saveFile("interventions.csv", lines.map((line) => line.map(quote).join(",")).join("\r\n") + "\r\n", "text/csv");
}
function triedPanel(view, rows, choose) {
  const body = make("tbody");
  const csv = button("Save as CSV", () => saveTable(view.info, rows()));
  const table = make(
    "table",
    {},
    make("thead", {}, make("tr", {}, ...HEADERS.map((h) => make("th", { scope: "col" }, h)))),
    body
  );
  const element = make(
    "section",
    { class: "dx-card dx-tried" },
    make("header", {}, make("h3", {}, "What was tried"), csv),
    make(
      "div",
      {
        class: view.alone ? "dx-whole" : "dx-scroll",
        tabindex: 0,
        role: "region",
        "aria-label": "Table of what was tried"
      },
      table
    ),
    make(
      "p",
      { class: "dx-reading" },
      "PSNR and SSIM of this slice. Error: squared, as a share of the target's energy, inside the measured part of k-space and in the part that was removed. Click a row to see its picture."
    )
  );
  const cell = (x, write2) => make("td", {}, x === null ? "" : write2(x));
  const share = (x) => `${format(100 * x)} %`;
  function draw() {
    body.replaceChildren(
      ...rows().map((row) => {
        const pick = button(row.tried, () => choose(row.intervention));
        const line = make(
          "tr",
          { "data-key": keyOf(view.adopt(row.intervention)) },
          make("td", {}, pick),
          cell(row.psnr_db, (x) => x.toFixed(2)),
          cell(row.delta_psnr_db, (x) => signedText(x, 2)),
          cell(row.ssim, (x) => x.toFixed(4)),
          cell(row.error_measured, share),
          cell(row.error_removed, share)
        );
        line.addEventListener("click", (event) => event.target === pick || pick.click());
        return line;
      })
    );
  }
  function mark(intervention) {
    const current = keyOf(view.adopt(intervention));
    for (const line of body.querySelectorAll("tr")) line.toggleAttribute("aria-current", line.dataset.key === current);
  }
  return { element, draw, mark };
}

// dcamsr_lite/widgets/lab/explorer.js
var NO_ANSWER = "This page has no answer to that: it keeps what was computed before it was saved, and here is no kernel to run the network. Reset, choose a row of the table, or open the lab in a notebook";
function build(model, root) {
  const view = new View(model);
  const { info } = view;
  const rows = () => model.get("rows");
  const sent = {};
  const shared = shareState(model, ["draft", "intervention"], sent, heard);
  const status = make("p", { class: "dx-status", role: "status" });
  const sentence = make("p", { class: "dx-sentence", "aria-live": "polite" });
  const answers = (model.alone ? fromPage : fromKernel)({
    model,
    question: "intervention",
    adopt: (given) => view.adopt(given),
    keyOf,
    put(state, draft) {
      Object.assign(sent, { draft, intervention: asked(state, info) });
      shared.write();
    },
    tell,
    wait: (words) => {
      status.textContent = words;
    },
    refused: NO_ANSWER
  });
  view.answered = (state) => answers.has(keyOf(state));
  const controls = controlPanel(view, change, sync);
  const numbers = numbersPanel(info.floors);
  const images = imagePanels(view, (lesion) => {
    view.state.lesions.push(lesion);
    change();
  });
  const tried = triedPanel(view, rows, set);
  root.append(
    heading(
      model,
      "What if the network could not look there?",
      model.alone ? "Switch off parts of the attention, change the reference: what the network then gave was computed before this page was saved." : "Switch off parts of the attention, change the reference, paint a lesion: the network runs again and shows what that does to its output.",
      [info.title, sliceOf(info), greysOf(info), ...info.files, ...info.notes]
    ),
    make(
      "div",
      { class: "dx-lab" },
      controls.element,
      make(
        "div",
        {},
        make("div", { class: "dx-now-line" }, make("div", {}, sentence, status), controls.reset),
        numbers.element,
        images.element
      )
    ),
    tried.element
  );
  let now = rows()[0];
  function change(settled = true) {
    sync();
    answers.ask(view.state, !settled);
  }
  function set(intervention) {
    view.state = view.adopt(intervention);
    change();
  }
  function heard() {
    const given = view.adopt(model.get("intervention"));
    if (answers.isAsked(keyOf(given))) return;
    view.state = given;
    view.takeUp();
    sync();
    answers.adopted(given);
  }
  function sync() {
    controls.sync();
    images.sync();
    root.classList.toggle("dx-brush", view.brush.mode !== "look");
  }
  function tell(result, words) {
    root.classList.toggle("dx-stale", Boolean(result.refused));
    status.textContent = result.refused ? `${result.refused}. The picture is still the one named above.` : words;
    if (!result.refused) show2(result);
  }
  function show2(result) {
    now = result;
    view.read(result);
    images.draw();
    sentence.textContent = `${result.tried[0].toUpperCase()}${result.tried.slice(1)}.`;
    numbers.draw(result, rows()[0]);
    tried.mark(result.intervention);
  }
  function tabulate() {
    tried.draw();
    tried.mark(now.intervention);
  }
  model.on("change:rows", tabulate);
  tabulate();
  sync();
  show2(now);
  tell(model.get("result"), "");
  if (model.alone) answers.adopted(view.state);
  root.explorer = {
    get state() {
      return view.state;
    },
    get answers() {
      return answers.count();
    },
    asked: () => view.asked(),
    set,
    reset: () => controls.reset.click(),
    shown: () => now,
    values: (name) => view.pixels[name],
    waiting: answers.waiting,
    numbers: () => ({ values: view.pixels.change, size: view.size })
  };
  return () => {
    answers.stop();
    shared.stop();
    model.off("change:rows", tabulate);
  };
}
var { render, standalone } = widget(build, "lab");
var explorer_default = { render };
export {
  explorer_default as default,
  standalone
};
