// What every explorer is built from: elements, colours, frames with a cursor, controls, the guided tour, and
// the two ways to run: in a notebook (anywidget) and in a saved page (standalone). After numbers.js in one module.

const SVG = "http://www.w3.org/2000/svg"; // a name, never fetched
const BLUE = [38, 116, 216], ORANGE = [238, 112, 8];
const VIRIDIS = [[68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142],
  [31, 158, 137], [53, 183, 121], [110, 206, 88], [181, 222, 43], [253, 231, 37]];

/** Child elements from strings and nodes: text is never read as markup. */
function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "circle", "line", "text", "title"].includes(tag);
  const element = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

const grey = (t) => { const v = 255 * t; return [v, v, v, 255]; };
const viridis = (t) => {
  const x = t * (VIRIDIS.length - 1), i = Math.min(Math.floor(x), VIRIDIS.length - 2);
  return [0, 1, 2].map((c) => VIRIDIS[i][c] + (x - i) * (VIRIDIS[i + 1][c] - VIRIDIS[i][c])).concat(255);
};
// transparent at zero, so that it reads on any ground: the reference, a light and a dark theme
const signed = (t) => [...(t < 0.5 ? BLUE : ORANGE), 210 * Math.abs(2 * t - 1) ** 0.7];

function palette(colour) {
  const table = new Uint8ClampedArray(4 * 511);
  for (let i = 0; i < 511; i++) table.set(colour(i / 510).map(Math.round), 4 * i);
  return new Uint32Array(table.buffer);
}
const PALETTES = { grey: palette(grey), viridis: palette(viridis), signed: palette(signed) };

function paint(canvas, values, [rows, columns], low, high, name) {
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
  const table = PALETTES[name], pixels = new Uint32Array(values.length), step = 510 / (high - low);
  for (let i = 0; i < pixels.length; i++) {
    const at = (values[i] - low) * step + 0.5;
    pixels[i] = table[at > 0 ? (at < 510 ? at | 0 : 510) : 0];
  }
  const data = new Uint8ClampedArray(pixels.buffer);
  canvas.getContext("2d", { willReadFrequently: true }).putImageData(new ImageData(data, columns, rows), 0, 0);
}

function colourBar(name, label) {
  const stops = Array.from({ length: 33 }, (_, i) => {
    const [r, g, b, a] = { viridis, signed }[name](i / 32);
    return `rgba(${r | 0},${g | 0},${b | 0},${(a / 255).toFixed(3)})`;
  });
  const numbers = [0, 1, 2].map(() => make("span")), words = make("small", {}, label);
  const bar = make("div", { class: "dx-bar" }, make("i", { style: `background:linear-gradient(90deg,${stops})` }),
    make("div", { class: "dx-ticks" }, ...numbers), words);
  return { bar, name: (text) => { words.textContent = text; }, set: (low, high) => numbers.forEach((span, i) => { span.textContent = format(low + (i * (high - low)) / 2, 2); }) };
}

// --- parts of a page -------------------------------------------------------------------------------

const card = (title, ...children) => make("section", { class: "dx-card" }, make("h3", {}, title), ...children);

/** Put an element over image pixels: its corner and its size, in pixels of an image of that size. */
const place = (element, [rows, columns], row, column, height, width) => Object.assign(element.style, {
  top: `${(100 * row) / rows}%`, left: `${(100 * column) / columns}%`,
  height: `${(100 * height) / rows}%`, width: `${(100 * width) / columns}%`,
});

/** Layers of one image size, and the mark of the cursor on top. */
function frame([rows, columns], ...layers) {
  const mark = make("div", { class: "dx-mark" });
  const element = make("div", { class: "dx-frame", style: `aspect-ratio:${columns}/${rows}` }, ...layers, mark);
  return { element, mark };
}

/** One image: its title, the value under the cursor, the cursor's mark; a colour bar where it has a unit. */
function panel(title, size, { colours = "grey", unit = null, note = null } = {}) {
  const canvas = make("canvas", { role: "img", "aria-label": title }), value = make("output");
  const { element, mark } = frame(size, canvas), scale = unit && colourBar(colours, unit);
  const figure = make("figure", {}, make("figcaption", {}, make("b", {}, title), value), element, scale ? scale.bar : note);
  /** `high` is where the colours end, `shown` the number that the bar gives to it. */
  const low = colours === "signed" ? -1 : 0;
  const draw = (values, high, shown = high) => { paint(canvas, values, size, low * high, high, colours); scale?.set(low * shown, shown); };
  return { figure, element, mark, value, draw };
}

/** PSNR, and where in k-space the error lies; nothing where there is no quality. */
function qualityNote(quality, name) {
  if (!quality) return null;
  const percent = (x) => `${format(100 * x, 2)} %`;
  return make("small", { class: "dx-quality" }, ...[`${name === "low" ? "zero-filled, " : ""}PSNR ${quality.psnr}`,
    `error ${percent(quality.measured)} measured`, `+ ${percent(quality.removed)} removed`].map((line) => make("span", {}, line)));
}
const QUALITY = "PSNR of this slice, its peak the slice's largest value. Error: squared, in % of the target's energy, split in k-space: " +
  "measured is the centre, which the input keeps; removed is the rest, which the network must guess.";

/** Where the brightest half per cent begins: a window that one bright vessel does not set. */
const window995 = (values) => Float32Array.from(values).sort()[Math.floor(0.995 * values.length)] || 1;

/** A pointer on an image: `look` while it moves, `stay` where it is lifted, `leave` when it is gone. */
function follow(element, size, { look, stay, leave, hover = () => {} }) {
  const { soon, flush } = eachFrame();
  let down = false;
  element.addEventListener("pointerdown", (event) => {
    down = true;
    element.setPointerCapture(event.pointerId);
    look(...pixelAt(event, element, size));
  });
  element.addEventListener("pointermove", (event) => {
    const [row, column] = pixelAt(event, element, size);
    soon(() => (down ? look : hover)(row, column));
  });
  element.addEventListener("pointerup", () => {
    down = false;
    flush();
    stay();
  });
  const gone = () => { down = false; soon(leave); };
  element.addEventListener("pointerleave", () => down || gone());
  element.addEventListener("pointercancel", gone);
}

/** Radio buttons in a row: options are [value, text, what a screen reader says]. */
function choice(label, options, read, write) {
  const name = `dx${Math.random()}`; // another explorer in the notebook is another module: its count would be the same
  const inputs = options.map(([value, text, hint]) => {
    const input = make("input", { type: "radio", name, "aria-label": `${label}: ${hint ?? text}` });
    input.addEventListener("change", () => write(value));
    return [value, input, make("label", { title: hint ?? text }, input, make("span", {}, text))];
  });
  const sync = () => inputs.forEach(([value, input]) => { input.checked = read() === value; });
  const group = make("fieldset", {}, make("legend", {}, label), ...inputs.map((i) => i[2]));
  // by ourselves: JupyterLab takes from the arrow keys what a browser would do with them
  arrows(group, (rows, columns, target) => {
    const at = inputs.findIndex((i) => i[1] === target) + Math.sign(rows + columns) + inputs.length;
    const [value, input] = inputs[at % inputs.length];
    input.checked = true;
    input.focus();
    write(value);
  });
  return { group, sync };
}

/** At most one drawing per frame, the latest; `flush` draws it now. */
function eachFrame() {
  let pending = null;
  const flush = () => { const draw = pending; pending = null; draw?.(); };
  const soon = (draw) => { if (!pending) requestAnimationFrame(flush); pending = draw; };
  return { soon, flush };
}

/** [row, column] under the pointer in an element that shows rows x columns. */
const pixelAt = (event, element, [rows, columns]) => {
  const box = element.getBoundingClientRect();
  return [Math.floor(((event.clientY - box.top) / box.height) * rows), Math.floor(((event.clientX - box.left) / box.width) * columns)];
};

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
/** Arrow keys as steps of rows and columns, with shift eight at a time; `settled` when the key is lifted. */
function arrows(element, move, settled = () => {}) {
  element.addEventListener("keydown", (event) => {
    const step = ARROWS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    move(...step.map((x) => x * (event.shiftKey ? 8 : 1)), event.target);
  });
  element.addEventListener("keyup", (event) => ARROWS[event.key] && settled());
}

/** The guided tour: a text per step, and the state that the step sets. Nothing where there is no tour. */
function guide(model) {
  const steps = model.get("tour");
  if (!steps?.length) return null;
  const text = make("p", { class: "dx-step", "aria-live": "polite" }), place = make("small");
  const [back, next] = ["Back", "Next"].map((label) => make("button", { type: "button" }, label));
  next.classList.add("dx-main");
  let at = -1; // before the first step nothing is set: the reader's own place stays
  function go(to) {
    at = Math.max(0, Math.min(steps.length - 1, to));
    const { text: words, ...state } = steps[at];
    text.textContent = words;
    place.textContent = `${at + 1} of ${steps.length}`;
    [back.disabled, next.disabled] = [at === 0, at === steps.length - 1];
    for (const [name, value] of Object.entries(state)) model.set(name, value);
    model.save_changes();
  }
  back.addEventListener("click", () => go(at - 1));
  next.addEventListener("click", () => go(at + 1));
  back.disabled = true;
  text.textContent = `A tour in ${steps.length} steps: press Next.`;
  return make("nav", { class: "dx-tour", "aria-label": "Guided tour" }, text, make("div", {}, back, next, place));
}

/** Title, one sentence on what to do, the tour, and what is shown. */
const heading = (model, title, lead, about) => make("header", {}, make("h2", {}, title), make("p", {}, lead),
  make("p", { class: "dx-about" }, about.filter(Boolean).join(" · ")), guide(model));

// --- two ways to run -------------------------------------------------------------------------------

/** `build(model, root)` draws into root and returns what undoes it; a `message` is shown in its place. `kind` is
 * what the explorer's own style sheet asks for: those of several explorers meet in one notebook. */
function widget(build, kind = "empty") {
  function render({ model, el }) {
    // JupyterLab would take arrow keys to move between cells
    const root = make("div", { class: `dcamsr-explorer dx-is-${kind}`, "data-lm-suppress-shortcuts": "true" });
    el.append(root);
    const message = model.get("message");
    if (!message && Object.keys(model.get("info")).length) {
      const stop = build(model, root);
      root.append(make("footer", {}, "Not for clinical use."));
      return stop;
    }
    root.append(make("p", { class: "dx-message", role: "alert" }, message || "Nothing to show."), make("footer", {}, "Not for clinical use."));
  }
  /** A saved page: the state with bytes in base64 stands in for the kernel's model. */
  function standalone(el, state) {
    const revive = (value) => {
      if (value === null || typeof value !== "object") return value;
      if (typeof value.dtype === "string") return { ...value, data: new DataView(Uint8Array.from(atob(value.data), (c) => c.charCodeAt(0)).buffer) };
      return Array.isArray(value) ? value.map(revive) : Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]));
    };
    const values = revive(state), listeners = {};
    const model = {
      alone: true, // no kernel answers
      get: (name) => values[name],
      set: (name, value) => {
        if (JSON.stringify(values[name]) === JSON.stringify(value)) return;
        values[name] = value;
        for (const listener of listeners[`change:${name}`] ?? []) listener();
      },
      on: (event, listener) => { (listeners[event] ??= []).push(listener); },
      off: (event, listener) => { listeners[event] = listeners[event]?.filter((l) => l !== listener); },
      save_changes: () => {},
      send: () => {},
    };
    return render({ model, el });
  }
  return { render, standalone };
}
