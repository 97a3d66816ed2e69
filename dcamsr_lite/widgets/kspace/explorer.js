// The k-space explorer: a box to drag on k-space, and the image that the samples in it make. One module with
// numbers.js, ui.js and fourier.js, which stand before it.
//
// For tests and lectures, the root element (class "dcamsr-explorer") has a property `explorer`:
//   .image(setting, small) -> Float64Array: the zero-filled image, or the box's own small one
//   .quality(setting) -> {psnr, ssim, nmse, brightness, inside, outside, measured, removed} of what this setting shows
//   .weights(setting) -> Float64Array of the box; .full is the full image
//   .show(box) draws a box at once; .state is the setting on screen

function build(model, root) {
  const info = model.get("info"), size = info.shape, [rows, columns] = size;
  const data = new KSpace(unpack(model.get("images").kspace)), { full, peak } = data, judge = new Quality(full, size);
  const names = ["box", "shape", "noise", "window", "taper", "matrix", "rescale", "point", "along"];
  const state = { stretch: false }, white = window995(full);

  // --- controls
  const bind = (name) => [() => state[name], (value) => { state[name] = value; save(); update(); }];
  const rescale = choice("Brightness", [[true, "rescaled", "divided by the brightening of the crop"], [false, "as it comes"]], ...bind("rescale"));
  const choices = [
    choice("Shape", [["box", "box"], ["lines", "lines", "phase-encoding lines, the readout whole"], ["disc", "disc"]], ...bind("shape")),
    choice("Window", [["none", "none"], ["hann", "Hann"], ["tukey", "Tukey"]], ...bind("window")),
    choice("Matrix", [["zero-filled", "zero-filled", "zero-filled to full size"], ["acquired", "as acquired", "the small image as acquired"]], ...bind("matrix")),
    rescale,
    choice("Grey", [[false, "fixed", "white as in the full image"], [true, "stretched", "white as in this image: what a faint one holds"]],
      () => state.stretch, (value) => { state.stretch = value; update(); }),
  ];
  const along = choice("along a", [["row", "row", "row"], ["column", "column", "column"]], ...bind("along"));
  const noise = slider("Noise", [0, 0.2, 0.005], (x) => `${format(100 * x)} % of maximum`, "noise");
  const taper = slider("Tukey width", [0, 1, 0.05], (x) => `${format(100 * x)} % of the box`, "taper");
  function slider(label, [min, max, step], text, name) {
    const input = make("input", { type: "range", min, max, step, "aria-label": label }), output = make("output");
    const sync = () => { input.value = state[name]; output.textContent = text(state[name]); input.setAttribute("aria-valuetext", output.textContent); };
    input.addEventListener("input", () => { state[name] = +input.value; sync(); soon(draw); });
    input.addEventListener("change", () => { flush(); save(); say(); });
    return { sync, group: make("label", { class: "kx-slider" }, make("span", {}, label), input, output) };
  }
  const centred = (scale) => {
    const sides = size.map((n) => Math.max(1, Math.floor(n / scale)));
    return [...size.map((n, i) => (n >> 1) - (sides[i] >> 1)), ...sides];
  };
  const presets = [[1, "full"], [2, "2×"], [4, "4×"], [8, "8×"]].map(([scale, text]) => {
    const hint = scale === 1 ? "all of k-space" : `the centre 1/${scale} of each axis`;
    return preset(text, hint, () => centred(scale));
  });
  function preset(text, hint, of) {
    const button = make("button", { type: "button", title: hint, "aria-label": `Box: ${hint}` }, text);
    button.addEventListener("click", () => { state.box = of(); save(); update(); });
    return { button, sync: () => button.setAttribute("aria-pressed", String(of()) === String(state.box)) };
  }
  const middle = () => size.map((n, i) => (n >> 1) - (state.box[2 + i] >> 1));
  const centre = preset("centre", "moved to the centre", () => [...middle(), ...state.box.slice(2)]).button;
  const controls = make("div", { class: "dx-controls" }, make("div", { class: "kx-presets", role: "group", "aria-label": "Box" },
    make("small", {}, "Box"), ...presets.map((p) => p.button), centre), ...choices.map((c) => c.group), taper.group, noise.group);

  // --- k-space, the image, the difference
  const named = (title, frame, bar) => {
    const heading = make("b", {}, title), value = make("output");
    return { heading, value, figure: make("figure", {}, make("figcaption", {}, heading, value), frame, bar) };
  };
  const spectrum = make("canvas", { role: "img", "aria-label": "magnitude of k-space, logarithmic" }), ground = frame(size, spectrum);
  const box = make("div", { class: "kx-box", tabindex: 0, role: "application" }, make("i"), ...["nw", "n", "ne", "e", "se", "s", "sw", "w"].map((at) => make("u", { class: `kx-${at}` })));
  ground.mark.replaceWith(box);
  const spectrumBar = colourBar("viridis", "log₁₀ of the magnitude over its largest"), spectrumPart = named("k-space", ground.element, spectrumBar.bar);
  const strongest = extent(data.power), log = data.power.map((x) => 0.5 * Math.log10(x / strongest + 1e-30));
  const measured = log.filter((x) => x > -10); // samples that were never acquired are zero
  // at most -1: the k-space of a point is flat, and all of it as strong as its strongest
  const floor = Math.min(-1, Math.max(-6, Math.floor(2 * measured.sort()[Math.floor(measured.length / 100)]) / 2));
  paint(spectrum, log, size, floor, 0, "viridis");
  spectrumBar.set(floor, 0);

  const picture = make("canvas", { role: "img" }), [rule, rule2] = [0, 0].map(() => make("div", { class: "kx-rule" }));
  const shown = frame(size, picture, rule), greyBar = colourBar("viridis", "% of the full image's maximum");
  greyBar.bar.firstChild.style.background = "linear-gradient(90deg,#000,#fff)";
  const shownPart = named("Image", shown.element, greyBar.bar);
  Object.entries({ tabindex: 0, role: "application", "aria-label": "Place of the profile. Arrow keys move it one pixel, with shift eight." })
    .forEach(([name, value]) => shown.element.setAttribute(name, value));
  const error = make("canvas", { role: "img", "aria-label": "difference from the full image" }), missed = frame(size, error, rule2);
  const errorBar = colourBar("signed", "% of the full image's maximum"), errorPart = named("Minus the full image", missed.element, errorBar.bar);

  // --- profile and numbers
  const chart = profileChart(), lengths = make("p", { class: "dx-reading" });
  const profile = card("Profile", make("div", { class: "dx-controls" }, along.group, lengths), chart.svg);
  const tiles = Object.fromEntries([["psnr", "PSNR"], ["ssim", "SSIM"], ["brightness", "Brightness"], ["nmse", "NMSE"], ["samples", "Samples kept"], ["energy", "Energy kept"]]
    .map(([name, label]) => [name, { value: make("b"), label }]));
  const parts = [["inside", "In the box"], ["outside", "Outside it"]].map(([name, label]) => {
    const fill = make("i"), value = make("span");
    return { name, fill, value, line: make("div", { class: `kx-share kx-${name}` }, make("span", {}, label), make("div", {}, fill), value) };
  });
  const folded = make("p", { class: "dx-reading" });
  const numbers = card("How good is it?", make("div", { class: "kx-tiles" }, ...Object.values(tiles).map(({ label, value }) => make("div", {}, make("small", {}, label), value))),
    make("h3", {}, "Squared error in k-space, share of its energy"), ...parts.map((p) => p.line), folded);

  const live = make("div", { class: "dx-hidden", "aria-live": "polite" });
  root.append(
    heading(model, "What does each part of k-space hold?",
      "Drag the box on k-space: its inside moves it, its edges and corners size it. The image keeps only what lies in the box.",
      [info.title, info.origin, info.coils > 1 ? `${info.coils} coils` : null, `slice ${info.slice} of ${info.slices}`, ...info.files, ...info.notes]),
    controls, make("div", { class: "kx-parts" }, spectrumPart.figure, shownPart.figure, errorPart.figure, profile, numbers), live);

  // --- what follows the box
  let curve, quality, kept;
  function judged(setting) {
    const image = data.image(setting), gain = setting.rescale || setting.matrix === "zero-filled" ? 1 : data.brightening(setting);
    if (gain !== 1) for (let i = 0; i < image.length; i++) image[i] *= gain;
    return { image, quality: { ...judge.all(image, setting), ...data.error(setting, gain) } };
  }
  function draw() {
    const [row, column, height, width] = covered(state, size), acquired = state.matrix === "acquired";
    place(box, size, row, column, height, width);
    box.classList.toggle("kx-disc", state.shape === "disc");
    box.classList.toggle("kx-lines", state.shape === "lines");
    ({ image: curve, quality } = judged(state));
    kept = data.kept(state);
    const divided = state.rescale ? data.brightening(state) : 1;
    const grey = acquired ? data.image(state, true).map((x) => x / divided) : curve, top = state.stretch ? window995(grey) : white;
    paint(picture, grey, acquired ? [height, width] : size, 0, top, "grey");
    greyBar.set(0, (100 * top) / peak);
    const difference = minus(curve, full), high = ladder(Math.max(0.6 * extent(difference), 0.001 * peak) / peak);
    paint(error, difference, size, -high * peak, high * peak, "signed");
    errorBar.set(-100 * high, 100 * high);
    spectrumPart.value.textContent = `${height} × ${width} of ${rows} × ${columns}`;
    shownPart.heading.textContent = acquired ? `Image, ${height} × ${width} as acquired` : "Image, zero-filled";
    picture.setAttribute("aria-label", shownPart.heading.textContent);
    drawNumbers();
    drawProfile();
    for (const p of presets) p.sync();
  }
  function drawNumbers() {
    const { psnr, ssim, nmse, brightness, measured, removed } = quality;
    tiles.nmse.value.textContent = percent(nmse);
    tiles.psnr.value.textContent = isFinite(psnr) ? `${psnr.toFixed(2)} dB` : "∞";
    tiles.ssim.value.textContent = ssim.toFixed(4);
    tiles.brightness.value.textContent = `${brightness.toFixed(3)} ×`;
    tiles.samples.value.textContent = percent(kept.samples);
    tiles.energy.value.textContent = percent(kept.energy);
    const most = Math.max(quality.inside, quality.outside);
    for (const { name, fill, value } of parts) {
      fill.style.width = `${most > 1e-12 ? (100 * quality[name]) / most : 0}%`;
      value.textContent = percent(quality[name]);
    }
    folded.textContent = `In: noise, the window, a wrong brightness. Outside: lost. The magnitude mixes the two; its image has ${percent(measured)} in, ${percent(removed)} outside, together the NMSE.`;
  }
  function drawProfile() {
    const [r, c] = state.point, row = state.along === "row", n = row ? columns : rows;
    const cut = (values) => Array.from({ length: n }, (_, i) => (100 * values[row ? r * columns + i : i * columns + c]) / peak);
    chart.draw(cut(full), cut(curve), row ? c : r, row ? "column" : "row");
    lengths.textContent = `${row ? `row ${r}` : `column ${c}`}, % of the full image's maximum`;
    for (const one of [rule, rule2]) place(one, size, row ? r : 0, row ? 0 : c, row ? 1 : rows, row ? columns : 1);
    for (const { mark } of [shown, missed]) place(mark, size, r + 0.5, c + 0.5, 1, 1);
    const at = r * columns + c;
    shownPart.value.textContent = `□ ${format((100 * curve[at]) / peak)} %`;
    errorPart.value.textContent = `□ ${format((100 * (curve[at] - full[at])) / peak)} %`;
  }
  function update() {
    for (const part of [...choices, along, noise, taper]) part.sync();
    rescale.group.hidden = state.matrix !== "acquired";
    taper.group.hidden = state.window !== "tukey";
    draw();
    say();
  }
  function say() {
    const [row, column, height, width] = covered(state, size);
    const away = [row + (height >> 1) - (rows >> 1), column + (width >> 1) - (columns >> 1)];
    const where = `Box of ${height} × ${width} samples, ${away.some(Boolean) ? `${away[0]} rows and ${away[1]} columns off the centre` : "centred"}`;
    box.setAttribute("aria-label", `${where}. Arrow keys move it; with shift, right and down widen it, left and up narrow it.`);
    live.textContent = `${where}. PSNR ${tiles.psnr.value.textContent}, SSIM ${tiles.ssim.value.textContent}, brightness ${tiles.brightness.value.textContent}.`;
  }
  let saving = false; // the model answers each set with a change of its own
  function save() {
    saving = true;
    for (const name of names) model.set(name, state[name]);
    saving = false;
    model.save_changes();
  }

  // --- pointer and keys
  const { soon, flush } = eachFrame();
  dragBox(ground.element, size, state, (next) => { state.box = next; soon(draw); }, () => { flush(); save(); say(); });
  box.addEventListener("keydown", (event) => {
    const step = ARROWS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const [row, column, height, width] = state.box, down = state.shape === "lines" ? 0 : step[0], along = step[1];
    state.box = event.shiftKey ? sized(state.box, [height + down, width + along], size) : moved(state.box, [row + down, column + along], size);
    draw();
  });
  box.addEventListener("keyup", (event) => { if (ARROWS[event.key]) { save(); say(); } });
  const look = (r, c) => { state.point = [Math.max(0, Math.min(rows - 1, r)), Math.max(0, Math.min(columns - 1, c))]; drawProfile(); };
  const stay = () => { save(); say(); };
  const leave = () => { state.point = model.get("point"); drawProfile(); }; // of a finger that scrolls the page
  for (const { element } of [shown, missed]) follow(element, size, { look, stay, leave });
  arrows(shown.element, (dr, dc) => look(state.point[0] + dr, state.point[1] + dc), stay);

  const read = () => {
    if (saving) return;
    for (const name of names) state[name] = model.get(name);
    update();
  };
  for (const name of names) model.on(`change:${name}`, read);
  read();
  root.explorer = {
    image: (setting, small) => data.image(setting, small), quality: (setting) => judged(setting).quality,
    weights: (setting) => weights(setting, size), full, state, format,
    show: (next) => { state.box = next; draw(); },
  };
  return () => { chart.stop(); for (const name of names) model.off(`change:${name}`, read); };
}

const percent = (share) => (share > 1e-12 ? `${format(100 * share)} %` : "0 %");
/** The next of 1, 2, 5, 10, 20 ... per cent: a colour scale that does not breathe with every sample. */
const ladder = (share) => {
  const ten = 10 ** Math.floor(Math.log10(share));
  return ten * [1, 2, 5, 10].find((x) => x * ten >= share * 0.999);
};

const clamp = (x, low, high) => Math.max(low, Math.min(high, x));
/** A box at another corner, and one of another size about its own centre; both stay in k-space. */
const moved = ([, , height, width], corner, size) =>
  [...corner.map((x, i) => clamp(Math.round(x), 0, size[i] - [height, width][i])), height, width];
function sized([row, column, height, width], sides, size) {
  const centre = [row + (height >> 1), column + (width >> 1)];
  const fit = sides.map((side, i) => clamp(Math.round(side), 1, Math.min(2 * centre[i] + 1, 2 * (size[i] - centre[i]))));
  return [...centre.map((c, i) => c - (fit[i] >> 1)), ...fit];
}

/** Drag the inside of the box to move it, an edge or a corner to size it; elsewhere it comes to the pointer. */
function dragBox(element, size, state, change, settled) {
  let from = null;
  const at = ({ clientX, clientY }) => { // of lines, the row does not matter: it stays the box's own
    const frame = element.getBoundingClientRect();
    return [state.shape === "lines" ? state.box[0] + state.box[2] / 2 : ((clientY - frame.top) / frame.height) * size[0], ((clientX - frame.left) / frame.width) * size[1]];
  };
  function grab(event) {
    const frame = element.getBoundingClientRect(), pointer = at(event), [row, column, height, width] = covered(state, size);
    const reach = event.pointerType === "touch" ? 20 : 10; // screen pixels on either side of an edge
    const edges = [[row, height, frame.height / size[0]], [column, width, frame.width / size[1]]].map(([low, length, unit], i) => {
      const inner = Math.min(reach, (length * unit) / 4) / unit, outer = reach / unit, x = pointer[i];
      const near = (x > low - outer && x < low + inner) || (x > low + length - inner && x < low + length + outer);
      return { near, within: x > low - outer && x < low + length + outer };
    });
    if (state.shape === "lines") edges[0] = { near: false, within: true };
    const on = edges.every((edge) => edge.within);
    return { pointer, on, resize: edges.map((edge) => on && edge.near) };
  }
  function drag(event) {
    const pointer = at(event), { box, resize } = from, centre = [box[0] + box[2] / 2, box[1] + box[3] / 2];
    if (!resize.some(Boolean)) return change(moved(box, [0, 1].map((i) => box[i] + pointer[i] - from.pointer[i]), size));
    const grown = [0, 1].map((i) => 2 * (Math.abs(pointer[i] - centre[i]) - Math.abs(from.pointer[i] - centre[i])));
    return change(sized(box, [0, 1].map((i) => box[2 + i] + (resize[i] ? grown[i] : 0)), size));
  }
  element.addEventListener("pointerdown", (event) => {
    const { pointer, on, resize } = grab(event), [, , height, width] = state.box;
    const start = on ? state.box : moved(state.box, [pointer[0] - height / 2, pointer[1] - width / 2], size);
    from = { pointer, resize, box: start, before: state.box };
    element.setPointerCapture(event.pointerId);
    change(start);
  });
  element.addEventListener("pointermove", (event) => {
    if (from) return drag(event);
    const { on, resize: [down, along] } = grab(event);
    element.style.cursor = !on ? "crosshair" : down && along ? "nwse-resize" : down ? "ns-resize" : along ? "ew-resize" : "move";
  });
  const end = () => { if (from) settled(); from = null; };
  element.addEventListener("pointerup", end);
  element.addEventListener("pointercancel", () => { if (from) change(from.before); end(); }); // a finger that scrolls the page
}

/** Two curves over pixels, with numbers on both axes; as wide as its place, so that its words keep their size. */
function profileChart() {
  const [height, left, right, top, bottom] = [250, 38, 8, 28, 34];
  let width = 720, last = null;
  const draw = (tag, attributes) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const grid = draw("g", {}), [whole, part] = ["kx-whole", "kx-part"].map((name) => draw("path", { class: name }));
  const cursor = make("line", { class: "kx-cursor", y1: top, y2: height - bottom });
  const legend = [["kx-whole", "full k-space", left + 12], ["kx-part", "the box alone", left + 128]].map(([name, text, x]) => {
    const group = draw("g", {});
    group.append(draw("path", { class: name, d: `M${x} 10h22` }), make("text", { x: x + 28, y: 13.5 }, text));
    return group;
  });
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "kx-profile", "aria-label": "profile of the full image and of the box's image" }, grid, cursor, whole, part, ...legend);
  let drawn = "";
  function plot(full, box, at, unit) {
    last = [full, box, at, unit];
    const n = full.length, high = 1.05 * Math.max(...full, ...box, 1), step = 100 * ladder(high / 600);
    const x = (i) => left + ((i + 0.5) / n) * (width - left - right), y = (v) => height - bottom - (v / high) * (height - top - bottom);
    const path = (values) => values.map((v, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join("");
    whole.setAttribute("d", path(full));
    part.setAttribute("d", path(box));
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(at));
    const key = [high.toPrecision(4), n, unit, width].join();
    if (key === drawn) return;
    drawn = key;
    const levels = Array.from({ length: Math.floor(high / step) + 1 }, (_, i) => i * step), every = 10 * 2 ** Math.max(0, Math.ceil(Math.log2(n / (width / 9))));
    const pixels = Array.from({ length: Math.ceil(n / every) }, (_, i) => i * every);
    grid.replaceChildren(
      ...levels.flatMap((v) => [make("line", { x1: left, x2: width - right, y1: y(v), y2: y(v) }), make("text", { x: left - 6, y: y(v) + 3.5, "text-anchor": "end" }, format(v))]),
      ...pixels.map((i) => make("text", { x: x(i), y: height - bottom + 14, "text-anchor": "middle" }, String(i))),
      make("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, unit));
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

const { render, standalone } = widget(build, "kspace");
export default { render };
