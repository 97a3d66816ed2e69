// The attribution explorer: drag a patch, run a method in the kernel chunk by chunk, read the maps.
//
// For tests and lectures, the root element has a property `explorer`: .state (patch, method, target, running),
// .result() (the maps of the method on screen as arrays, and its numbers), .run(), .stop().

import { choice } from "../shared/controls.js";
import { announcer, make } from "../shared/elements.js";
import { heading, widget } from "../shared/page.js";
import { QUALITY, greysOf, sliceOf } from "../shared/panels.js";
import { shareState } from "../shared/state.js";
import { agreementPanel } from "./agreement_panel.js";
import { mapPanel } from "./map_panel.js";
import { patchPanels } from "./patch_panels.js";
import { runPanel } from "./run_panel.js";
import { sharePanel } from "./share_panel.js";
import { View, whereIs } from "./view.js";

const NAMES = ["patch", "method", "target"];

/**
 * @param {import("./view.js").View} view
 * @param {ReturnType<typeof shareState>} shared
 */
function controlPanel(view, { bind, set }) {
  const { info, size, state } = view;
  const sides = [4, 8, 16, 32].filter((side) => side <= Math.min(info.largest, ...size));
  function square(side) {
    const [r, c, h, w] = state.patch;
    set({ patch: view.fit([r + (h - side) / 2, c + (w - side) / 2, side, side]) });
  }
  const choices = [
    choice(
      "Method",
      Object.entries(info.methods),
      ...bind("method"),
      (method) => view.unanswered(!view.model.get("results")[method]),
      false,
    ),
    choice(
      "Question",
      [
        ["detail", "detail", "where do the edges of the patch come from?"],
        ["mean", "brightness", "where does the mean of the patch come from?"],
      ],
      ...bind("target"),
      (target) => view.unanswered(target !== view.result?.target),
      false,
    ),
    choice(
      "Patch",
      sides.map((side) => [side, `${side} × ${side}`]),
      () => (state.patch[2] === state.patch[3] ? state.patch[2] : null),
      square,
      (side) => view.unanswered(String(view.result?.patch.slice(2)) !== `${side},${side}`),
      false,
    ),
    choice(
      "Maps",
      [
        [true, "on the image"],
        [false, "alone"],
      ],
      ...bind("over"),
    ),
  ];
  return {
    element: make("div", { class: "dx-controls" }, ...choices.map((c) => c.group)),
    sync: () => choices.forEach((c) => c.sync()),
  };
}

/**
 * @param {import("../shared/page.js").Model} model
 * @param {import("../shared/page.js").Root} root
 */
function build(model, root) {
  const view = new View(model);
  const { info, state } = view;
  const live = announcer();
  const shared = shareState(model, NAMES, state, update);
  const change = (patch) => {
    state.patch = view.fit(patch);
    update();
  };
  const settle = () => {
    shared.save();
    live.textContent = `Patch ${whereIs(state.patch)}.`;
  };
  const controls = controlPanel(view, shared);
  const patch = patchPanels(view, change, settle);
  const runner = runPanel(view, live, shared.save);
  const panels = [
    mapPanel(view, "lr", "low", "On the input"),
    mapPanel(view, "ref", "reference", "On the reference"),
    sharePanel(view),
    agreementPanel(view),
  ];
  const what = make("p", { class: "da-what" });
  const cards = make("div", { class: "dx-cards da-cards" }, ...panels.map((p) => p.element));
  root.append(
    heading(
      model,
      "What does this patch owe to each contrast?",
      "Drag a patch on an image, or click to move it there; arrow keys move it, shift and arrows resize it. Then run a method.",
      [info.title, sliceOf(info), greysOf(info), ...info.files],
    ),
    controls.element,
    patch.element,
    ...(view.images.target ? [make("p", { class: "dx-about" }, QUALITY)] : []),
    runner.element,
    what,
    cards,
    live,
  );

  /** What the result on screen is about. */
  function said() {
    const { result } = view;
    const method = info.methods[state.method];
    if (!result) return `${model.alone ? "This page holds no result" : "No result yet"}: ${method}.`;
    const asked = `${method}, ${result.target === "detail" ? "detail" : "brightness"} of the patch ${whereIs(result.patch)}.`;
    return view.current() ? asked : `${asked} The patch or the question has changed since.`;
  }
  function update() {
    view.read();
    controls.sync();
    patch.update();
    runner.sync();
    cards.hidden = !view.result;
    if (view.result) for (const panel of panels) panel.draw();
    what.textContent = said();
    root.classList.toggle("dx-alone", !state.over);
    root.classList.toggle("da-old", Boolean(view.result) && !view.current());
  }

  model.on("change:results", update); // a patch that is being dragged stays in hand
  shared.read();
  /** The map on the reference, without the padding. */
  function numbers() {
    if (!view.result) return null;
    const { values, shape } = view.result.ref;
    const [rows, columns] = info.shape;
    const at = (row, column) => values[(info.offset[0] + row) * shape[1] + info.offset[1] + column];
    const inside = Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns));
    return { values: inside, size: [rows, columns] };
  }
  root.explorer = { numbers, state, run: runner.run, stop: () => runner.halt(), result: () => view.result };
  return () => {
    runner.stop();
    shared.stop();
    model.off("change:results", update);
  };
}

const { render, standalone } = widget(build, "attribution");
export { standalone };
export default { render };
