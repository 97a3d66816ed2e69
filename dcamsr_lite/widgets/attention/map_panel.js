// The lifted map over its image: of one head, the mean, all heads side by side, or all heads of all levels.

import { colourBar, paint } from "../shared/colours.js";
import { card, make, place } from "../shared/elements.js";
import { follow } from "../shared/input.js";
import { extent, format } from "../shared/numbers.js";
import { frame } from "../shared/panels.js";
import { entropy, share, times } from "./level.js";
import { around, mapOf, mapsOf } from "./maps.js";
import { minusWhat, overImage } from "./view.js";

/** @typedef {import("./view.js").View} View */

const FORWARD = { title: "Attention on the reference", on: "attention on the reference", unit: "per reference pixel" };
const REVERSE = { title: "Who reads this pixel of the reference?", on: "readers, on the input", unit: "per query" };

/**
 * An image below, a signed map above, the cursor on top.
 * @param {View} view
 */
function lifted(view) {
  const ground = make("canvas");
  const overlay = make("canvas", { class: "dx-overlay", role: "img" });
  return { ground, overlay, ...frame(view.size, ground, overlay) };
}

/** What a window reaches around a place, for maps of a few pixels: on a whole image they would hardly be seen. */
function near() {
  const overlay = make("canvas", { role: "img" });
  const own = make("div", { class: "dx-own" });
  return { ground: null, overlay, mark: null, element: make("div", { class: "dx-frame dx-near" }, overlay, own) };
}

/** What the heads' own entropies say beside that of their mean, which is larger where they differ. */
const headsApart = (mean, own) =>
  ` The heads' own entropies here: ${share(own)} on average, as listed below; ${mean - own < 5e-4 ? "the heads look alike" : "that of their mean is larger"}.`;

/** @param {View} view */
export function mapPanel(view) {
  const { state } = view;
  const one = lifted(view);
  const peak = make("div", { class: "dx-peak", "aria-hidden": "true" });
  one.element.append(peak);
  const bar = colourBar("signed", "weight per reference pixel");
  const reading = make("p", { class: "dx-reading" });
  const what = make("p", { class: "dx-what" });
  const tiles = make("div", { class: "dx-heads", role: "group" });
  const element = card(FORWARD.title, what, one.element, tiles, bar.bar, reading);
  element.classList.add("dx-map");
  /** @type {((ReturnType<typeof lifted> | ReturnType<typeof near>) & { level: number, head: number | null, button: HTMLElement })[]} */
  let each = [];
  /** @type {Record<string, HTMLElement>} of each level, how far its colours go */
  let scales = {};
  let laid = "";
  /** @type {Float32Array} */
  let map;
  const words = () => (state.reverse ? REVERSE : FORWARD);
  const look = () => ({ relative: state.relative, reverse: state.reverse, by_value: state.by_value });

  function tile(level, head) {
    const { window } = view.net.levels[level];
    const picture = window ? near() : lifted(view);
    const name = head === null ? "mean" : `head ${head}`;
    const place = state.side_by_side === "levels" ? `level ${level}, ${name}` : name;
    const button = make(
      "button",
      { type: "button", class: "dx-tile", "aria-label": `Choose ${place}` },
      make("small", {}, name),
      picture.element,
    );
    button.addEventListener("click", () => view.set({ head, level }));
    return { level, head, button, ...picture };
  }
  function layTiles() {
    const all = state.side_by_side === "levels";
    const levels = all ? Object.keys(view.net.levels).map(Number) : [state.level];
    const heads = [...Array(view.net.heads).keys(), null];
    each = levels.flatMap((level) => heads.map((head) => tile(level, head)));
    scales = Object.fromEntries(levels.map((level) => [level, make("small", { class: "dx-scale" })]));
    const row = (level) => each.filter((one) => one.level === level).map((one) => one.button);
    tiles.replaceChildren(
      ...levels.flatMap((level) =>
        all
          ? [scales[level], make("div", { class: "dx-heads", style: `--tiles:${heads.length}` }, ...row(level))]
          : row(level),
      ),
    );
    tiles.classList.toggle("dx-levels", all);
    tiles.setAttribute("aria-label", `Attention of every head${all ? " at every level" : ""}: choose one`);
  }
  /** What follows the controls. */
  function update() {
    const who = state.head === null ? "mean over heads" : `head ${state.head}`;
    const { rows, columns } = view.level;
    const several = {
      true: "all heads on one colour scale, ",
      levels: "all levels and heads, one colour scale for each level, ",
      false: "",
    };
    const key = `${state.network} ${state.side_by_side} ${state.side_by_side === true ? state.level : ""}`;
    if (state.side_by_side && laid !== key) [laid] = [key, layTiles()];
    element.classList.toggle("dx-every", state.side_by_side === "levels");
    tiles.hidden = !state.side_by_side;
    one.element.hidden = Boolean(state.side_by_side);
    peak.hidden = !view.level.window; // other maps are spread out: they have no spot
    const more = [state.relative && minusWhat(state.relative), state.by_value && "times the length of the value"];
    const extra = more.filter(Boolean).join(", ");
    const alike = state.side_by_side && view.level.attention?.shape[0] === 1 ? " · all heads share one map" : "";
    const ringed = peak.hidden || state.side_by_side ? "" : " · ring: around the largest weight";
    const tiled =
      state.side_by_side && view.level.window
        ? " · a tile: what the window reaches around the place, the white circle"
        : "";
    what.textContent = `level ${state.level}, ${rows} × ${columns} · ${several[String(state.side_by_side)]}${who}${extra && ` · ${extra}`}${alike}${tiled}${ringed}`;
    const heading = element.querySelector("h3");
    if (heading) heading.textContent = words().title;
    one.overlay.setAttribute("aria-label", `${words().on}, ${what.textContent}`);
    bar.name(
      `${state.side_by_side === "levels" ? `level ${state.level}: ` : ""}weight ${words().unit}${extra && `, ${extra}`}${state.relative ? ": orange more, blue less" : ""}`,
    );
    const ground = state.reverse ? "low" : "reference";
    for (const shown of [one, ...(state.side_by_side ? each : [])])
      if (shown.ground) paint(shown.ground, view.images[ground], view.size, 0, view.info.windows[ground], "grey");
    overImage(one.overlay, view);
    for (const { level, head, button, overlay } of each) {
      if (view.net.levels[level] && !view.net.levels[level].window) overImage(overlay, view, level);
      button.setAttribute("aria-pressed", String(head === state.head && level === state.level));
    }
  }
  /**
   * The maps of a level, drawn on its tiles, and the largest magnitude in them.
   * @param {number} name
   * @param {number[]} at
   */
  function drawLevel(name, at) {
    const level = view.net.levels[name];
    const { row, column, mark } = view.locate(at, name);
    const maps = mapsOf(level, row, column, look());
    const high = Math.max(...maps.map(extent));
    const shown = each.filter((tile) => tile.level === name);
    shown.forEach((tile, i) => {
      if (level.window)
        paint(tile.overlay, around(maps[i], level, row, column), [level.window, level.window], -high, high, "signed");
      else paint(tile.overlay, maps[i], [level.rows, level.columns], -high, high, "signed");
      if (tile.mark) mark(tile.mark);
    });
    const part = level.window ? `, ${level.window} × ${level.window} pixels of it` : "";
    scales[name].textContent =
      `level ${name}, ${level.rows} × ${level.columns}${part}: colours up to ±${format(high, 2)}`;
    return { maps, high };
  }
  /** @param {import("./view.js").Query} query */
  function show(query) {
    const { level } = view;
    let high;
    if (state.side_by_side) {
      const names = Object.keys(scales).map(Number);
      const drawn = Object.fromEntries(names.map((name) => [name, drawLevel(name, query.at)]));
      map = drawn[state.level].maps[state.head ?? level.heads];
      ({ high } = drawn[state.level]);
    } else {
      map = mapOf(level, state.head, query.row, query.column, look());
      high = extent(map);
      paint(one.overlay, map, [level.rows, level.columns], -high, high, "signed");
      query.mark(one.mark);
      ring(level);
    }
    bar.set(-high, high);
    reading.textContent = state.reverse ? readReverse(query) : readForward(query);
  }
  /** Row and column of the level where the map is largest. */
  function highest() {
    const best = map.reduce((top, x, i) => (x > map[top] ? i : top), 0);
    return [Math.floor(best / view.level.columns), best % view.level.columns];
  }
  /** Around the largest weight of a few pixels, which would hardly be seen on a whole image. */
  function ring({ rows, columns }) {
    const { offset } = view.info;
    const [row, column] = highest().map((x, axis) => (x + 0.5) * state.level - offset[axis]);
    if (!peak.hidden) place(peak, view.size, row, column, 0, 0);
  }
  /** @param {import("./view.js").Query} query */
  function readReverse({ at }) {
    const [r, c] = highest();
    const [row, column] = [r, c].map((x, axis) => Math.max(0, x * state.level - view.info.offset[axis]));
    return `Reference pixel at row ${at[0]}, column ${at[1]}: read most by the query at row ${row}, column ${column}, with weight ${format(map[r * view.level.columns + c])}.`;
  }
  /** @param {import("./view.js").Query} query */
  function readForward({ at, row, column, weights }) {
    const { level } = view;
    const own = level.ownShare(state.head);
    const far = extent(weights.map((w) => w * level.p - 1));
    return (
      `Query at row ${at[0]}, column ${at[1]}: entropy ${share(entropy(weights))}${state.head === null ? " of the heads' mean" : ""}, strongest token ${times(extent(weights) * level.p)} uniform.` +
      (state.head === null ? headsApart(entropy(weights), level.entropyAt(null, row, column)) : "") +
      (far < 0.01
        ? ` Uniform in practice: no weight is off by more than ${format(100 * far, 2)} %, and the colours magnify that.`
        : own === null
          ? ""
          : ` ${own < 1e-4 ? "Less than 0.01" : format(100 * own, 2)} % of what sets this map apart from equal weights changes from query to query; the rest is the same wherever the pointer is${state.relative === true ? ", and both are shown" : state.relative ? ", and is taken away here" : ""}.`)
    );
  }
  follow(one.element, view.size, {
    ...view.cursor,
    hover: (r, c) => {
      const { row, column } = view.locate([r, c]);
      const weight = format(map[row * view.level.columns + column] ?? 0);
      reading.textContent = state.reverse
        ? `The query at row ${r}, column ${c} reads it with weight ${weight}.`
        : `Reference row ${r}, column ${c}: weight ${weight}.`;
    },
  });
  const numbers = () => ({ values: map, size: [view.level.rows, view.level.columns] });
  return { element, update, show, numbers, said: () => reading.textContent };
}
