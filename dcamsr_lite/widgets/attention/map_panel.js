// The lifted map on the reference, of one head, the mean, or all heads side by side.

import { colourBar, paint } from "../shared/colours.js";
import { card, make } from "../shared/elements.js";
import { follow } from "../shared/input.js";
import { extent, format } from "../shared/numbers.js";
import { frame } from "../shared/panels.js";
import { entropy, share, times } from "./level.js";
import { minusWhat, overImage } from "./view.js";

/** @typedef {import("./view.js").View} View */

/**
 * The reference below, a signed map above, the cursor on top.
 * @param {View} view
 */
function lifted(view) {
  const ground = make("canvas");
  const overlay = make("canvas", { class: "dx-overlay", role: "img" });
  paint(ground, view.images.reference, view.size, 0, view.info.windows.reference, "grey");
  return { overlay, ...frame(view.size, ground, overlay) };
}

/** @param {View} view */
export function mapPanel(view) {
  const { state } = view;
  const one = lifted(view);
  const bar = colourBar("signed", "weight per reference pixel");
  const reading = make("p", { class: "dx-reading" });
  const what = make("p", { class: "dx-what" });
  const tiles = make("div", { class: "dx-heads", role: "group", "aria-label": "Attention of every head: choose one" });
  const element = card("Attention on the reference", what, one.element, tiles, bar.bar, reading);
  element.classList.add("dx-map");
  let each = [],
    map;

  function layTiles() {
    each = [...Array(view.net.heads).keys(), null].map((head) => {
      const picture = lifted(view);
      const name = head === null ? "mean" : `head ${head}`;
      const button = make(
        "button",
        { type: "button", class: "dx-tile", "aria-label": `Choose ${name}` },
        make("small", {}, name),
        picture.element,
      );
      button.addEventListener("click", () => view.set({ head }));
      return { head, button, ...picture };
    });
    tiles.replaceChildren(...each.map((tile) => tile.button));
  }
  /** What follows the controls. */
  function update() {
    const who = state.head === null ? "mean over heads" : `head ${state.head}`;
    const { rows, columns } = view.level;
    if (each.length !== view.net.heads + 1) layTiles();
    tiles.hidden = !state.side_by_side;
    one.element.hidden = state.side_by_side;
    what.textContent = `level ${state.level}, ${rows} × ${columns} · ${state.side_by_side ? "all heads on one colour scale, " : ""}${who}${state.relative ? ` · ${minusWhat(state.relative)}` : ""}`;
    one.overlay.setAttribute("aria-label", `attention on the reference, ${what.textContent}`);
    bar.name(
      state.relative
        ? `weight per reference pixel, ${minusWhat(state.relative)}: orange more, blue less`
        : "weight per reference pixel",
    );
    for (const { overlay } of [one, ...each]) overImage(overlay, view);
    for (const { head, button } of each) button.setAttribute("aria-pressed", head === state.head);
  }
  /** @param {import("./view.js").Query} query */
  function show({ at, row, column, drawn, weights, mark }) {
    const { level } = view;
    const size = [level.rows, level.columns];
    const maps = state.side_by_side ? level.maps(row, column, state.relative) : [level.lift(drawn)];
    map = state.side_by_side ? maps[state.head ?? level.heads] : maps[0];
    const high = Math.max(...maps.map(extent));
    (state.side_by_side ? each : [one]).forEach((shown, i) => {
      paint(shown.overlay, maps[i], size, -high, high, "signed");
      mark(shown.mark);
    });
    bar.set(-high, high);
    const own = level.ownShare(state.head);
    const far = extent(weights.map((w) => w * level.p - 1));
    reading.textContent =
      `Query at row ${at[0]}, column ${at[1]}: entropy ${share(entropy(weights))}${state.head === null ? " of the heads' mean" : ""}, strongest token ${times(extent(weights) * level.p)} uniform.` +
      (state.head === null
        ? ` The heads' own entropies here: ${share(level.entropyAt(null, row, column))} on average, as listed below; that of their mean is larger.`
        : "") +
      (far < 0.01
        ? ` Uniform in practice: no weight is off by more than ${format(100 * far, 2)} %, and the colours magnify that.`
        : own === null
          ? ""
          : ` ${format(100 * own, 2)} % of the difference from uniform is the queries' own; the rest all queries share${state.relative === true ? ", and both are shown" : state.relative ? ", and is taken away here" : ""}.`);
  }
  const [top, left] = view.info.offset;
  follow(one.element, view.size, {
    ...view.cursor,
    hover: (r, c) => {
      const token = Math.floor((r + top) / state.level) * view.level.columns + Math.floor((c + left) / state.level);
      reading.textContent = `Reference row ${r}, column ${c}: weight ${format(map[token] ?? 0)}.`;
    },
  });
  return { element, update, show, said: () => reading.textContent };
}
