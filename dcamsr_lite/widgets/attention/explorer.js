// The attention microscope. One pass of each network arrives packed (queries, projected keys, value footprints,
// channel attention with its feature maps); softmax, lift, mixture and picture are computed here. One module with
// numbers.js, ui.js, attention.js, spatial.js, channel.js and verdict.js, which stand before it.
//
// For tests and lectures, the root element (class "dcamsr-explorer") has a property `explorer`, about the
// network on screen:
//   .map(level, head, row, column, relative) -> Float32Array, rows * columns of the level, row-major:
//        as Record.lift; row and column in the level's pixels, head null for the mean
//   .maps(level, row, column, relative) -> one map per head, and the mean last
//   .weights(level, head, row, column) -> Float64Array over the projected tokens
//   .channel(level, head) -> Float32Array d * d; .cosine(level, head) likewise
//   .feature(level, kind, head, i), .mixed(level, head, i) -> {values, size}: feature maps as sent
//   .source(level, row, column) -> [{head, feature, row, column}] as Record.source
//   .show(row, column) draws a query of the image's pixels at once; .state is what is on screen;
//        .format writes numbers as the page does

const NAMES = ["network", "branch", "query", "level", "head", "side_by_side", "relative", "cell"];

/** What one network brings, unpacked. */
function openNetwork(packed) {
  const levels = Object.fromEntries(Object.entries(packed.levels).map(([name, level]) => [name, new Level(level)]));
  return { ...packed, levels, output: unpack(packed.output).values };
}

/** The images, linked by one cursor; output and error follow the network. */
function imagePart(view) {
  const { info, size, images } = view, bar = { colours: "viridis", unit: "% of white" };
  const shown = Object.keys(info.titles).filter((name) => name === "output" || name in images || (name === "error" && images.target));
  const notes = Object.fromEntries(["low", "output"].map((name) => [name, make("div", {})]));
  const panels = shown.map((name) => ({ name, ...panel(info.titles[name], size, name === "error" ? bar : { note: notes[name] ?? null }) }));
  const element = make("div", {
    class: "dx-panels", tabindex: 0, role: "application",
    "aria-label": "Query pixel. Arrow keys move it one pixel of the level, with shift eight.",
  }, ...panels.map(({ figure }) => figure));
  const note = (name, quality) => notes[name].replaceChildren(...[qualityNote(quality, name)].filter(Boolean));
  const legend = make("p", { class: "dx-about" }, info.quality ? `□: the value at the square. ${QUALITY}` : "");
  const window = (name) => (name === "error" ? window995(images.error) : info.windows[name]);
  note("low", info.quality);
  function update() {
    note("output", view.net.quality);
    for (const { name, draw } of panels) draw(images[name], window(name), (100 * window(name)) / info.windows.output);
  }
  function show({ at, mark }) {
    for (const shown of panels) {
      shown.value.textContent = format(images[shown.name][at[0] * size[1] + at[1]]);
      mark(shown.mark);
    }
  }
  for (const { element: framed } of panels) follow(framed, size, { look: view.actions.look, hover: view.actions.look, stay: view.actions.stay, leave: view.actions.leave });
  return { element, legend, update, show };
}

/** The controls; those of one network's levels and heads are laid anew when it changes. */
function controlPart(view) {
  const { state, actions } = view, packed = view.packed;
  const bind = (name) => [() => state[name], (value) => actions.set({ [name]: value })];
  const first = make("div", { class: "dx-choices" }), second = make("div", { class: "dx-choices" });
  const several = Object.keys(packed).length > 1;
  const network = choice("Network", Object.entries(packed).map(([name, one]) => [name, name, `${name}: ${one.title}`]), ...bind("network"));
  const branch = choice("Branch", [["spatial", "spatial: where to look", "spatial, where to look"], ["channel", "channel: which features", "channel, which features to take"]], ...bind("branch"));
  let own = [];
  if (several) first.append(network.group);
  first.append(branch.group);
  function lay() {
    const heads = [...Array(view.net.heads).keys()], levels = Object.entries(view.net.levels);
    const level = choice("Level", levels.map(([l, v]) => [+l, l, `level ${l}, ${v.rows} × ${v.columns}`]), ...bind("level"));
    own = [
      choice("Head", [[null, "mean", "mean over heads"], ...heads.map((h) => [h, String(h), `head ${h}`])], ...bind("head")),
      choice("View", [[false, "one map"], [true, "all heads", "all heads side by side"]], ...bind("side_by_side")),
      choice("Show", [[true, "minus uniform", "difference from uniform attention"], [false, "absolute"]], ...bind("relative")),
      choice("Map", [[true, "on reference"], [false, "alone"]], ...bind("over")),
    ];
    second.replaceChildren(level.group, ...own.map(({ group }) => group));
    branch.group.hidden = !view.net.d;
    syncs = [network, branch, level, ...own];
  }
  let syncs = [], laid;
  function update() {
    if (laid !== state.network) lay();
    laid = state.network;
    for (const { sync } of syncs) sync();
    for (const { group } of own) group.hidden = state.branch !== "spatial";
  }
  return { element: make("div", { class: "dx-controls dx-rows" }, first, second), update };
}

function build(model, root) {
  const info = model.get("info"), size = info.shape, [rows, columns] = size, [top, left] = info.offset;
  const images = Object.fromEntries(Object.entries(model.get("images")).map(([k, v]) => [k, unpack(v).values]));
  const packed = model.get("networks"), opened = {}, state = { over: true, token: null };
  const actions = { set, settle, look: show, stay, leave };
  const view = {
    info, size, images, state, packed, actions,
    get net() { return (opened[state.network] ??= openNetwork(packed[state.network])); },
    get level() { return this.net.levels[state.level]; },
  };
  for (const name of NAMES) state[name] = model.get(name);

  const controls = controlPart(view), pictures = imagePart(view), map = mapPart(view), tokens = tokenPart(view);
  const scramble = scramblePart(view), channel = channelPart(view), entropies = entropyPart(view), matter = matterPart(view);
  const parts = [controls, pictures, map, tokens, scramble, channel, entropies, matter], layout = make("p", { class: "dx-about" });
  const live = make("div", { class: "dx-hidden", "aria-live": "polite" });
  const [matrices, features] = channel.elements;
  const header = heading(model, "Where does the network look?",
    "Move over an image to see which reference pixels the network reads for that place; click or drag to stay there, arrow keys move on. Then ask: how far is that from uniform, and does it matter?",
    [info.title, `slice ${info.slice} of ${info.slices}`, ...info.files, ...info.notes]);
  header.querySelector(".dx-about").after(layout);
  root.append(header, controls.element, pictures.element, pictures.legend,
    make("div", { class: "dx-cards" }, make("div", { class: "dx-first" }, map.element, matrices, scramble.element),
      make("div", { class: "dx-column" }, tokens.element, features, entropies.element, matter.element)),
    live);

  /** Draw a query of the image's pixels at once. */
  function show(r, c) {
    const s = state.level, { level } = view;
    view.at = [Math.max(0, Math.min(rows - 1, r)), Math.max(0, Math.min(columns - 1, c))];
    const [row, column] = [Math.floor((view.at[0] + top) / s), Math.floor((view.at[1] + left) / s)];
    const weights = level.weights(state.head, row * level.columns + column);
    const drawn = state.relative ? weights.map((w) => w - 1 / level.p) : weights;
    const mark = (element) => place(element, size, (row + 0.5) * s - top, (column + 0.5) * s - left, s, s);
    Object.assign(view, { row, column, weights, drawn, mark });
    const spatial = state.branch === "spatial";
    for (const part of spatial ? [pictures, map, tokens, scramble, entropies] : [pictures, channel]) part.show(view);
  }
  /** Draw everything that follows the controls. */
  function update() {
    const { net } = view, spatial = state.branch === "spatial";
    images.output = net.output;
    if (images.target) images.error = net.output.map((x, i) => Math.abs(x - images.target[i]));
    root.classList.toggle("dx-alone", !state.over);
    layout.textContent = [info.title === net.title ? null : net.title, net.layout, ...net.notes].filter(Boolean).join(" · ");
    for (const part of parts) part.update();
    for (const { element } of [map, tokens]) element.hidden = !spatial;
    scramble.element.hidden ||= !spatial;
    show(...state.query);
    say();
  }
  function say() { live.textContent = (state.branch === "spatial" ? map : channel).said(); }

  /** A network that lacks the level, head, branch or cell starts at its own first. */
  function inside() {
    const { net } = view;
    if (!net.levels[state.level]) state.level = Math.min(...Object.keys(net.levels));
    if (state.head >= net.heads) state.head = null;
    if (!net.d) state.branch = "spatial";
    if (state.cell[0] >= net.heads || Math.max(state.cell[1], state.cell[2]) >= Math.max(net.d, 1)) state.cell = [0, 0, 0];
  }
  function set(changes) {
    Object.assign(state, changes);
    inside();
    if ("network" in changes || "level" in changes) state.token = null;
    save();
    update();
  }
  let saving = false; // the model answers each set with a change of its own
  function save() {
    saving = true;
    for (const name of NAMES) model.set(name, state[name]);
    saving = false;
    model.save_changes();
  }
  function settle() { save(); say(); }
  function stay() { state.query = view.at; settle(); }
  function leave() { show(...state.query); say(); }
  arrows(pictures.element, (dr, dc) => { show(state.query[0] + dr * state.level, state.query[1] + dc * state.level); state.query = view.at; }, stay);

  const read = () => {
    if (saving) return;
    for (const name of NAMES) state[name] = model.get(name);
    inside(); // a step of the tour comes name by name: a network is set before its level
    update();
  };
  for (const name of NAMES) model.on(`change:${name}`, read);
  read();
  const of = (level) => view.net.levels[level];
  root.explorer = {
    map: (l, head, r, c, relative) => of(l).map(head, r, c, relative),
    maps: (l, r, c, relative) => of(l).maps(r, c, relative),
    weights: (l, head, r, c) => of(l).weights(head, r * of(l).columns + c),
    channel: (l, head) => of(l).matrix(head),
    cosine: (l, head) => of(l).cosine(head),
    feature: (l, kind, head, i) => of(l).feature(kind, head, i),
    mixed: (l, head, i) => of(l).mixed(head, i),
    source: (l, r, c) => of(l).source(r, c, view.net.merge === "scrambled"),
    show, state, format,
  };
  return () => { for (const name of NAMES) model.off(`change:${name}`, read); };
}

const { render, standalone } = widget(build, "attention");
export default { render };
