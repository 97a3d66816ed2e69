// Where a pixel of the output looks in the reference, drawn from what the network in this tab has just computed.

import { Level } from "../../dcamsr_lite/widgets/attention/level.js";
import { choice } from "../../dcamsr_lite/widgets/shared/controls.js";
import { colourBar, paint } from "../../dcamsr_lite/widgets/shared/colours.js";
import { make, place } from "../../dcamsr_lite/widgets/shared/elements.js";
import { follow, strides } from "../../dcamsr_lite/widgets/shared/input.js";
import { clamp, extent, window995 } from "../../dcamsr_lite/widgets/shared/numbers.js";
import { inWords, offset } from "../../dcamsr_lite/widgets/shared/offsets.js";
import { panel } from "../../dcamsr_lite/widgets/shared/panels.js";
import { pack } from "./live_model.js";

/** @typedef {import("./engine.js").Array4} Array4 */
/** @typedef {{ grid: number[], window: number | null }} Shape of a level */

const KINDS = ["attention", "queries", "keys", "footprints"];
/** @type {import("../../dcamsr_lite/widgets/shared/controls.js").Option[]} */
const BRANCHES = [
  ["spatial", "spatial", "where each pixel looks"],
  ["channel", "channel", "which features are taken"],
];

/** The outputs of the graph that the maps of these levels need. */
export const mapsOf = (levels) =>
  Object.entries(levels).flatMap(([level, { window, votes }]) => {
    const spatial = votes ? ["attention"] : window ? ["queries", "keys"] : ["queries", "keys", "footprints"];
    return [...spatial, "channel"].map((kind) => `${kind}_${level}`);
  });

/** One level of the graph's outputs, as the attention explorer has it. */
function openLevel(name, { grid, window }, maps, info) {
  const take = (kind) => {
    const found = maps[`${kind}_${name}`];
    return found ? pack(found.values, found.shape.slice(kind === "footprints" ? 0 : 1)) : null;
  };
  const [attention, queries, keys, footprints] = KINDS.map(take);
  const d = info.channels / info.heads;
  const common = pack(new Float32Array(1), [1]);
  const own = Array(info.heads + 1).fill(null);
  const shape = { grid, window, heads: info.heads, d, resample: null, common, own, channel: null, entropy: {} };
  return new Level({
    ...shape,
    attention,
    footprints,
    queries: attention ? null : queries,
    keys: attention ? null : keys,
  });
}

/**
 * @param {any} info of the network: its heads, channels, levels and the image's size
 * @param {Record<string, any>} shapes of each level of the graph
 * @param {string} first the level that can be drawn before the network has come
 */
export function lookPanel(info, shapes, first) {
  const size = info.shape;
  const [rows, columns] = size;
  const state = { branch: "spatial", level: first, head: /** @type {number | null} */ (null), query: info.query };
  /** @type {Record<string, Level>} */
  const open = {};
  let maps = /** @type {Record<string, Array4>} */ ({});

  const output = panel("Output: point at it", size);
  const reference = panel("Reference: where it looks", size);
  const overlay = make("canvas", { class: "lv-overlay", role: "img", "aria-label": "attention on the reference" });
  reference.element.insertBefore(overlay, reference.mark);
  const found = make("div", { class: "dx-mark lv-found" });
  reference.element.append(found);
  const near = make("canvas", { role: "img", "aria-label": "the weights of the window, enlarged" });
  const enlarged = make(
    "figure",
    { class: "lv-near" },
    make("figcaption", {}, make("b", {}, "Its weights, enlarged")),
    make("div", { class: "dx-frame" }, near, make("div", { class: "lv-own" })),
  );
  const matrices = Array.from({ length: info.heads }, (_, head) => {
    const canvas = make("canvas", { role: "img", "aria-label": `channel attention of head ${head}` });
    return { canvas, figure: make("figure", {}, make("small", {}, `head ${head}`), canvas) };
  });
  const channel = make("div", { class: "lv-matrices" }, ...matrices.map(({ figure }) => figure));
  const { bar, set } = colourBar("signed", "weight per reference pixel, minus uniform: orange more, blue less");
  const shares = colourBar("viridis", "share of a feature of the reference");
  shares.set(0, 1);
  const said = make("p", { class: "lv-tried" });
  const reading = make("p", { class: "dx-reading", "aria-live": "polite" });
  const names = Object.keys(shapes);
  const { votes } = shapes[names[0]]; // then all heads have one map
  const levelChoice = choice("Level", names.map((n) => [n, n, `level ${n}`]), () => state.level, (value) => choose({ level: value })); // prettier-ignore
  const branchChoice = choice("Branch", BRANCHES, () => state.branch, (value) => choose({ branch: value })); // prettier-ignore
  const heads = [null, ...Array(info.heads).keys()];
  const headChoice = choice("Head", heads.map((h) => [h, h === null ? "mean" : String(h)]), () => state.head, (value) => choose({ head: value })); // prettier-ignore

  const level = () => (open[state.level] ??= openLevel(state.level, shapes[state.level], maps, info));
  function choose(changes) {
    Object.assign(state, changes);
    draw();
  }
  /** The channel branch has a matrix a head, whatever the pixel. */
  function drawChannel() {
    const given = maps[`channel_${state.level}`];
    channel.hidden = shares.bar.hidden = !given;
    overlay.hidden = enlarged.hidden = bar.hidden = found.hidden = true;
    if (!given) {
      reading.textContent = "The channel branch's matrices come with the network.";
      return;
    }
    const d = given.shape[2];
    matrices.forEach(({ canvas }, head) => {
      paint(canvas, given.values.subarray(head * d * d, (head + 1) * d * d), [d, d], 0, 1, "viridis");
    });
    const most = extent(given.values);
    reading.textContent = `Level ${state.level}: how much each of a head's ${d} features (rows) takes of the reference's (columns), for all pixels alike; the most is ${most.toFixed(2)}, uniform would be ${(1 / d).toFixed(2)}.`;
  }
  function draw() {
    branchChoice.sync();
    headChoice.group.hidden = state.branch === "channel";
    levelChoice.sync();
    headChoice.sync();
    const scale = +state.level;
    const known = maps[`attention_${state.level}`] ?? maps[`queries_${state.level}`];
    const [row, column] = state.query;
    for (const one of [output, reference]) place(one.mark, size, row + 0.5, column + 0.5, 1, 1);
    if (state.branch === "channel") return drawChannel();
    channel.hidden = shares.bar.hidden = true;
    bar.hidden = false;
    overlay.hidden = !known;
    found.hidden = true;
    if (!known) {
      reading.textContent = "This level's map comes with the network.";
      return;
    }
    const one = level();
    const grid = [one.rows, one.columns];
    const token = Math.floor(row / scale) * one.columns + Math.floor(column / scale);
    const weights = one.weights(state.head, token);
    const away = weights.map((w) => w - 1 / one.p);
    const map = one.lift(away);
    const high = extent(map);
    paint(overlay, map, grid, -high, high, "signed");
    set(-high, high);
    enlarged.hidden = !one.window;
    if (one.window) paint(near, away, [one.window, one.window], -high, high, "signed"); // as the bar says
    const far = one.window ? offset(weights, one.window, scale) : [0, 0];
    const there = inWords(far, 0.25, (x) => `${x.toFixed(1)} px`);
    found.hidden = !there;
    place(found, size, row + 0.5 + far[0], column + 0.5 + far[1], 1, 1);
    const where = one.window
      ? there
        ? `looks ${there} of its own place`
        : "looks at its own place"
      : `gives its strongest token ${(extent(weights) * one.p).toFixed(2)} times the uniform weight`;
    reading.textContent = `Row ${row}, column ${column}, level ${state.level}: ${where}.`;
  }
  const look = (row, column) => choose({ query: [clamp(row, 0, rows - 1), clamp(column, 0, columns - 1)] });
  for (const { element } of [output, reference])
    follow(element, size, { look, hover: look, stay: () => {}, leave: () => {} });
  const element = make(
    "section",
    { class: "dx-card lv-look" },
    make(
      "div",
      {
        class: "lv-pair",
        tabindex: 0,
        role: "application",
        "aria-label": "Arrow keys move the pixel, with shift eight",
      },
      output.figure,
      reference.figure,
    ),
    make(
      "div",
      { class: "lv-side" },
      make("div", { class: "dx-controls" }, branchChoice.group, levelChoice.group, votes ? null : headChoice.group),
      enlarged,
      channel,
      bar,
      shares.bar,
      reading,
      said,
    ),
  );
  strides(/** @type {HTMLElement} */ (element.firstElementChild), (dr, dc) =>
    look(state.query[0] + dr, state.query[1] + dc),
  );
  return {
    element,
    state,
    look,
    choose,
    said: () => reading.textContent,
    /**
     * New pictures, the maps that belong to them, and what was tried.
     * @param {Record<string, Float64Array>} pictures
     * @param {Record<string, Array4>} found
     * @param {any} [row]
     */
    show(pictures, found, row = null) {
      const quality = row && row.psnr_db !== null ? `: PSNR ${row.psnr_db.toFixed(2)} dB` : "";
      said.textContent = row ? `${row.tried[0].toUpperCase()}${row.tried.slice(1)}${quality}.` : "";
      for (const name of Object.keys(open)) delete open[name];
      maps = found;
      output.draw(pictures.output, window995(pictures.output));
      reference.draw(pictures.reference, window995(pictures.reference));
      draw();
    },
  };
}
