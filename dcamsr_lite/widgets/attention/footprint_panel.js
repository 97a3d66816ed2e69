// The weights of the p projected tokens as bars, and the footprint of one: the strongest, or the one pointed at.

import { BLUE, ORANGE, colourBar, paint } from "../shared/colours.js";
import { make } from "../shared/elements.js";
import { strides } from "../shared/input.js";
import { clamp, extent, format } from "../shared/numbers.js";
import { frame } from "../shared/panels.js";
import { times } from "./level.js";
import { minusWhat, overImage } from "./view.js";

/** @typedef {import("./view.js").View} View */

/** @param {View} view */
export function footprintPanel(view) {
  const { state } = view;
  const heading = make("h3");
  const title = make("p", { class: "dx-reading" });
  const name = make("b");
  const chart = make("canvas", {
    class: "dx-chart",
    tabindex: 0,
    role: "slider",
    "aria-label": "projected token",
    "aria-valuemin": 0,
  });
  const [top, low, note] = [0, 0, 0].map(() => make("span"));
  const foot = make("canvas", { class: "dx-overlay", role: "img" });
  const frameOf = frame(view.size, foot);
  const bar = colourBar("signed", "weight per pixel");
  frameOf.element.classList.add("dx-foot");
  frameOf.mark.remove();
  const plot = make("div", { class: "dx-plot" }, make("div", { class: "dx-axis" }, top, low), chart, make("i"), note);
  const element = make(
    "section",
    { class: "dx-card dx-wide" },
    heading,
    make(
      "div",
      { class: "dx-tokens" },
      make("div", {}, plot, title),
      make("figure", {}, make("figcaption", {}, name), frameOf.element, bar.bar),
    ),
  );
  /** @type {import("./view.js").Query} */
  let last;
  /** @type {number | null} */
  let token = null; // pointed at; of `level`
  let level = view.level;
  let painted = "";

  const chosen = () => token ?? last.weights.reduce((best, w, i) => (w > last.weights[best] ? i : best), 0);
  function bars(drawn, one) {
    const { p } = level;
    const high = extent(drawn);
    const floor = state.relative ? -high : 0;
    const [width, height] = [p * 16, 256];
    const context = /** @type {CanvasRenderingContext2D} */ (chart.getContext("2d"));
    const y = (value) => ((high - value) / (high - floor)) * height;
    if (chart.width !== width) [chart.width, chart.height] = [width, height];
    context.clearRect(0, 0, width, height);
    for (let i = 0; i < p; i++) {
      context.fillStyle = `rgba(${drawn[i] < 0 ? BLUE : ORANGE},${i === one ? 1 : 0.55})`;
      context.fillRect(16 * i + 2, Math.min(y(drawn[i]), y(0)), 12, Math.max(2, Math.abs(y(drawn[i]) - y(0))));
      if (i === one) {
        context.fillStyle = "rgba(128,128,128,.25)";
        context.fillRect(16 * i, 0, 16, height);
      }
    }
    context.fillStyle = "rgba(128,128,128,.9)";
    for (let x = 0; x < width; x += 16)
      context.fillRect(x, y(state.relative ? 0 : 1 / p) - 1, state.relative ? 16 : 8, 2);
    top.textContent = format(high, 2);
    low.textContent = format(floor, 2);
    const uniform = `uniform, 1/${p} = ${format(1 / p)}`;
    const shown = state.relative === "queries" ? minusWhat("queries") : `minus ${uniform}`;
    note.textContent = `one bar per token${state.relative ? `: its weight ${shown}` : `; dashes: ${uniform}`}`;
  }
  /** @param {import("./view.js").Query} query */
  function show(query) {
    last = query;
    const { weights } = query;
    const one = chosen();
    bars(query.drawn, one);
    title.textContent = `Token ${one}${token === null ? ", the strongest" : ""}: weight ${format(weights[one])}, ${times(weights[one] * level.p)} uniform. Its footprint says how much of each reference pixel is in it; the map is all footprints, times their weights. Point at another bar.`;
    name.textContent = `footprint of token ${one}`;
    chart.setAttribute("aria-valuemax", String(level.p - 1));
    chart.setAttribute("aria-valuenow", String(one));
    chart.setAttribute("aria-valuetext", title.textContent);
    const drawn = `${state.network} ${state.level} ${one} ${level.window ? level.around : ""}`; // a window moves with its query
    if (painted === drawn) return;
    painted = drawn;
    const picture = level.footprint(one);
    const limit = extent(picture);
    paint(foot, picture, [level.rows, level.columns], -limit, limit, "signed");
    foot.setAttribute("aria-label", `footprint of token ${one}`);
    bar.set(-limit, limit);
  }
  function update() {
    if (level !== view.level) token = null;
    level = view.level;
    heading.textContent = `Weights of the ${level.p} ${level.window ? "pixels of the window" : "projected tokens"}`;
    overImage(foot, view);
  }
  const pick = (next) => {
    token = next === null ? null : clamp(next, 0, level.p - 1);
    show(last);
  };
  const pointed = (event) => pick(Math.floor((event.offsetX / chart.clientWidth) * level.p));
  strides(chart, (dr, dc) => pick(chosen() + dc - dr));
  chart.addEventListener("pointerdown", pointed);
  chart.addEventListener("pointermove", pointed);
  for (const gone of ["pointerleave", "blur"]) chart.addEventListener(gone, () => pick(null));
  return { element, update, show };
}
