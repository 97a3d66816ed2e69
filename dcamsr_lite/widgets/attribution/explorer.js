// The attribution explorer: drag a patch, run a method in the kernel chunk by chunk, read the maps.
// After numbers.js and ui.js in one module. No thread anywhere: the next chunk of a run is asked for when
// the last one is answered, so to stop is to ask no more.
//
// For tests and lectures, the root element has a property `explorer`: .state (patch, method, target, running),
// .result() (the maps of the method on screen as arrays, and its numbers), .run(), .stop().

/** "about 14 s", "about 3 min". */
const roughly = (seconds) => (seconds < 90 ? `about ${Math.max(1, Math.round(seconds))} s` : `about ${Math.round(seconds / 60)} min`);
const percent = (x, digits = 0) => (x === null ? "undefined" : `${(100 * x).toFixed(digits)} %`);
const where = ([row, column, height, width]) => `${height} × ${width} at row ${row}, column ${column}`;
/** Where the strongest half per cent begins; of a map with fewer pixels than that, the largest. */
const strongest = (map) => {
  const sorted = map.map(Math.abs).sort();
  return sorted[Math.floor(0.995 * sorted.length)] || sorted.at(-1) || 1e-30;
};

const CURVES = { attribution: ["da-attribution", "none"], "attention, level 1": ["da-attention", "none"],
  "attention, level 2": ["da-attention", "6 3"], "attention, level 4": ["da-attention", "1.5 3"], chance: ["da-chance", "4 3"] };
const shape = (tag, attributes) => {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};

/** Deletion curves: how far the patch moves as more of the reference is blurred; the legend carries the areas. */
function drawDeletion(curves) {
  const [left, top, width, height] = [42, 26, 280, 130];
  const high = Math.max(...Object.values(curves).flatMap((c) => c.change)) || 1;
  const x = (fraction) => left + width * Math.sqrt(fraction), y = (change) => top + height * (1 - change / high);
  const svg = make("svg", { viewBox: "0 0 340 200", role: "img", "aria-label": Object.entries(curves)
    .map(([name, c]) => `${name}: area ${c.area === null ? "undefined" : c.area.toFixed(2)}`).join("; ") });
  for (const part of [0, 0.5, 1]) {
    svg.append(make("line", { x1: left, x2: left + width, y1: y(part * high), y2: y(part * high) }),
      make("text", { x: left - 5, y: y(part * high) + 3, "text-anchor": "end" }, format(part * high, 2)));
  }
  for (const fraction of [0.01, 0.05, 0.1, 0.2, 0.4, 0.7, 1]) {
    svg.append(make("text", { x: x(fraction), y: top + height + 15, "text-anchor": "middle" }, `${100 * fraction}`));
  }
  svg.append(make("text", { x: left + width / 2, y: top + height + 35, "text-anchor": "middle" }, "% of the reference blurred (root scale)"));
  svg.append(make("text", { x: 0, y: 11 }, "mean change of the patch"));
  const legend = [];
  for (const [name, curve] of Object.entries(curves)) {
    const [kind, dashes] = CURVES[name];
    const points = [[0, 0], ...curve.fractions.map((f, i) => [f, curve.change[i]])];
    const line = { class: kind, "stroke-dasharray": dashes };
    svg.append(shape("polyline", { ...line, points: points.map(([f, c]) => `${x(f)},${y(c)}`).join(" ") }));
    const swatch = make("svg", { viewBox: "0 0 26 8", "aria-hidden": "true" });
    swatch.append(shape("polyline", { ...line, points: "1,4 25,4" }));
    legend.push(make("span", {}, swatch, `${name}: ${curve.area === null ? "–" : curve.area.toFixed(2)}`));
  }
  return [svg, legend];
}

function build(model, root) {
  const info = model.get("info"), size = info.shape, [rows, columns] = size, [top, left] = info.offset;
  const images = Object.fromEntries(Object.entries(model.get("images")).map(([k, v]) => [k, unpack(v).values]));
  if (images.target) images.error = images.output.map((x, i) => Math.abs(x - images.target[i]));
  const names = ["patch", "method", "target"];
  const state = { over: true, running: false };
  const bind = (name) => [() => state[name], (value) => { state[name] = value; save(); update(); }];

  // controls
  const square = (side) => { const [r, c, h, w] = state.patch; state.patch = fit([r + (h - side) / 2, c + (w - side) / 2, side, side]); };
  const sides = [4, 8, 16, 32].filter((side) => side <= Math.min(info.largest, rows, columns));
  const choices = [
    choice("Method", Object.entries(info.methods), ...bind("method")),
    choice("Question", [["detail", "detail", "where do the edges of the patch come from?"], ["mean", "brightness", "where does the mean of the patch come from?"]], ...bind("target")),
    choice("Patch", sides.map((side) => [side, `${side} × ${side}`]), () => (state.patch[2] === state.patch[3] ? state.patch[2] : null),
      (side) => { square(side); save(); update(); }),
    choice("Maps", [[true, "on the image"], [false, "alone"]], ...bind("over")),
  ];

  // panels with the patch
  const panels = Object.keys(images).map((name) => {
    const error = name === "error", high = error ? window995(images.error) : info.windows[name];
    const shown = panel(info.titles[name], size, error ? { colours: "viridis", unit: "% of white" } : { note: qualityNote(info.quality[name], name) });
    shown.draw(images[name], high, (100 * high) / info.windows.output);
    return shown;
  });
  const strip = make("div", { class: "dx-panels", tabindex: 0, role: "application",
    "aria-label": "Patch. Arrow keys move it one pixel, with shift they resize it." }, ...panels.map((p) => p.figure));

  // the run
  const [start, stop] = ["Run", "Stop"].map((label) => make("button", { type: "button" }, label));
  const bar = make("progress", { "aria-label": "progress of the run", max: 1, value: 0 });
  const status = make("span", { class: "da-status" });
  const runner = make("div", { class: "da-run" }, start, stop, bar, status);

  // what came out
  const maps = Object.fromEntries([["lr", "low", "On the input"], ["ref", "reference", "On the reference"]].map(([which, name, title]) => {
    const ground = make("canvas"), overlay = make("canvas", { class: "dx-overlay", role: "img" });
    paint(ground, images[name], size, 0, info.windows[name], "grey");
    place(overlay, size, -top, -left, ...info.grid);
    const framed = frame(size, ground, overlay), scale = colourBar("signed", "attribution per pixel; the strongest 0.5 % lie beyond the ends");
    const reading = make("p", { class: "dx-reading" });
    return [which, { overlay, ...framed, scale, reading, title, card: card(title, framed.element, scale.bar, reading) }];
  }));
  const shares = make("div", { class: "da-share", role: "img" }), net = make("p", { class: "dx-reading" });
  const facts = make("dl", { class: "da-facts" });
  const owes = card("What the patch owes to each contrast", shares, net, facts);
  const table = make("div"), curves = make("div");
  const legend = make("div", { class: "da-legend" });
  const agrees = card("Does attention agree?", make("div", { class: "da-agree" }, table, curves, make("div", {}, legend,
    make("p", { class: "dx-reading" }, "Deletion: the reference is blurred pixel by pixel, in the order of each map. The order that knows best what the patch depends on rises first; beside its name the area under the curve over its end."))));
  const what = make("p", { class: "da-what" });
  const cards = make("div", { class: "dx-cards da-cards" }, maps.lr.card, maps.ref.card, owes, agrees);
  agrees.classList.add("da-wide");
  const live = make("div", { class: "dx-hidden", "aria-live": "polite" });
  root.append(
    heading(model, "What does this patch owe to each contrast?",
      "Drag a patch on an image, or click to move it there; arrow keys move it, shift and arrows resize it. Then run a method.",
      [info.title, `slice ${info.slice} of ${info.slices}`, ...info.files]),
    make("div", { class: "dx-controls" }, ...choices.map((c) => c.group)), strip, ...(images.target ? [make("p", { class: "dx-about" }, QUALITY)] : []), runner, what, cards, live);

  // --- the result on screen
  let result = null, shown = {};
  const current = () => result && result.target === state.target && String(result.patch) === String(state.patch);
  function show() {
    result = model.get("results")[state.method] ?? null;
    cards.hidden = !result;
    for (const which of ["lr", "ref"]) shown[which] = result && { ...unpack(result[which]) };
    if (!result) return;
    for (const [which, map] of Object.entries(maps)) {
      const { values, shape: [h, w] } = shown[which], high = strongest(values);
      paint(map.overlay, values, [h, w], -high, high, "signed");
      map.overlay.setAttribute("aria-label", `attribution, ${map.title}`);
      map.scale.set(-high, high);
      markAt(map.mark, result.patch);
      map.reading.textContent = resting(which);
    }
    drawNumbers();
    drawAgreement();
  }
  const resting = (which) => `Orange adds to the ${result.target === "detail" ? "detail" : "brightness"} of the patch, blue takes from it. Diffusion index ${result.diffusion[which] === null ? "undefined: nothing here counts" : result.diffusion[which].toFixed(1)}.`;
  function drawNumbers() {
    const { share, net: sums, value, start: from } = result, parts = share === null ? [] : [["input", 1 - share, "da-lr"], ["reference", share, "da-ref"]];
    shares.replaceChildren(...parts.map(([name, part, kind]) => make("div", { class: kind, style: `flex-grow:${part}` })),
      make("p", {}, ...parts.map(([name, part, kind]) => make("span", {}, make("i", { class: kind }), `${name} ${percent(part, 1)}`))));
    shares.setAttribute("aria-label", `share of the reference ${percent(share, 1)}`);
    const start = { blur_path: "the blurred pair", integrated_gradients: "the flat grey pair", occlusion: "the blurred pair" }[state.method];
    net.textContent = `${result.target === "detail" ? "Detail" : "Mean"} of the patch: ${format(from)} of ${start}, ${format(value)} of the images. Explained by the input ${format(sums.lr)}, by the reference ${format(sums.ref)}.`;
    const rows = [
      ["Share of the reference", percent(share, 1), "sum of |attribution| there over that on both"],
      ["Completeness error", percent(result.completeness, 2), state.method === "occlusion" ? "occlusion promises none: pixels act together" : "of the difference; below 1 % the maps account for it"],
      ["Diffusion index, reference", result.diffusion.ref === null ? "undefined" : result.diffusion.ref.toFixed(1), "100: all pixels alike; 0: one pixel (LAM)"],
    ];
    facts.replaceChildren(...rows.flatMap(([name, value, note]) => [make("dt", {}, name), make("dd", {}, make("b", {}, value), ` ${note}`)]));
  }
  function drawAgreement() {
    const rho = (x) => make("td", {}, x === null ? "no ranks" : x.toFixed(2).replace("-", "−"));
    const lines = result.agreement.map((row) => make("tr", {}, make("th", { scope: "row" }, `level ${row.level}`), rho(row.lifted), rho(row.relative)));
    table.replaceChildren(lines.length
      ? make("table", {}, make("caption", {}, "Rank correlation of |attribution| with |lifted attention| of the patch, from −1 to 1"),
        make("thead", {}, make("tr", {}, make("td"), make("th", { scope: "col" }, "attention"), make("th", { scope: "col" }, "minus uniform"))),
        make("tbody", {}, ...lines))
      : make("p", {}, "This function has no spatial attention to compare with."));
    const [svg, names_] = drawDeletion(result.deletion);
    curves.replaceChildren(svg);
    legend.replaceChildren(...names_);
  }

  // --- the run: ask, be answered, ask again
  let job = null, paused = null; // paused: the place where the last run was stopped
  const place_ = () => JSON.stringify(names.map((name) => state[name]));
  const ask = () => { job.asked = performance.now(); model.send({ ask: "chunk", id: job.id, ...job.where }); };
  function run() {
    if (model.alone || job) return;
    save();
    const where = Object.fromEntries(names.map((name) => [name, state[name]]));
    job = { id: `${Math.random()}`, where, place: place_(), began: performance.now(), first: paused?.place === place_() ? paused.done : 0 };
    if (!job.first) bar.value = 0;
    status.textContent = live.textContent = "running"; // a reader hears of start and end, not of each step
    controls();
    ask();
  }
  function halt(message) {
    paused = job && !message ? { place: job.place, done: job.done ?? job.first, total: job.total } : null;
    // the page stops at once; a step of the network cannot be cut short
    status.textContent = message ?? `stopped after ${paused.done} of ${paused.total ?? "?"} steps; the kernel is free when its step ends${job.chunk ? `, within ${job.chunk.toFixed(1)} s` : ""}`;
    live.textContent = status.textContent;
    job = null;
    controls();
  }
  function answered(content) {
    if (!job || content.id !== job.id) return;
    if (content.error) return halt(`the run failed: ${content.error}`);
    [job.done, job.total] = [content.done, content.total];
    job.chunk = Math.max(job.chunk ?? 0.1, (performance.now() - job.asked) / 1000);
    if (content.finished) {
      const { method } = job.where;
      bar.value = 1;
      halt(`${info.methods[method]} done in ${((performance.now() - job.began) / 1000).toFixed(0)} s`);
      return;
    }
    bar.value = content.done / content.total;
    const pace = (performance.now() - job.began) / 1000 / Math.max(1, content.done - job.first);
    status.textContent = `step ${content.done} of ${content.total}, ${roughly(pace * (content.total - content.done))} left`;
    ask();
  }
  function controls() {
    state.running = !!job;
    start.disabled = model.alone || !!job;
    stop.disabled = !job;
    start.textContent = !job && paused?.place === place_() ? "Continue" : "Run";
    for (const part of [start, stop, bar]) part.hidden = !!model.alone;
    if (model.alone) status.textContent = `This page keeps the results of ${Object.keys(model.get("results")).map((name) => info.methods[name]).join(" and ") || "no method"}. New runs need a kernel: open it in a notebook.`;
  }

  // --- the patch
  function fit([r, c, h, w]) {
    const clamp = (x, low, high) => Math.max(low, Math.min(high, Math.round(x)));
    const [height, width] = [clamp(h, 1, Math.min(info.largest, rows)), clamp(w, 1, Math.min(info.largest, columns))];
    return [clamp(r, 0, rows - height), clamp(c, 0, columns - width), height, width];
  }
  const markAt = (mark, [r, c, h, w]) => place(mark, size, r + h / 2, c + w / 2, h, w);
  function update() {
    for (const c of choices) c.sync();
    root.classList.toggle("dx-alone", !state.over);
    for (const { mark } of panels) markAt(mark, state.patch);
    show();
    what.textContent = !result ? `${model.alone ? "This page holds no result" : "No result yet"}: ${info.methods[state.method]}.`
      : `${info.methods[state.method]}, ${result.target === "detail" ? "detail" : "brightness"} of the patch ${where(result.patch)}.${current() ? "" : " The patch or the question has changed since."}`;
    root.classList.toggle("da-old", !!result && !current());
    controls();
  }
  const say = () => { live.textContent = `Patch ${where(state.patch)}.`; };

  let anchor = null;
  const look = (r, c) => {
    anchor ??= [r, c, state.patch];
    const [r0, c0, [, , h, w]] = anchor;
    state.patch = Math.max(Math.abs(r - r0), Math.abs(c - c0)) < 2 // a click moves, a drag draws
      ? fit([r - h / 2, c - w / 2, h, w]) : fit([Math.min(r, r0), Math.min(c, c0), Math.abs(r - r0) + 1, Math.abs(c - c0) + 1]);
    update();
  };
  for (const { element } of panels) {
    follow(element, size, { look, stay: () => { anchor = null; save(); say(); }, leave: () => { if (anchor) { state.patch = anchor[2]; anchor = null; update(); } } });
  }
  strip.addEventListener("keydown", (event) => {
    const step = ARROWS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const [r, c, h, w] = state.patch, [dr, dc] = step;
    state.patch = event.shiftKey ? fit([r, c, h + dr, w + dc]) : fit([r + dr, c + dc, h, w]);
    update();
  });
  strip.addEventListener("keyup", (event) => { if (ARROWS[event.key]) { save(); say(); } });
  for (const [which, map] of Object.entries(maps)) {
    follow(map.element, size, {
      look: (r, c) => read(which, r, c), hover: (r, c) => read(which, r, c), stay: () => {},
      leave: () => { map.reading.textContent = resting(which); },
    });
  }
  function read(which, r, c) {
    const { values, shape: [h, w] } = shown[which], scale = info.grid[0] / h;
    const [i, j] = [Math.floor((r + top) / scale), Math.floor((c + left) / scale)];
    maps[which].reading.textContent = `Row ${r}, column ${c}: ${format(values[i * w + j] ?? 0)}.`;
  }

  start.addEventListener("click", run);
  stop.addEventListener("click", () => halt());
  let saving = false;
  function save() {
    saving = true;
    for (const name of names) model.set(name, state[name]);
    saving = false;
    model.save_changes();
  }
  const pull = () => {
    if (saving) return;
    for (const name of names) state[name] = model.get(name);
    update();
  };
  const events = [...names, "results"].map((name) => `change:${name}`);
  for (const event of events) model.on(event, pull);
  model.on("msg:custom", answered);
  pull();
  root.explorer = { state, run, stop: () => halt(), result: () => result && { ...result, lr: shown.lr, ref: shown.ref } };
  return () => {
    job = null; // no one left to show it to: ask no more
    for (const event of events) model.off(event, pull);
    model.off("msg:custom", answered);
  };
}

const { render, standalone } = widget(build, "attribution");
export default { render };
