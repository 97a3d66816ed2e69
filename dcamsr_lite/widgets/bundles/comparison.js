// Built by `make bundles` from the modules named below: change those, not this.

// dcamsr_lite/widgets/shared/elements.js
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}
var make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
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
var twelve = (bytes, count) => Float32Array.from({ length: count }, (_, i) => {
  const at = 3 * (i >> 1);
  return (i & 1 ? bytes[at + 1] >> 4 | bytes[at + 2] << 4 : bytes[at] | (bytes[at + 1] & 15) << 8) << 20 >> 20;
});
var halves;
function unpack({ data, dtype, shape, scale }) {
  const bytes = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  const table = halves ??= Float32Array.from({ length: 65536 }, (_, bits) => half(bits));
  const read = {
    float32: () => new Float32Array(bytes),
    float16: () => Float32Array.from(new Uint16Array(bytes), (bits) => table[bits]),
    int16: () => Float32Array.from(new Int16Array(bytes)),
    int12: () => twelve(
      new Uint8Array(bytes),
      shape.reduce((a, b) => a * b)
    ),
    int8: () => Float32Array.from(new Int8Array(bytes))
  };
  const values = read[dtype]();
  const scales = [scale].flat();
  const each = values.length / scales.length;
  for (let i = 0; i < values.length; i++) values[i] *= scales[Math.floor(i / each)];
  return { values, shape };
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
function choice(label, options, read, write, refuse = () => "", closed = true) {
  const name = `dx${Math.random()}`;
  const inputs = options.map(([value, text, hint = text]) => {
    const input = make("input", { type: "radio", name, "aria-label": `${label}: ${hint}` });
    input.addEventListener("change", () => write(value));
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
    write(value);
  });
  return { group, sync };
}
function slider(label, { kind, hint = label, bounds: [min, max, step], text, note = () => "" }, read, write) {
  const input = make("input", { type: "range", min, max, step, "aria-label": hint });
  const number = make("output");
  const sync = () => {
    input.value = String(read());
    number.textContent = text(read());
    input.setAttribute("aria-valuetext", number.textContent);
    group.title = note();
    group.classList.toggle("dx-unanswered", Boolean(note()));
  };
  const moved = (settled) => {
    write(+input.value, settled);
    sync();
  };
  input.addEventListener("input", () => moved(false));
  input.addEventListener("change", () => moved(true));
  const keys = (rows, columns) => {
    if (columns > rows) input.stepUp();
    else input.stepDown();
    moved(false);
  };
  steps(input, keys, () => moved(true));
  const group = make("label", { class: kind }, make("span", {}, label), input, number);
  return { group, sync };
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
var heading = (model, title, lead, about) => make(
  "header",
  {},
  make("h2", {}, title),
  make("p", {}, lead),
  make("p", { class: "dx-about" }, about.filter(Boolean).join(" · ")),
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
    const message = model.get("message");
    const footer = make("footer", {}, "Not for clinical use.");
    el.append(root);
    if (!message && Object.keys(model.get("info")).length) {
      const stop = build2(model, root);
      root.append(footer);
      return stop;
    }
    root.append(make("p", { class: "dx-message", role: "alert" }, message || "Nothing to show."), footer);
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
  const write = () => {
    writing = true;
    for (const name of names) model.set(name, state[name]);
    writing = false;
  };
  const save = () => {
    write();
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
  return { read, write, save, set, bind, stop };
}

// dcamsr_lite/widgets/comparison/explorer.js
function build(model, root) {
  const { names, shape, white, half: half2, title } = model.get("info");
  const [rows, columns] = shape;
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
  const live = announcer();
  root.append(
    heading(model, "Swipe", "Drag the line over the image; point at a place to magnify it.", [title]),
    make("div", { class: "dx-controls" }, ...choices.map((c) => c.group)),
    make(
      "div",
      { class: "mx-parts" },
      make("div", {}, frame, swipe.group),
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
  const across = (event) => pointIn(event, frame, shape)[1] / columns;
  frame.addEventListener("pointerdown", (event) => {
    down = true;
    frame.setPointerCapture(event.pointerId);
    move(across(event), false);
  });
  frame.addEventListener("pointermove", (event) => {
    if (down) return move(across(event), false);
    const [row, column] = pointIn(event, frame, shape).map(Math.floor);
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
    const [top, left] = state.point.map((x, i) => clamp(x - half2, 0, shape[i] - side));
    return { side, top, left };
  }
  function lens(name) {
    const { side, top, left } = corner();
    return Float32Array.from({ length: side * side }, (_, i) => {
      return images[name][(top + Math.floor(i / side)) * columns + left + i % side];
    });
  }
  function draw() {
    paint(under, images[state.left], shape, 0, white, "grey");
    paint(over, images[state.right], shape, 0, white, "grey");
    over.style.clipPath = `inset(0 0 0 ${100 * state.at}%)`;
    line.style.left = `${100 * state.at}%`;
    const { side, top, left } = corner();
    place(box, shape, top, left, side, side);
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
  root.explorer = { state, lens };
  return () => shared.stop();
}
var { render, standalone } = widget(build, "comparison");
var explorer_default = { render };
export {
  explorer_default as default,
  standalone
};
