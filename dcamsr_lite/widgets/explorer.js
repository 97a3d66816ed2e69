// The attention microscope. One pass of the network arrives packed (queries, projected keys, value
// footprints, channel attention); softmax, lift and picture are computed here. One module with
// numbers.js, ui.js and attention.js, which stand before it.
//
// For tests and lectures, the root element (class "dcamsr-explorer") has a property `explorer`:
//   .map(level, head, row, column, relative) -> Float32Array, rows * columns of the level, row-major:
//        as Record.lift; row and column in the level's pixels, head null for the mean
//   .weights(level, head, row, column) -> Float64Array over the projected tokens
//   .channel(level, head) -> Float32Array d * d
//   .source(level, row, column) -> [{head, feature, row, column}] as Record.source
//   .show(row, column) draws a query of the image's pixels at once; .state is what is on screen;
//        .format writes numbers as the page does

function build(model, root) {
  const info = model.get("info"), [rows, columns] = info.shape, [top, left] = info.offset;
  const levels = Object.fromEntries(Object.entries(model.get("levels")).map(([k, v]) => [k, new Level(v)]));
  const images = Object.fromEntries(Object.entries(model.get("images")).map(([k, v]) => [k, unpack(v).values]));
  const state = { over: true, token: null };
  const names = ["query", "level", "head", "relative"], scrambled = info.merge === "scrambled";
  const size = [rows, columns];
  if (images.target) images.error = images.output.map((x, i) => Math.abs(x - images.target[i]));

  // controls
  const bind = (name) => [() => state[name], (value) => { state[name] = value; save(); update(); }];
  const heads = [...Array(info.heads).keys()];
  const choices = [
    choice("Level", Object.entries(levels).map(([l, v]) => [+l, l, `level ${l}, ${v.rows} × ${v.columns}`]), ...bind("level")),
    choice("Head", [[null, "mean", "mean over heads"], ...heads.map((h) => [h, String(h), `head ${h}`])], ...bind("head")),
    choice("Show", [[true, "minus uniform", "difference from uniform attention"], [false, "absolute"]], ...bind("relative")),
    choice("Map", [[true, "on reference"], [false, "alone"]], ...bind("over")),
  ];

  // image panels, one linked cursor
  const panels = Object.keys(images).map((name) => {
    const error = name === "error", high = error ? window995(images.error) : info.windows[name];
    const quality = info.psnr[name] && make("small", { title: "PSNR of this slice; the peak is the slice's largest value" }, `PSNR ${info.psnr[name]}`);
    const shown = panel(info.titles[name], size, error ? { colours: "viridis", unit: "% of white" } : { note: quality || null });
    shown.draw(images[name], high, (100 * high) / info.windows.output);
    return { name, ...shown };
  });
  const strip = make("div", {
    class: "dx-panels", tabindex: 0, role: "application",
    "aria-label": "Query pixel. Arrow keys move it one pixel of the level, with shift eight.",
  }, ...panels.map((panel) => panel.figure));

  // the lifted map
  const ground = make("canvas"), overlay = make("canvas", { class: "dx-overlay", role: "img" });
  paint(ground, images.reference, size, 0, info.windows.reference, "grey");
  const runs = make("div"), lifted = frame(size, ground, overlay, runs), mapBar = colourBar("signed", "weight per reference pixel");
  const reading = make("p", { class: "dx-reading" }), layout = make("p", { class: "dx-layout" });
  const what = make("p", { class: "dx-what" });
  const attention = card("Attention on the reference", what, lifted.element, mapBar.bar, reading, layout);

  // tokens and the footprint of one
  const chart = make("canvas", { class: "dx-chart", tabindex: 0, role: "slider", "aria-label": "projected token", "aria-valuemin": 0 });
  const chartTop = make("span"), chartLow = make("span"), chartNote = make("span");
  const foot = make("canvas", { class: "dx-overlay", role: "img" }), footFrame = frame(size, foot), footBar = colourBar("signed", "weight per pixel");
  const footTitle = make("p", { class: "dx-reading" });
  footFrame.element.classList.add("dx-foot");
  footFrame.mark.remove();
  const plot = make("div", { class: "dx-plot" }, make("div", { class: "dx-axis" }, chartTop, chartLow), chart, make("i"), chartNote);
  const tokens = card(`Weights of the ${levels[model.get("level")].p} ${levels[model.get("level")].window ? "pixels of the window" : "projected tokens"}`, make("div", { class: "dx-tokens" }, plot,
    make("div", { class: "dx-side" }, footFrame.element, make("div", {}, footTitle, footBar.bar))));

  // entropy and channel attention
  const dots = make("div"), entropies = card("Entropy of the attention rows", dots,
    make("p", { class: "dx-reading" }, "1: uniform, every token alike. 0: one-hot. One dot per head, mean over queries; the ring is this query."));
  const matrices = make("div", { class: "dx-matrices" }), channelBar = colourBar("viridis", "channel attention"), cell = make("p", { class: "dx-reading" });
  const channels = card("Channel attention", matrices, channelBar.bar, cell);

  const live = make("div", { class: "dx-hidden", "aria-live": "polite" });
  root.append(
    heading(model, "Where does the network look?",
      "Move over an image to see which reference pixels the network reads for that place; click or drag to stay there, arrow keys move on.",
      [info.title, info.layout, `slice ${info.slice} of ${info.slices}`, ...info.files, ...info.notes]),
    make("div", { class: "dx-controls" }, ...choices.map((c) => c.group)), strip,
    make("div", { class: "dx-cards" }, attention,
      make("div", { class: "dx-column" }, tokens, entropies, channels)),
    live);

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
    for (const { mark } of [...panels, lifted]) place(mark, size, (row + 0.5) * s - top, (column + 0.5) * s - left, s, s);
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
      place(run, size, part.row * s - top, part.column * s - left, s, part.width * s);
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
    const now = `${state.level} ${chosen} ${level.window ? level.around : ""}`; // a window moves with its query
    if (footprintOf === now) return;
    footprintOf = now;
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
    for (const canvas of [overlay, foot]) place(canvas, size, -top, -left, L.rows * s, L.columns * s);
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
  const stay = () => { state.query = shown; save(); say(); };
  const leave = () => { show(...state.query); say(); };
  for (const { element } of panels) follow(element, size, { look: show, hover: show, stay, leave });
  follow(lifted.element, size, { look: show, stay, leave, hover: (r, c) => {
    const at = Math.floor((r + top) / state.level) * level.columns + Math.floor((c + left) / state.level);
    reading.textContent = `Reference row ${r}, column ${c}: weight ${format(map[at] ?? 0)}.`;
  } });

  arrows(strip, (dr, dc) => { show(state.query[0] + dr * state.level, state.query[1] + dc * state.level); state.query = shown; }, () => { save(); say(); });
  const pick = (next) => { state.token = Math.max(0, Math.min(level.p - 1, next)); show(...shown); };
  arrows(chart, (dr, dc) => pick(token() + dc - dr));
  chart.addEventListener("pointermove", (event) => pick(Math.floor((event.offsetX / chart.clientWidth) * level.p)));
  chart.addEventListener("pointerleave", () => { state.token = null; show(...shown); });
  chart.addEventListener("blur", () => { state.token = null; show(...shown); });
  let at = [0, 0];
  matrices.addEventListener("pointermove", ({ target, offsetX, offsetY }) => {
    if (target.dataset.head) at = readCell(+target.dataset.head, ...[offsetY / target.clientHeight, offsetX / target.clientWidth].map((x) => Math.floor(x * level.d2)));
  });
  arrows(matrices, (dr, dc, target) => { at = readCell(+target.dataset.head, at[0] + dr, at[1] + dc); });

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

const { render, standalone } = widget(build);
export default { render };
