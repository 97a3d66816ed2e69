// The attention microscope. One pass of the network arrives packed (queries, projected keys, value
// footprints, channel attention); softmax, lift and picture are computed here. The same module runs
// in a notebook (anywidget calls `render`) and in a saved page (`standalone`). `attention.js`, the
// numbers, stands before this file in that module.
//
// For tests and lectures, the root element (class "dcamsr-explorer") has a property `explorer`:
//   .map(level, head, row, column, relative) -> Float32Array, rows * columns of the level, row-major:
//        as Record.lift; row and column in the level's pixels, head null for the mean
//   .weights(level, head, row, column) -> Float64Array over the projected tokens
//   .channel(level, head) -> Float32Array d * d
//   .source(level, row, column) -> [{head, feature, row, column}] as Record.source
//   .show(row, column) draws a query of the image's pixels at once; .state is what is on screen;
//        .format writes numbers as the page does

const SVG = "http://www.w3.org/2000/svg"; // a name, never fetched
const BLUE = [38, 116, 216], ORANGE = [238, 112, 8];
const VIRIDIS = [[68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142],
  [31, 158, 137], [53, 183, 121], [110, 206, 88], [181, 222, 43], [253, 231, 37]];

// --- drawing ---------------------------------------------------------------------------------------

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
  const numbers = [0, 1, 2].map(() => make("span"));
  const bar = make("div", { class: "dx-bar" }, make("i", { style: `background:linear-gradient(90deg,${stops})` }),
    make("div", { class: "dx-ticks" }, ...numbers), make("small", {}, label));
  return { bar, set: (low, high) => numbers.forEach((span, i) => { span.textContent = format(low + (i * (high - low)) / 2, 2); }) };
}

// attention may be uniform to five digits, and not be uniform
const share = (x) => x.toFixed(x > 0.9995 ? 5 : 3);
const times = (x) => `${Math.abs(x - 1) < 0.005 ? x.toFixed(5) : format(x)} ×`;
const extent = (values) => values.reduce((top, x) => Math.max(top, Math.abs(x)), 0) || 1e-30;

// --- the explorer ----------------------------------------------------------------------------------

let instances = 0;

function build(model, root) {
  const info = model.get("info"), [rows, columns] = info.shape, [top, left] = info.offset;
  const levels = Object.fromEntries(Object.entries(model.get("levels")).map(([k, v]) => [k, new Level(v)]));
  const images = Object.fromEntries(Object.entries(model.get("images")).map(([k, v]) => [k, unpack(v).values]));
  const state = { over: true, token: null };
  const names = ["query", "level", "head", "relative"], scrambled = info.merge === "scrambled";
  const id = `dx${instances++}`;
  if (images.target) images.error = images.output.map((x, i) => Math.abs(x - images.target[i]));

  const place = (element, row, column, height, width) => Object.assign(element.style, {
    top: `${(100 * row) / rows}%`, left: `${(100 * column) / columns}%`,
    height: `${(100 * height) / rows}%`, width: `${(100 * width) / columns}%`,
  });
  function frame(...layers) {
    const mark = make("div", { class: "dx-mark" });
    const element = make("div", { class: "dx-frame", style: `aspect-ratio:${columns}/${rows}` }, ...layers, mark);
    return { element, mark };
  }
  const card = (title, ...children) => make("section", { class: "dx-card" }, make("h3", {}, title), ...children);

  // controls
  function choice(label, options, read, write) {
    const inputs = options.map(([value, text, hint]) => {
      const input = make("input", { type: "radio", name: `${id}-${label}`, "aria-label": `${label}: ${hint ?? text}` });
      input.addEventListener("change", () => { write(value); save(); update(); });
      return [value, input, make("label", { title: hint ?? text }, input, make("span", {}, text))];
    });
    const sync = () => inputs.forEach(([value, input]) => { input.checked = read() === value; });
    const group = make("fieldset", {}, make("legend", {}, label), ...inputs.map((i) => i[2]));
    return { group, sync };
  }
  const bind = (name) => [() => state[name], (value) => { state[name] = value; }];
  const heads = [...Array(info.heads).keys()];
  const choices = [
    choice("Level", Object.entries(levels).map(([l, v]) => [+l, l, `level ${l}, ${v.rows} × ${v.columns}`]), ...bind("level")),
    choice("Head", [[null, "mean", "mean over heads"], ...heads.map((h) => [h, String(h), `head ${h}`])], ...bind("head")),
    choice("Show", [[true, "minus uniform", "difference from uniform attention"], [false, "absolute"]], ...bind("relative")),
    choice("Map", [[true, "on reference"], [false, "alone"]], ...bind("over")),
  ];

  // image panels, one linked cursor
  const panels = Object.keys(images).map((name) => {
    const canvas = make("canvas", { role: "img", "aria-label": info.titles[name] });
    const error = name === "error", value = make("output");
    const high = error ? Float32Array.from(images.error).sort()[Math.floor(0.995 * rows * columns)] || 1 : info.windows[name];
    paint(canvas, images[name], [rows, columns], 0, high, error ? "viridis" : "grey");
    const { element, mark } = frame(canvas);
    const figure = make("figure", {}, make("figcaption", {}, make("b", {}, info.titles[name]), value), element);
    if (error) {
      const { bar, set } = colourBar("viridis", "% of white");
      set(0, (100 * high) / info.windows.output);
      figure.append(bar);
    } else if (info.psnr[name]) {
      figure.append(make("small", { title: "PSNR of this slice; the peak is the slice's largest value" }, `PSNR ${info.psnr[name]}`));
    }
    return { name, figure, element, mark, value };
  });
  const strip = make("div", {
    class: "dx-panels", tabindex: 0, role: "application",
    "aria-label": "Query pixel. Arrow keys move it one pixel of the level, with shift eight.",
  }, ...panels.map((panel) => panel.figure));

  // the lifted map
  const ground = make("canvas"), overlay = make("canvas", { class: "dx-overlay", role: "img" });
  paint(ground, images.reference, [rows, columns], 0, info.windows.reference, "grey");
  const runs = make("div"), lifted = frame(ground, overlay, runs), mapBar = colourBar("signed", "weight per reference pixel");
  const reading = make("p", { class: "dx-reading" }), layout = make("p", { class: "dx-layout" });
  const what = make("p", { class: "dx-what" });
  const attention = card("Attention on the reference", what, lifted.element, mapBar.bar, reading, layout);

  // tokens and the footprint of one
  const chart = make("canvas", { class: "dx-chart", tabindex: 0, role: "slider", "aria-label": "projected token", "aria-valuemin": 0 });
  const chartTop = make("span"), chartLow = make("span"), chartNote = make("span");
  const foot = make("canvas", { class: "dx-overlay", role: "img" }), footFrame = frame(foot), footBar = colourBar("signed", "weight per pixel");
  const footTitle = make("p", { class: "dx-reading" });
  footFrame.element.classList.add("dx-foot");
  footFrame.mark.remove();
  const plot = make("div", { class: "dx-plot" }, make("div", { class: "dx-axis" }, chartTop, chartLow), chart, make("i"), chartNote);
  const tokens = card(`Weights of the ${levels[model.get("level")].p} projected tokens`, make("div", { class: "dx-tokens" }, plot,
    make("div", { class: "dx-side" }, footFrame.element, make("div", {}, footTitle, footBar.bar))));

  // entropy and channel attention
  const dots = make("div"), entropies = card("Entropy of the attention rows", dots,
    make("p", { class: "dx-reading" }, "1: uniform, every token alike. 0: one-hot. One dot per head, mean over queries; the ring is this query."));
  const matrices = make("div", { class: "dx-matrices" }), channelBar = colourBar("viridis", "channel attention"), cell = make("p", { class: "dx-reading" });
  const channels = card("Channel attention", matrices, channelBar.bar, cell);

  const live = make("div", { class: "dx-hidden", "aria-live": "polite" });
  root.append(
    make("header", {}, make("h2", {}, "Where does the network look?"),
      make("p", {}, "Move over an image to see which reference pixels the network reads for that place; click or drag to stay there, arrow keys move on."),
      make("p", { class: "dx-about" }, [info.title, info.layout, `slice ${info.slice} of ${info.slices}`, ...info.files, ...info.notes].join(" · "))),
    make("div", { class: "dx-controls" }, ...choices.map((c) => c.group)), strip,
    make("div", { class: "dx-cards" }, attention,
      make("div", { class: "dx-column" }, tokens, entropies, channels)),
    make("footer", {}, "Not for clinical use."), live);

  // --- what follows the query
  let level, row, column, weights, map, shown;
  function show(r, c) {
    shown = [Math.max(0, Math.min(rows - 1, r)), Math.max(0, Math.min(columns - 1, c))];
    const L = levels[state.level], s = state.level;
    [level, row, column] = [L, Math.floor((shown[0] + top) / s), Math.floor((shown[1] + left) / s)];
    weights = L.weights(state.head, row * L.columns + column);
    const drawn = state.relative ? weights.map((w) => w - 1 / L.p) : weights;
    map = L.lift(drawn);
    const high = extent(map), at = shown[0] * columns + shown[1];
    paint(overlay, map, [L.rows, L.columns], -high, high, "signed");
    mapBar.set(-high, high);
    for (const { mark } of [...panels, lifted]) place(mark, (row + 0.5) * s - top, (column + 0.5) * s - left, s, s);
    for (const { name, value } of panels) value.textContent = format(images[name][at]);
    drawTokens(drawn);
    drawRuns(L, s);
    reading.textContent = `Query at row ${shown[0]}, column ${shown[1]}. Entropy ${share(entropy(weights))}; strongest token ${times(extent(weights) * L.p)} uniform.`;
    dots.ring?.setAttribute("cx", ringAt(entropy(weights)));
  }
  function drawRuns(L, s) {
    if (!scrambled) return;
    const parts = [];
    for (const from of L.source(row, column, true)) {
      const last = parts.at(-1);
      if (last && last.row === from.row && last.column + last.width === from.column) last.width++;
      else parts.push({ ...from, width: 1 });
    }
    runs.replaceChildren(...parts.map((part) => {
      const run = make("div", { class: "dx-run" });
      place(run, part.row * s - top, part.column * s - left, s, part.width * s);
      return run;
    }));
    const { head, feature } = parts[0];
    layout.textContent = `Scrambled merge: the value written at this query's pixel was computed for the pixels in the violet frame (feature ${feature} of head ${head}), not for this query.`;
  }
  const token = () => state.token ?? weights.reduce((best, w, i) => (w > weights[best] ? i : best), 0);
  let footprintOf;
  function drawTokens(drawn) {
    const { p } = level, high = extent(drawn), low = state.relative ? -high : 0, chosen = token();
    const [width, height] = [p * 16, 256], context = chart.getContext("2d");
    if (chart.width !== width) [chart.width, chart.height] = [width, height];
    context.clearRect(0, 0, width, height);
    const y = (value) => ((high - value) / (high - low)) * height;
    for (let i = 0; i < p; i++) {
      context.fillStyle = `rgba(${drawn[i] < 0 ? BLUE : ORANGE},${i === chosen ? 1 : 0.55})`;
      context.fillRect(16 * i + 2, Math.min(y(drawn[i]), y(0)), 12, Math.max(2, Math.abs(y(drawn[i]) - y(0))));
      if (i === chosen) { context.fillStyle = "rgba(128,128,128,.25)"; context.fillRect(16 * i, 0, 16, height); }
    }
    context.fillStyle = "rgba(128,128,128,.9)";
    for (let x = 0; x < width; x += 16) context.fillRect(x, y(state.relative ? 0 : 1 / p) - 1, state.relative ? 16 : 8, 2);
    chartTop.textContent = format(high, 2);
    chartLow.textContent = format(low, 2);
    chartNote.textContent = state.relative ? `minus uniform, 1/${p}: the line` : `dashes: uniform, 1/${p}`;
    footTitle.textContent = `Footprint of token ${chosen}${state.token === null ? ", the strongest" : ""}. Weight ${format(weights[chosen])}, ${times(weights[chosen] * p)} uniform.`;
    chart.setAttribute("aria-valuemax", p - 1);
    chart.setAttribute("aria-valuenow", chosen);
    chart.setAttribute("aria-valuetext", footTitle.textContent);
    if (footprintOf === `${state.level} ${chosen}`) return;
    footprintOf = `${state.level} ${chosen}`;
    const one = level.footprint(chosen), limit = extent(one);
    paint(foot, one, [level.rows, level.columns], -limit, limit, "signed");
    foot.setAttribute("aria-label", `footprint of token ${chosen}`);
    footBar.set(-limit, limit);
  }

  // --- what follows the controls
  const ringAt = (value) => 60 + 190 * value;
  function drawEntropy() {
    const lines = Object.entries(levels).flatMap(([l, v]) => Object.entries(v.entropy).map(([b, e]) => [+l, b, e]));
    const svg = make("svg", { viewBox: `0 0 300 ${22 * lines.length + 20}`, role: "img",
      "aria-label": lines.map(([l, b, e]) => `level ${l} ${b}: ${e.map((x) => x.toFixed(3)).join(" ")}`).join("; ") });
    lines.forEach(([l, branch, values], i) => {
      const y = 22 * i + 11, mean = values.reduce((a, b) => a + b) / values.length;
      svg.append(make("text", { x: 0, y: y + 3 }, `${l} ${branch}`), make("line", { x1: 60, x2: 250, y1: y, y2: y }),
        make("text", { x: 300, y: y + 3, "text-anchor": "end" }, share(mean)));
      values.forEach((value, h) => svg.append(make("circle", { cx: ringAt(value), cy: y, r: 3.2, class: h === state.head ? "dx-now" : branch },
        make("title", {}, `level ${l}, ${branch}, head ${h}: ${value.toFixed(5)}`))));
      if (l === state.level && branch === "spatial") {
        dots.ring = make("circle", { cx: ringAt(1), cy: y, r: 5.5, class: "dx-ring" });
        svg.append(dots.ring);
      }
    });
    const y = 22 * lines.length + 14;
    svg.append(make("text", { x: 60, y, "text-anchor": "middle" }, "0"), make("text", { x: 155, y, "text-anchor": "middle" }, "0.5"),
      make("text", { x: 250, y, "text-anchor": "middle" }, "1"), make("text", { x: 300, y, "text-anchor": "end" }, "mean"));
    dots.replaceChildren(svg);
  }
  function drawChannels() {
    const L = levels[state.level];
    channels.hidden = !L.channel;
    if (!L.channel) return;
    const high = extent(L.channel.values);
    matrices.replaceChildren(...heads.map((h) => {
      const canvas = make("canvas", { role: "img", tabindex: 0, "data-head": h, "aria-label": `channel attention of head ${h}` });
      paint(canvas, L.matrix(h), [L.d2, L.d2], 0, high, "viridis");
      return make("div", h === state.head ? { class: "dx-now" } : {}, canvas, make("small", {}, `${h}`));
    }));
    channelBar.set(0, high);
    cell.textContent = "One square per head. Rows: query features of the input; columns: reference features they take.";
  }
  function readCell(h, i, j) {
    const L = levels[state.level], [r, c] = [i, j].map((x) => Math.max(0, Math.min(L.d2 - 1, x)));
    cell.textContent = `Head ${h}: query feature ${r} takes ${format(L.matrix(h)[r * L.d2 + c])} of reference feature ${c}.`;
    return [r, c];
  }
  function update() {
    for (const c of choices) c.sync();
    const L = levels[state.level], s = state.level, who = state.head === null ? "mean over heads" : `head ${state.head}`;
    root.classList.toggle("dx-alone", !state.over);
    for (const canvas of [overlay, foot]) place(canvas, -top, -left, L.rows * s, L.columns * s);
    what.textContent = `level ${s}, ${L.rows} × ${L.columns} · ${who}${state.relative ? " · minus uniform" : ""}`;
    overlay.setAttribute("aria-label", `attention on the reference, ${what.textContent}`);
    drawEntropy();
    drawChannels();
    show(...state.query);
    say();
  }
  const say = () => { live.textContent = reading.textContent; };
  let saving = false; // the model answers each set with a change of its own
  function save() {
    saving = true;
    for (const name of names) model.set(name, state[name]);
    saving = false;
    model.save_changes();
  }

  // --- pointer and keys
  const pixelAt = (event, element) => {
    const box = element.getBoundingClientRect();
    return [Math.floor(((event.clientY - box.top) / box.height) * rows), Math.floor(((event.clientX - box.left) / box.width) * columns)];
  };
  let pending = null;
  const soon = (draw) => { // at most one drawing per frame
    if (!pending) requestAnimationFrame(() => { pending(); pending = null; });
    pending = draw;
  };
  function pointer(element, hovers) {
    let down = false;
    element.addEventListener("pointerdown", (event) => {
      down = true;
      element.setPointerCapture(event.pointerId);
      show(...pixelAt(event, element));
    });
    element.addEventListener("pointermove", (event) => {
      const [r, c] = pixelAt(event, element);
      if (down || hovers) return soon(() => show(r, c));
      const at = Math.floor((r + top) / state.level) * level.columns + Math.floor((c + left) / state.level);
      reading.textContent = `Reference row ${r}, column ${c}: weight ${format(map[at] ?? 0)}.`;
    });
    element.addEventListener("pointerup", () => {
      down = false;
      pending?.();
      state.query = shown;
      save();
      say();
    });
    const leave = () => { down = false; soon(() => { show(...state.query); say(); }); };
    element.addEventListener("pointerleave", () => down || leave());
    element.addEventListener("pointercancel", leave);
  }
  for (const { element } of panels) pointer(element, true);
  pointer(lifted.element, false);

  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  function keys(element, move, settled = () => {}) {
    element.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      move(...step.map((x) => x * (event.shiftKey ? 8 : 1)), event.target);
    });
    element.addEventListener("keyup", (event) => steps[event.key] && settled());
  }
  keys(strip, (dr, dc) => { show(state.query[0] + dr * state.level, state.query[1] + dc * state.level); state.query = shown; }, () => { save(); say(); });
  const pick = (next) => { state.token = Math.max(0, Math.min(level.p - 1, next)); show(...shown); };
  keys(chart, (dr, dc) => pick(token() + dc - dr));
  chart.addEventListener("pointermove", (event) => pick(Math.floor((event.offsetX / chart.clientWidth) * level.p)));
  chart.addEventListener("pointerleave", () => { state.token = null; show(...shown); });
  chart.addEventListener("blur", () => { state.token = null; show(...shown); });
  let at = [0, 0];
  matrices.addEventListener("pointermove", ({ target, offsetX, offsetY }) => {
    if (target.dataset.head) at = readCell(+target.dataset.head, ...[offsetY / target.clientHeight, offsetX / target.clientWidth].map((x) => Math.floor(x * level.d2)));
  });
  keys(matrices, (dr, dc, target) => { at = readCell(+target.dataset.head, at[0] + dr, at[1] + dc); });

  const read = () => {
    if (saving) return;
    for (const name of names) state[name] = model.get(name);
    update();
  };
  for (const name of names) model.on(`change:${name}`, read);
  read();
  root.explorer = {
    map: (l, head, r, c, relative) => levels[l].map(head, r, c, relative),
    weights: (l, head, r, c) => levels[l].weights(head, r * levels[l].columns + c),
    channel: (l, head) => levels[l].matrix(head),
    source: (l, r, c) => levels[l].source(r, c, scrambled),
    show, state, format,
  };
  return () => { for (const name of names) model.off(`change:${name}`, read); };
}

function render({ model, el }) {
  // JupyterLab would take arrow keys to move between cells
  const root = make("div", { class: "dcamsr-explorer", "data-lm-suppress-shortcuts": "true" });
  el.append(root);
  const message = model.get("message");
  if (!message && Object.keys(model.get("levels")).length) return build(model, root);
  root.append(make("p", { class: "dx-message", role: "alert" }, message || "Nothing to show."), make("footer", {}, "Not for clinical use."));
}

/** A saved page: the state with bytes in base64 stands in for the kernel's model. */
export function standalone(el, state) {
  const revive = (value) => {
    if (value === null || typeof value !== "object") return value;
    if (typeof value.dtype === "string") return { ...value, data: new DataView(Uint8Array.from(atob(value.data), (c) => c.charCodeAt(0)).buffer) };
    return Array.isArray(value) ? value.map(revive) : Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]));
  };
  const values = revive(state), nothing = () => {};
  const model = { get: (name) => values[name], set: (name, value) => { values[name] = value; }, on: nothing, off: nothing, save_changes: nothing };
  return render({ model, el });
}

export default { render };
