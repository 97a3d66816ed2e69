// The intervention lab: switches, sliders and lesions make an intervention; the kernel runs the network
// with it and answers with images and numbers; what differs is computed and drawn here. A saved page
// holds answers that were computed before. One module with numbers.js and ui.js, which stand before it.
//
// For tests and lectures, the root element (class "dcamsr-explorer") has a property `explorer`:
//   .state is the intervention on screen, its cuts as .grid[branch][level][head]; .asked() the same as
//        the kernel is asked for it, its cuts as a list
//   .set(intervention) asks for one, as a dict like Intervention.as_dict; .reset() for none
//   .shown() -> {intervention, psnr_db, ...} of the picture that is on screen, .values(name) its pixels
//   .waiting() whether the kernel has not answered yet; .answers counts its answers

const STATES = ["on", "off", "uniform"], GLYPHS = { on: "●", off: "×", uniform: "≈" };
const CHOICES = { own: "its own reference", blank: "a blank reference", noise: "noise", other: "the reference of another subject", target: "the target itself" };
const LESION = { radius: 4, strength: 0.5, remove: false }; // as in edits.py
const next = (state) => STATES[(STATES.indexOf(state) + 1) % 3];

/** Cuts as a list -> grid[branch][level][head], "on" where nothing is cut. */
function toGrid(cuts, { branches, levels, heads }) {
  const grid = Object.fromEntries(branches.map((b) => [b, Object.fromEntries(levels.map((l) => [l, Array(heads).fill("on")]))]));
  for (const { branch, state, levels: some, heads: chosen } of cuts)
    for (const level of some ?? levels) for (const head of chosen ?? Array(heads).keys()) grid[branch][level][head] = state;
  return grid;
}

/** The way back, in as few cuts as say it: levels with the same heads together, null for all. */
function toCuts(grid, { branches, levels, heads }) {
  const cuts = [];
  for (const branch of branches) for (const state of STATES.slice(1)) {
    const together = new Map();
    for (const level of levels) {
      const chosen = [...Array(heads).keys()].filter((h) => grid[branch][level][h] === state), name = chosen.join();
      if (chosen.length) together.set(name, [...(together.get(name) ?? []), level]);
    }
    for (const [name, some] of together) {
      const chosen = name.split(",").map(Number);
      cuts.push({ branch, state, levels: some.length < levels.length ? some : null, heads: chosen.length < heads ? chosen : null });
    }
  }
  return cuts;
}

/** A slider with its name and its number; `write(value, settled)` while it moves and when it is let go. */
function range(label, unit, [low, high, step], read, write) {
  const input = make("input", { type: "range", min: low, max: high, step, "aria-label": `${label}, ${unit}` });
  const number = make("output");
  input.addEventListener("input", () => write(+input.value, false));
  input.addEventListener("change", () => write(+input.value, true));
  const sync = () => {
    input.value = read();
    number.textContent = `${format(read())} ${unit}`;
    input.setAttribute("aria-valuetext", number.textContent);
  };
  return { row: make("label", { class: "dx-range" }, make("span", {}, label), input, number), sync };
}

/** The switches of one branch: a row per level, a column per head, headers that set all. One tab stop. */
function switches(branch, { levels, heads }, read, write) {
  const cells = [], group = make("div", { class: "dx-switches", role: "group", style: `--heads:${heads}`,
    "aria-label": `${branch} attention: arrow keys move, space switches on, off, uniform` });
  const covered = (level, head) => levels.filter((l) => level === null || l === level)
    .flatMap((l) => [...Array(heads).keys()].filter((h) => head === null || h === head).map((h) => [l, h]));
  [null, ...levels].forEach((level, row) => [null, ...Array(heads).keys()].forEach((head, column) => {
    const header = level === null || head === null;
    const words = header ? (level === null ? (head === null ? "all" : String(head)) : `level ${level}`) : "";
    const button = make("button", { type: "button", class: header ? "dx-all" : "dx-switch", tabindex: row + column ? -1 : 0 }, words);
    button.addEventListener("click", () => {
      const places = covered(level, head), states = new Set(places.map(([l, h]) => read(l, h)));
      const state = states.size > 1 ? "on" : next([...states][0]); // mixed: back to on first
      write(places, state);
    });
    button.addEventListener("focus", () => cells.forEach((c) => { c.button.tabIndex = c.button === button ? 0 : -1; }));
    cells.push({ button, level, head, header, row, column });
    group.append(button);
  }));
  arrows(group, (dr, dc, target) => {
    const at = cells.find((c) => c.button === target), clip = (x, top) => Math.max(0, Math.min(top, x));
    const to = [clip(at.row + dr, levels.length), clip(at.column + dc, heads)];
    cells.find((c) => c.row === to[0] && c.column === to[1]).button.focus();
  });
  const sync = () => cells.forEach(({ button, level, head, header }) => {
    const place = `${level === null ? "all levels" : `level ${level}`}, ${head === null ? "all heads" : `head ${head}`}`;
    const states = new Set(covered(level, head).map(([l, h]) => read(l, h)));
    const state = states.size > 1 ? "mixed" : [...states][0];
    if (!header) { button.dataset.state = state; button.textContent = GLYPHS[state]; }
    button.setAttribute("aria-label", `${branch} attention, ${place}: ${state}`);
    button.title = `${place}: ${state}`;
  });
  return { group, sync };
}

function build(model, root) {
  const info = model.get("info"), size = info.shape, [rows, columns] = size, white = info.windows.output;
  const read = (packed) => Object.fromEntries(Object.entries(packed).map(([name, image]) => [name, unpack(image).values]));
  const base = read(model.get("images"));
  const distance = (a, b) => a.map((x, i) => Math.abs(x - b[i]));
  const tool = { mode: "look", image: "reference", radius: LESION.radius, strength: LESION.strength };
  /** What is left out keeps its default, as Intervention.from_dict has it. */
  const adopt = (given) => {
    const { cuts, lesions, ...rest } = { ...info.blank, ...given };
    return structuredClone({ ...rest, lesions: lesions.map((l) => ({ ...LESION, ...l })), grid: toGrid(cuts, info) });
  };
  const asked = ({ grid, ...rest }) => structuredClone({ ...rest, cuts: toCuts(grid, info) });
  const key = (s) => JSON.stringify([s.reference, s.reference === "noise" ? s.seed : 0, s.shift, s.rotate, s.blur,
    s.lesions.map((l) => [l.image, l.row, l.column, l.radius, l.remove || l.strength]), s.grid]);
  let state = adopt(model.get("intervention"));

  // --- controls
  const settle = (settled = true) => change(!settled);
  const grids = info.branches.map((branch) => [branch, switches(branch, info, (l, h) => state.grid[branch][l][h],
    (places, to) => { for (const [l, h] of places) state.grid[branch][l][h] = to; settle(); })]);
  const reference = choice("Use", info.references.map((name) => [name, name, CHOICES[name]]), () => state.reference,
    (name) => { state.reference = name; settle(); });
  const slide = (label, unit, bounds, get, set) => range(label, unit, bounds, get, (value, settled) => { set(value); settle(settled); });
  const ranges = [
    slide("down", "px", [-8, 8, 0.25], () => state.shift[0], (x) => { state.shift[0] = x; }),
    slide("right", "px", [-8, 8, 0.25], () => state.shift[1], (x) => { state.shift[1] = x; }),
    slide("turn", "°", [-20, 20, 0.5], () => state.rotate, (x) => { state.rotate = x; }),
    slide("blur", "px", [0, 6, 0.25], () => state.blur, (x) => { state.blur = x; }),
  ];
  const images = info.references.includes("target") ? [["reference", "reference"], ["target", "target"]] : [["reference", "reference"]];
  const handle = (name) => [() => tool[name], (value) => { tool[name] = value; sync(); }];
  const tools = [choice("Click", [["look", "looks"], ["paint", "paints"], ["remove", "removes"]], ...handle("mode")),
    choice("In", images, ...handle("image"))];
  const brush = [range("radius", "px", [1, 16, 0.5], ...handle("radius")), range("strength", "of white", [-1, 1, 0.05], ...handle("strength"))];
  const button = (label, act) => { const b = make("button", { type: "button" }, label); b.addEventListener("click", act); return b; };
  const undo = button("Undo last", () => { state.lesions.pop(); settle(); });
  const clear = button("Clear", () => { state.lesions = []; settle(); });
  const reset = button("Reset", () => { state = adopt({}); settle(); });
  const csv = button("Save as CSV", saveTable);

  // --- panels
  const shownAs = { low: {}, reference: {}, target: {}, output: {}, change: { colours: "signed", unit: "% of white" }, error: { colours: "viridis", unit: "% of white" } };
  const names = Object.keys(shownAs).filter((name) => base.target || !["target", "error"].includes(name));
  const panels = names.map((name) => {
    const spots = make("div"), one = panel(info.titles[name], size, shownAs[name]);
    one.element.append(spots);
    return { name, spots, ...one };
  });
  const strip = make("div", { class: "dx-lab-panels", tabindex: 0, role: "application",
    "aria-label": "Images with one cursor. Arrow keys move it, with shift eight pixels; Enter paints or removes." }, ...panels.map((p) => p.figure));
  const errorTop = base.target ? 1.5 * window995(distance(base.output, base.target)) : 1;

  // --- numbers
  const numbers = make("div", { class: "dx-numbers" }), status = make("p", { class: "dx-status", role: "status" });
  const sentence = make("p", { class: "dx-sentence", "aria-live": "polite" });
  const body = make("tbody"), headers = ["intervention", "PSNR", "change", "SSIM", "error, measured", "error, removed"];
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...headers.map((h) => make("th", { scope: "col" }, h)))), body);
  const legend = make("p", { class: "dx-legend" }, ...STATES.flatMap((s) => [make("i", { class: "dx-switch", "data-state": s, "aria-hidden": "true" }, GLYPHS[s]), ` ${s}`]));
  const what = (text) => make("p", { class: "dx-what" }, text);
  const titled = (title, ...children) => make("div", { class: "dx-branch" }, make("b", {}, title), ...children);
  root.append(
    heading(model, "What if the network could not look there?",
      "Switch off parts of the attention, change the reference, paint a lesion: the network runs again and shows what that does to its output.",
      [info.title, `slice ${info.slice} of ${info.slices}`, ...info.files, ...info.notes]),
    make("div", { class: "dx-lab" },
      make("div", { class: "dx-lab-controls" },
        card("Attention", what("Click a head, a level's name or a head's number: from on to off (zero) to uniform (all weights alike)."), ...grids.map(([branch, { group }]) => titled(`${branch}: levels by heads`, group)), legend),
        card("Reference", what("What guides the network; then blurred, turned (counter-clockwise) and moved."), make("div", { class: "dx-controls" }, reference.group), ...ranges.map((r) => r.row)),
        card("Lesion", what("In one image only. With the target, the input is degraded anew."), make("div", { class: "dx-controls" }, ...tools.map((t) => t.group)), ...brush.map((b) => b.row), make("div", { class: "dx-buttons" }, undo, clear))),
      make("div", {}, make("div", { class: "dx-now-line" }, make("div", {}, sentence, status), reset), numbers, strip)),
    make("section", { class: "dx-card dx-tried" }, make("header", {}, make("h3", {}, "What was tried"), csv), make("div", { class: "dx-scroll", tabindex: 0, role: "region", "aria-label": "Table of what was tried" }, table),
      make("p", { class: "dx-reading" }, "PSNR and SSIM of this slice. Error: squared, as a share of the target's energy, inside the measured part of k-space and in the part that was removed. Click a row to see its picture.")));

  // --- asking and answering
  const saved = new Map((model.get("results") ?? []).map((r) => [key(adopt(r.intervention)), r]));
  let waiting = null, pending = null, last = null, answers = 0, timer, pixels = {}, now = model.get("result"), sending = false;
  /** Ask for what the controls say. One question at a time: of those that wait, only the latest is sent. */
  function change(draft) {
    sync();
    if (model.alone) {
      put(asked(state), draft); // or a step of the tour that asks for what the model has would be no change
      return fromPage();
    }
    pending = { state: structuredClone(state), draft };
    ask();
  }
  function ask() {
    if (waiting || !pending) return;
    const wanted = asked(pending.state), { draft } = pending;
    last = waiting = key(pending.state);
    pending = null;
    const same = draft === model.get("draft") && key(adopt(model.get("intervention"))) === last;
    put(wanted, draft);
    if (same && isAnswer()) return answered(); // no change: the kernel would not answer
    model.save_changes();
    clearTimeout(timer);
    timer = setTimeout(() => {
      status.textContent = "Computing …";
      timer = setTimeout(() => {
        status.textContent = "The kernel has not answered yet: it is busy, or gone. The next change asks again.";
        waiting = null;
      }, 10000);
    }, 600);
  }
  function put(wanted, draft) {
    sending = true;
    model.set("draft", draft);
    model.set("intervention", wanted);
    sending = false;
  }
  const isAnswer = () => key(adopt(model.get("result").intervention)) === waiting;
  function answered() {
    if (waiting && !isAnswer()) return; // to an older question: what was asked since is on its way
    answers++;
    clearTimeout(timer);
    waiting = null;
    tell(model.get("result"), `Answered in ${model.get("result").seconds.toFixed(2)} s.`);
    ask();
  }
  /** A picture; or why there is none: then the last one stays. */
  function tell(result, words) {
    root.classList.toggle("dx-stale", Boolean(result.refused));
    status.textContent = result.refused ? `${result.refused}. The picture is still the one named above.` : words;
    if (!result.refused) show(result);
  }
  function fromPage() {
    const refused = "This page has no answer to that: it keeps what was computed before it was saved, and here is no kernel to run the network. Reset, choose a row of the table, or open the lab in a notebook";
    tell(saved.get(key(state)) ?? { refused }, "");
  }

  // --- drawing
  function show(result) {
    now = result;
    pixels = { ...base, ...read(result.images ?? {}) };
    pixels.change = result.change ? unpack(result.change).values : base.output.map(() => 0);
    pixels.output = base.output.map((x, i) => x + pixels.change[i]);
    if (base.target) pixels.error = distance(pixels.output, pixels.target);
    const top = { change: Math.max(extent(pixels.change), 0.02 * white), error: errorTop };
    for (const { name, draw } of panels) {
      const high = top[name] ?? info.windows[name];
      draw(pixels[name], high, (100 * high) / white);
    }
    sentence.textContent = result.tried[0].toUpperCase() + result.tried.slice(1) + ".";
    drawNumbers(result);
    mark();
    values();
  }
  const signedText = (x, digits) => (x > 0 ? "+" : x < 0 ? "−" : "±") + Math.abs(x).toFixed(digits);
  function drawNumbers(result) {
    if (result.psnr_db === null) return numbers.replaceChildren("No target, or a blank one: nothing to measure against.");
    const none = model.get("rows")[0];
    const tile = (label, text, small) => make("div", { class: "dx-tile" }, make("small", {}, label), make("b", {}, text), make("small", {}, small));
    const band = (label, name) => {
      const [value, before] = [result[name], none[name]], top = 2 * Math.max(none.error_measured, none.error_removed), at = (x) => `${Math.min(100, (100 * x) / top)}%`;
      return make("div", { class: "dx-band", title: "squared error as a share of the target's energy; the line: nothing changed" }, make("small", {}, label),
        make("div", { class: "dx-meter" }, make("i", { style: `width:${at(value)}` }), make("u", { style: `left:${at(before)}` })),
        make("span", {}, `${format(100 * value)} %${value > top ? " →" : ""}`), make("small", {}, `was ${format(100 * before)} %`));
    };
    numbers.replaceChildren(
      tile("PSNR", `${result.psnr_db.toFixed(2)} dB`, `was ${none.psnr_db.toFixed(2)}`),
      tile("change", `${signedText(result.delta_psnr_db, 2)} dB`, result.delta_psnr_db < 0 ? "worse" : result.delta_psnr_db > 0 ? "better" : "the same"),
      tile("SSIM", result.ssim.toFixed(4), `was ${none.ssim.toFixed(4)}`),
      make("div", { class: "dx-bands" }, band("error, measured k-space", "error_measured"), band("error, removed k-space", "error_removed")));
  }
  function drawTable() {
    const cell = (x, digits) => make("td", {}, x === null ? "" : digits === null ? `${format(100 * x)} %` : x.toFixed(digits));
    body.replaceChildren(...model.get("rows").map((row) => {
      const pick = button(row.tried, () => { state = adopt(row.intervention); settle(); });
      const line = make("tr", {}, make("td", {}, pick), cell(row.psnr_db, 2),
        make("td", {}, row.delta_psnr_db === null ? "" : signedText(row.delta_psnr_db, 2)), cell(row.ssim, 4), cell(row.error_measured, null), cell(row.error_removed, null));
      line.dataset.key = key(adopt(row.intervention));
      line.addEventListener("click", (event) => event.target === pick || pick.click());
      return line;
    }));
    mark();
  }
  function mark() {
    const current = key(adopt(now.intervention));
    for (const line of body.children) line.toggleAttribute("aria-current", line.dataset.key === current);
  }
  function saveTable() {
    const quote = (x) => `"${String(x ?? "").replaceAll('"', '""')}"`;
    const lines = [info.columns, ...model.get("rows").map((row) => info.columns.map((name) => row[name]))];
    const url = URL.createObjectURL(new Blob([lines.map((line) => line.map(quote).join(",")).join("\r\n") + "\r\n"], { type: "text/csv" }));
    make("a", { href: url, download: "interventions.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
  function sync() {
    for (const [, { sync: draw }] of grids) draw();
    for (const part of [reference, ...ranges, ...tools, ...brush]) part.sync();
    undo.disabled = clear.disabled = !state.lesions.length;
    reset.disabled = key(state) === key(adopt({}));
    brush[1].row.hidden = tool.mode === "remove";
    root.classList.toggle("dx-brush", tool.mode !== "look");
    for (const { name, spots } of panels) {
      const here = state.lesions.filter((l) => l.image === (name === "reference" ? "reference" : "target") || name === "change");
      spots.replaceChildren(...here.map((l) => {
        const spot = make("div", { class: "dx-lesion" });
        place(spot, size, l.row + 0.5 - l.radius, l.column + 0.5 - l.radius, 2 * l.radius, 2 * l.radius);
        return spot;
      }));
    }
    values();
  }

  // --- one cursor on all panels
  let cursor = [rows >> 1, columns >> 1];
  const clip = (x, top) => Math.max(0, Math.min(top - 1, x));
  function values() {
    const [row, column] = cursor, side = tool.mode === "look" ? 1 : 2 * tool.radius;
    for (const { name, mark: spot, value } of panels) {
      place(spot, size, row + 0.5, column + 0.5, side, side);
      if (pixels[name]) value.textContent = format(pixels[name][row * columns + column]);
    }
  }
  const look = (row, column) => { cursor = [clip(row, rows), clip(column, columns)]; values(); };
  function act() {
    if (tool.mode === "look") return;
    const [row, column] = cursor, { mode, ...how } = tool;
    state.lesions.push({ ...how, row, column, remove: mode === "remove" });
    settle();
  }
  for (const { element } of panels) follow(element, size, { look, hover: look, stay: act, leave: () => {} });
  arrows(strip, (dr, dc) => look(cursor[0] + dr, cursor[1] + dc));
  strip.addEventListener("keydown", (event) => {
    if (event.target !== strip || !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    act();
  });

  // --- what comes from the kernel, or from the tour
  const heard = () => {
    if (sending) return;
    const given = adopt(model.get("intervention"));
    if (key(given) === last) return; // what was asked for, coming back
    state = given;
    last = pending = null; // what still waited to be asked is not wanted any more
    sync();
    if (model.alone) fromPage();
  };
  const listeners = { "change:intervention": heard, "change:result": answered, "change:rows": drawTable };
  for (const [event, listener] of Object.entries(listeners)) model.on(event, listener);
  drawTable();
  sync();
  show(model.get("rows")[0]);
  tell(model.get("result"), "");
  if (model.alone) fromPage();
  root.explorer = {
    get state() { return state; },
    get answers() { return answers; },
    asked: () => asked(state),
    set: (given) => { state = adopt(given); settle(); },
    reset: () => reset.click(),
    shown: () => now,
    values: (name) => pixels[name],
    waiting: () => Boolean(waiting || pending),
  };
  return () => { for (const [event, listener] of Object.entries(listeners)) model.off(event, listener); clearTimeout(timer); };
}

const { render, standalone } = widget(build, "lab");
export default { render };
