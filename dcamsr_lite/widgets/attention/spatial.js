// The spatial branch on the page: the lifted map, all heads side by side, the projected tokens, one footprint,
// and where the released merge took a pixel's value from. Each part returns its card and what draws it.
// `view` is the explorer's: info, size, state, level (a Level), images, and `actions` that change the state.

/** Put a level's picture over the image that the panels show: it includes the zero padding. */
function overImage(canvas, { info, size, state, level }) {
  const [top, left] = info.offset, s = state.level;
  place(canvas, size, -top, -left, level.rows * s, level.columns * s);
}

/** The reference below, a signed map above, the cursor on top. */
function lifted(view) {
  const ground = make("canvas"), overlay = make("canvas", { class: "dx-overlay", role: "img" });
  paint(ground, view.images.reference, view.size, 0, view.info.windows.reference, "grey");
  return { overlay, ...frame(view.size, ground, overlay) };
}

function mapPart(view) {
  const { state, actions } = view, one = lifted(view), bar = colourBar("signed", "weight per reference pixel");
  const reading = make("p", { class: "dx-reading" }), what = make("p", { class: "dx-what" });
  const tiles = make("div", { class: "dx-heads", role: "group", "aria-label": "Attention of every head: choose one" });
  const element = card("Attention on the reference", what, one.element, tiles, bar.bar, reading);
  let each = [], map;

  function layTiles() {
    each = [...Array(view.net.heads).keys(), null].map((head) => {
      const picture = lifted(view), name = head === null ? "mean" : `head ${head}`;
      const button = make("button", { type: "button", class: "dx-tile", "aria-label": `Choose ${name}` }, make("small", {}, name), picture.element);
      button.addEventListener("click", () => actions.set({ head }));
      return { head, button, ...picture };
    });
    tiles.replaceChildren(...each.map((tile) => tile.button));
  }
  /** What follows the controls. */
  function update() {
    const who = state.head === null ? "mean over heads" : `head ${state.head}`, { rows, columns } = view.level;
    if (each.length !== view.net.heads + 1) layTiles();
    tiles.hidden = !state.side_by_side;
    one.element.hidden = state.side_by_side;
    what.textContent = `level ${state.level}, ${rows} × ${columns} · ${state.side_by_side ? "all heads on one colour scale, " : ""}${who}${state.relative ? " · minus uniform" : ""}`;
    one.overlay.setAttribute("aria-label", `attention on the reference, ${what.textContent}`);
    bar.name(state.relative ? "weight per reference pixel: orange more than uniform, blue less" : "weight per reference pixel");
    for (const { overlay } of [one, ...each]) overImage(overlay, view);
    for (const { head, button } of each) button.setAttribute("aria-pressed", head === state.head);
  }
  /** What follows the query. */
  function show({ row, column, drawn, weights, mark }) {
    const { level } = view, size = [level.rows, level.columns];
    const maps = state.side_by_side ? level.maps(row, column, state.relative) : [level.lift(drawn)];
    map = state.side_by_side ? maps[state.head ?? level.heads] : maps[0];
    const high = Math.max(...maps.map(extent));
    (state.side_by_side ? each : [one]).forEach((shown, i) => {
      paint(shown.overlay, maps[i], size, -high, high, "signed");
      mark(shown.mark);
    });
    bar.set(-high, high);
    const far = extent(weights.map((w) => w * level.p - 1));
    reading.textContent = `Query at row ${view.at[0]}, column ${view.at[1]}: entropy ${share(entropy(weights))}${state.head === null ? " of the heads' mean" : ""}, strongest token ${times(extent(weights) * level.p)} uniform.` +
      (far < 0.01 ? ` Uniform in practice: no weight is off by more than ${format(100 * far, 2)} %, and the colours magnify that.` : "");
  }
  const [top, left] = view.info.offset;
  follow(one.element, view.size, { look: actions.look, stay: actions.stay, leave: actions.leave, hover: (r, c) => {
    const at = Math.floor((r + top) / state.level) * view.level.columns + Math.floor((c + left) / state.level);
    reading.textContent = `Reference row ${r}, column ${c}: weight ${format(map[at] ?? 0)}.`;
  } });
  return { element, update, show, said: () => reading.textContent };
}

/** The weights of the p projected tokens as bars, and the footprint of one: the strongest, or the one pointed at. */
function tokenPart(view) {
  const { state } = view, heading = make("h3"), title = make("p", { class: "dx-reading" }), name = make("b");
  const chart = make("canvas", { class: "dx-chart", tabindex: 0, role: "slider", "aria-label": "projected token", "aria-valuemin": 0 });
  const [top, low, note] = [0, 0, 0].map(() => make("span"));
  const foot = make("canvas", { class: "dx-overlay", role: "img" }), frameOf = frame(view.size, foot), bar = colourBar("signed", "weight per pixel");
  frameOf.element.classList.add("dx-foot");
  frameOf.mark.remove();
  const plot = make("div", { class: "dx-plot" }, make("div", { class: "dx-axis" }, top, low), chart, make("i"), note);
  const element = make("section", { class: "dx-card dx-wide" }, heading, make("div", { class: "dx-tokens" },
    make("div", {}, plot, title), make("figure", {}, make("figcaption", {}, name), frameOf.element, bar.bar)));
  let last, painted;

  const chosen = () => state.token ?? last.weights.reduce((best, w, i) => (w > last.weights[best] ? i : best), 0);
  function bars(drawn, one) {
    const { p } = view.level, high = extent(drawn), floor = state.relative ? -high : 0, [width, height] = [p * 16, 256];
    const context = chart.getContext("2d"), y = (value) => ((high - value) / (high - floor)) * height;
    if (chart.width !== width) [chart.width, chart.height] = [width, height];
    context.clearRect(0, 0, width, height);
    for (let i = 0; i < p; i++) {
      context.fillStyle = `rgba(${drawn[i] < 0 ? BLUE : ORANGE},${i === one ? 1 : 0.55})`;
      context.fillRect(16 * i + 2, Math.min(y(drawn[i]), y(0)), 12, Math.max(2, Math.abs(y(drawn[i]) - y(0))));
      if (i === one) { context.fillStyle = "rgba(128,128,128,.25)"; context.fillRect(16 * i, 0, 16, height); }
    }
    context.fillStyle = "rgba(128,128,128,.9)";
    for (let x = 0; x < width; x += 16) context.fillRect(x, y(state.relative ? 0 : 1 / p) - 1, state.relative ? 16 : 8, 2);
    top.textContent = format(high, 2);
    low.textContent = format(floor, 2);
    note.textContent = `one bar per token${state.relative ? `: its weight minus uniform, 1/${p} = ${format(1 / p)}` : `; dashes: uniform, 1/${p} = ${format(1 / p)}`}`;
  }
  function show(shown) {
    last = shown;
    const { level } = view, { weights } = shown, one = chosen();
    bars(shown.drawn, one);
    title.textContent = `Token ${one}${state.token === null ? ", the strongest" : ""}: weight ${format(weights[one])}, ${times(weights[one] * level.p)} uniform. Its footprint says how much of each reference pixel is in it; the map is all footprints, times their weights. Point at another bar.`;
    name.textContent = `footprint of token ${one}`;
    chart.setAttribute("aria-valuemax", level.p - 1);
    chart.setAttribute("aria-valuenow", one);
    chart.setAttribute("aria-valuetext", title.textContent);
    const drawn = `${state.network} ${state.level} ${one} ${level.window ? level.around : ""}`; // a window moves with its query
    if (painted === drawn) return;
    painted = drawn;
    const picture = level.footprint(one), limit = extent(picture);
    paint(foot, picture, [level.rows, level.columns], -limit, limit, "signed");
    foot.setAttribute("aria-label", `footprint of token ${one}`);
    bar.set(-limit, limit);
  }
  function update() {
    heading.textContent = `Weights of the ${view.level.p} ${view.level.window ? "pixels of the window" : "projected tokens"}`;
    overImage(foot, view);
  }
  const pick = (next) => { state.token = next === null ? null : Math.max(0, Math.min(view.level.p - 1, next)); show(last); };
  const pointed = (event) => pick(Math.floor((event.offsetX / chart.clientWidth) * view.level.p));
  arrows(chart, (dr, dc) => pick(chosen() + dc - dr));
  chart.addEventListener("pointerdown", pointed);
  chart.addEventListener("pointermove", pointed);
  for (const gone of ["pointerleave", "blur"]) chart.addEventListener(gone, () => pick(null));
  return { element, update, show };
}

/** The released merge: from where to where the values of the query's pixel were moved. */
function scramblePart(view) {
  const picture = make("canvas", { role: "img" }), arrow = make("div", { class: "dx-arrow" }), runs = make("div");
  const { element: framed, mark: marked } = frame(view.size, picture, runs, arrow), text = make("div", { class: "dx-words" });
  const element = make("section", { class: "dx-card" }, make("h3", {}, "Where did this pixel's value really come from?"),
    make("div", { class: "dx-side dx-start" }, framed, text));
  const [top, left] = view.info.offset;

  /** The image's rows (axis 0) or columns that pixels of the level cover: the padding is not counted. */
  function within(axis, ...at) {
    const s = view.state.level, [first, end] = [Math.min(...at), Math.max(...at) + 1].map((x) => x * s - [top, left][axis]);
    const name = ["row", "column"][axis], from = Math.max(first, 0), last = Math.min(end, view.size[axis]) - 1;
    if (last < from) return "the zero padding";
    return from === last ? `${name} ${from}` : `${name}s ${from} to ${last}`;
  }
  /** Neighbours in a row make one run. */
  function joined(sources) {
    const parts = [];
    for (const from of sources) {
      const last = parts.at(-1);
      if (last && last.row === from.row && last.column + last.width === from.column) last.width++;
      else parts.push({ ...from, width: 1 });
    }
    return parts;
  }
  function show({ row, column, mark }) {
    if (element.hidden) return;
    const { size, state, level } = view, s = state.level, parts = joined(level.source(row, column, true));
    runs.replaceChildren(...parts.map((part) => {
      const run = make("div", { class: "dx-run" });
      place(run, size, part.row * s - top, part.column * s - left, s, part.width * s);
      return run;
    }));
    mark(marked);
    const { head, feature, row: from, column: first, width } = parts[0], count = level.heads * level.d;
    const each = s > 1 ? ` of level ${s}` : ""; // a pixel there covers several of the image
    const start = [from + 0.5, first + width / 2], far = Math.hypot(start[0] - row - 0.5, start[1] - column - 0.5);
    draw(start.map((x, i) => (x * s - [top, left][i]) / size[i]), [row, column].map((x, i) => ((x + 0.5) * s - [top, left][i]) / size[i]));
    text.replaceChildren(
      make("p", {}, make("b", {}, "Violet frame: "), `${count} pixels${each} in ${within(0, ...parts.map((part) => part.row))}, for which the network asked the reference.`),
      make("p", {}, make("b", {}, "White square: "), `${within(0, row)}, ${within(1, column)}, where the answers were written, ${format(far)} pixels${each} away.`),
      make("p", {}, `The ${count} values at the square should be ${count} features of one pixel. The released code merges the heads in the wrong order: they are one feature (${feature} of head ${head}) of ${count} pixels.`),
      make("p", {}, "Nothing is lost, but everything is moved: the layers that follow must undo it. The aligned merge of the corrected network leaves every value at its own pixel."));
  }
  /** A line from one place to the other, both as shares of the picture; its head is the square. */
  function draw([fromRow, fromColumn], [toRow, toColumn]) {
    const [rows, columns] = view.size, down = (toRow - fromRow) * rows, across = (toColumn - fromColumn) * columns;
    Object.assign(arrow.style, { top: `${100 * fromRow}%`, left: `${100 * fromColumn}%`,
      width: `${(100 * Math.hypot(down, across)) / columns}%`, transform: `rotate(${Math.atan2(down, across)}rad)` });
  }
  function update() {
    element.hidden = view.net.merge !== "scrambled";
    paint(picture, view.images.output, view.size, 0, view.info.windows.output, "grey");
    picture.setAttribute("aria-label", "output, with the place where the query's values were computed");
  }
  follow(framed, view.size, { look: view.actions.look, hover: view.actions.look, stay: view.actions.stay, leave: view.actions.leave });
  return { element, update, show };
}
