// The three sliders, and which network is on screen.

import { choice, slider } from "../shared/controls.js";
import { button, make } from "../shared/elements.js";
import { AXES, ZERO, keyOf, sliderText } from "./words.js";

const LABELS = {
  right: ["shift right", "px"],
  down: ["shift down", "px"],
  turn: ["turn", "degrees, counter-clockwise"],
};

/**
 * @param {import("./view.js").View} view
 * @param {import("../shared/state.js").Bind} bind
 * @param {(axis: keyof import("./words.js").Moved, value: number, settled: boolean) => void} change
 * @param {() => void} reset
 * @param {boolean} alone
 */
export function controlPanel(view, bind, change, reset, alone) {
  const { bounds, steps } = view.info;
  const sliders = AXES.map((axis) => {
    const [label, unit] = LABELS[axis];
    return slider(
      label,
      {
        kind: "dx-range",
        hint: `${label}, ${unit}`,
        bounds: [-bounds[axis], bounds[axis], steps[axis]],
        text: (x) => sliderText(axis, x),
      },
      () => view.moved[axis],
      (value, settled) => change(axis, value, settled),
    );
  });
  const back = button("In place", reset);
  const network = choice(
    "Network",
    view.names.map((name) => [name, name, `${name}: ${view.info.networks[name]}`]),
    ...bind("network"),
  );
  const note = alone
    ? `A saved page: steps of ${steps.right} px and ${steps.turn}° were computed before, one slider at a time: move one, and the others go back to 0.`
    : "";
  const element = make(
    "div",
    { class: "dp-controls" },
    make("div", { class: "dp-sliders" }, ...sliders.map((s) => s.group), back),
    make("div", { class: "dx-controls" }, network.group, make("small", {}, note)),
  );
  network.group.hidden = view.names.length < 2;
  function sync() {
    for (const part of [...sliders, network]) part.sync();
    back.disabled = keyOf(view.moved) === keyOf(ZERO);
  }
  return { element, sync };
}
