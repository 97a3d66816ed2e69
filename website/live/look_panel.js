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

/** The outputs of the graph that the maps of these levels need. */
export const mapsOf = (levels) =>
  Object.entries(levels).flatMap(([level, { window, votes }]) =>
    KINDS.filter((kind) =>
      votes ? kind === "attention" : kind !== "attention" && !(window && kind === "footprints"),
    ).map((kind) => `${kind}_${level}`),
  );

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
  const state = { level: first, head: /** @type {number | null} */ (null), query: info.query };
  /** @type {Record<string, Level>} */
  const open = {};
  let maps = /** @type {Record<string, Array4>} */ ({});

  const output = panel("Output: point at it", size);
  const reference = panel("Reference, and where that pixel looks", size);
  const overlay = make("canvas", { class: "lv-overlay", role: "img", "aria-label": "attention on the reference" });
  reference.element.insertBefore(overlay, reference.mark);
  const near = make("canvas", { role: "img", "aria-label": "the weights of the window, enlarged" });
  const enlarged = make(
    "figure",
    { class: "lv-near" },
    make("figcaption", {}, make("b", {}, "Around its own place, enlarged")),
    make("div", { class: "dx-frame" }, near, make("div", { class: "lv-own" })),
  );
  const { bar, set } = colourBar("signed", "weight per reference pixel, minus uniform: orange more, blue less");
  const reading = make("p", { class: "dx-reading", "aria-live": "polite" });
  const names = Object.keys(shapes);
  const { votes } = shapes[names[0]]; // then all heads have one map
  const levelChoice = choice("Level", names.map((n) => [n, n, `level ${n}`]), () => state.level, (value) => choose({ level: value })); // prettier-ignore
  const heads = [null, ...Array(info.heads).keys()];
  const headChoice = choice("Head", heads.map((h) => [h, h === null ? "mean" : String(h)]), () => state.head, (value) => choose({ head: value })); // prettier-ignore

  const level = () => (open[state.level] ??= openLevel(state.level, shapes[state.level], maps, info));
  function choose(changes) {
    Object.assign(state, changes);
    draw();
  }
  function draw() {
    levelChoice.sync();
    headChoice.sync();
    const scale = +state.level;
    const known = maps[`attention_${state.level}`] ?? maps[`queries_${state.level}`];
    const [row, column] = state.query;
    for (const one of [output, reference]) place(one.mark, size, row + 0.5, column + 0.5, 1, 1);
    overlay.hidden = !known;
    if (!known) {
      reading.textContent = "This level's map comes with the network.";
      return;
    }
    const one = level();
    const grid = [one.rows, one.columns];
    const token = Math.floor(row / scale) * one.columns + Math.floor(column / scale);
    const weights = one.weights(state.head, token);
    const map = one.lift(weights.map((w) => w - 1 / one.p));
    const high = extent(map);
    paint(overlay, map, grid, -high, high, "signed");
    set(-high, high);
    enlarged.hidden = !one.window;
    if (one.window) paint(near, weights, [one.window, one.window], 0, extent(weights), "viridis");
    const there = one.window ? inWords(offset(weights, one.window, scale)) : "";
    const where = one.window
      ? there
        ? `looks ${there} px from its own place`
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
      make("div", { class: "dx-controls" }, levelChoice.group, votes ? null : headChoice.group),
      enlarged,
      bar,
      reading,
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
    /** New pictures, and the maps that belong to them. */
    show(pictures, found) {
      for (const name of Object.keys(open)) delete open[name];
      maps = found;
      output.draw(pictures.output, window995(pictures.output));
      reference.draw(pictures.reference, window995(pictures.reference));
      draw();
    },
  };
}
