// The contrast explorer: sliders for TR, TE and TI, two images that follow, and every tissue's curve.
//
// For tests, the root element has a property `explorer`: .signals(side) and .image(side) are what is on screen,
// .state the setting.

import { colourBar, paint } from "../shared/colours.js";
import { choice, slider } from "../shared/controls.js";
import { announcer, button, make } from "../shared/elements.js";
import { eachFrame } from "../shared/input.js";
import { extent, format, unpackAll } from "../shared/numbers.js";
import { heading, widget } from "../shared/page.js";
import { sliceOf } from "../shared/panels.js";
import { shareState } from "../shared/state.js";
import { SHOWN, curvePanel, legend } from "./curves.js";
import { signal } from "./signals.js";

const SIDES = ["left", "right"];
const NAMES = [...SIDES, "active", "lesions"];
const CURVES = { TR: "Recovery: a longer TR", TE: "Decay: a longer TE", TI: "Inversion: a longer TI" };
const STEPS = { TR: 10, TE: 1, TI: 5 };

/**
 * @param {import("../shared/page.js").Model} model
 * @param {import("../shared/page.js").Root} root
 */
function build(model, root) {
  const info = model.get("info");
  const [rows, columns] = info.shape;
  const fractions = unpackAll(model.get("images"));
  const state = /** @type {any} */ ({ left: {}, right: {}, active: "right", lesions: true });
  const { soon, flush } = eachFrame();
  const shared = shareState(model, NAMES, state, update);
  const settle = () => {
    flush();
    shared.save();
    say();
  };
  const signals = (side) =>
    Object.fromEntries(
      Object.entries(info.times).map(([name, t]) => [name, Math.abs(signal(t, state[side], info.train))]),
    );
  function image(side) {
    const values = new Float32Array(rows * columns);
    for (const name of info.tissues) {
      const one = signal(info.times[name], state[side], info.train);
      fractions[name].forEach((share, i) => (values[i] += one * share));
    }
    return values.map(Math.abs);
  }

  const panels = SIDES.map((side) => {
    const canvas = make("canvas", { role: "img" });
    const marks = make("canvas", { class: "cx-marks", "aria-hidden": "true" });
    const frame = make("div", { class: "dx-frame cx-frame", style: `aspect-ratio:${columns}/${rows}` }, canvas, marks);
    const title = make("b");
    const times = make("output");
    const scale = colourBar("grey", "signal; 1: fully relaxed water");
    const figure = make("figure", {}, make("figcaption", {}, title, times), frame, scale.bar);
    frame.addEventListener("click", () => shared.set({ active: side }));
    return { side, canvas, marks, title, times, scale, figure };
  });
  const active = choice(
    "Sliders set the",
    [
      ["left", "left image"],
      ["right", "right image"],
    ],
    ...shared.bind("active"),
  );
  const sequence = choice(
    "Sequence",
    [
      ["spin echo", "spin echo"],
      ["fast spin echo", "fast spin echo", "fast spin echo, a train of echoes"],
      ["inversion recovery", "inversion", "inversion recovery"],
    ],
    () => state[state.active].sequence,
    (value) => shared.set({ [state.active]: { ...state[state.active], sequence: value } }),
  );
  const marking = choice(
    "Lesions",
    [
      [true, "marked"],
      [false, "not marked"],
    ],
    ...shared.bind("lesions"),
  );
  const sliders = Object.entries(info.bounds).map(([name, [low, high]]) => ({
    name,
    ...slider(
      name,
      {
        kind: "cx-slider",
        hint: `${name} in milliseconds`,
        bounds: [low, high, STEPS[name]],
        text: (x) => `${format(x, 4)} ms`,
      },
      () => state[state.active][name],
      (value, settled) => {
        state[state.active] = { ...state[state.active], [name]: value };
        settled ? settle() : soon(draw);
      },
    ),
  }));
  const presets = Object.entries(info.protocol).map(([name, timing]) =>
    button(name, () => shared.set({ [state.active]: { ...timing } }), { "aria-label": `${name} of the protocol` }),
  );
  const curves = Object.entries(CURVES).map(([name, words]) => curvePanel(name, info.bounds[name], words, info));
  const reading = make("p", { class: "dx-reading cx-reading" });
  const live = announcer();
  root.append(
    heading(
      model,
      "What makes a tissue bright?",
      "Choose an image, then move TR, TE and TI: its tissues follow their curves. A lesion is bright, dark or hidden by choice of these times alone.",
      [info.title, sliceOf(info), "one set of times for each tissue; no noise"],
    ),
    make(
      "div",
      { class: "dx-controls" },
      active.group,
      make(
        "div",
        { class: "cx-presets", role: "group", "aria-label": "Protocol" },
        make("small", {}, "Protocol"),
        ...presets,
      ),
      sequence.group,
      marking.group,
    ),
    make("div", { class: "cx-sliders" }, ...sliders.map((s) => s.group)),
    make(
      "div",
      { class: "cx-parts" },
      make("div", { class: "cx-images" }, ...panels.map((p) => p.figure)),
      make("div", {}, legend(), make("div", { class: "cx-charts" }, ...curves.map((c) => c.element))),
    ),
    reading,
    live,
  );

  /** The outline of what is lesion to a third or more, four screen pixels for one of the image. */
  function outline(canvas) {
    const zoom = 4;
    [canvas.width, canvas.height] = [columns * zoom, rows * zoom];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const share = fractions.lesion;
    if (!context || !share || !state.lesions) return;
    const inside = (r, c) => r >= 0 && c >= 0 && r < rows && c < columns && share[r * columns + c] > 0.3;
    context.strokeStyle = "#ffb000";
    context.lineWidth = 1.6;
    context.beginPath();
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) {
        if (!inside(r, c)) continue;
        const [x, y] = [c * zoom, r * zoom];
        for (const [dr, dc, x0, y0, x1, y1] of [
          [-1, 0, 0, 0, zoom, 0],
          [1, 0, 0, zoom, zoom, zoom],
          [0, -1, 0, 0, 0, zoom],
          [0, 1, zoom, 0, zoom, zoom],
        ])
          if (!inside(r + dr, c + dc)) {
            context.moveTo(x + x0, y + y0);
            context.lineTo(x + x1, y + y1);
          }
      }
    context.stroke();
  }
  function draw() {
    for (const { side, canvas, title, times, scale, figure } of panels) {
      const { sequence: kind, TR, TE, TI } = state[side];
      const values = image(side);
      const high = extent(values);
      paint(canvas, values, info.shape, 0, high, "grey");
      scale.set(0, high);
      title.textContent = kind;
      times.textContent = `TR ${format(TR, 4)}, TE ${format(TE, 4)}${kind === "inversion recovery" ? `, TI ${format(TI, 4)}` : ""} ms`;
      canvas.setAttribute("aria-label", `${side} image: ${kind}, ${times.textContent}`);
      figure.classList.toggle("cx-active", side === state.active);
    }
    for (const curve of curves) curve.draw(state[state.active]);
    const apart = (side) => {
      const found = signals(side);
      const difference = found.lesion - found.white;
      return `${side} ${difference > 0 ? "+" : "−"}${format(Math.abs(difference))}`;
    };
    reading.textContent = `A lesion's signal minus that of white matter: ${SIDES.map(apart).join(", ")} (1: fully relaxed water). Each image's white is its own largest signal.`;
  }
  /** What follows the controls. */
  function update() {
    for (const part of [active, sequence, marking, ...sliders]) part.sync();
    for (const { name, group } of sliders)
      group.hidden = name === "TI" && state[state.active].sequence !== "inversion recovery";
    for (const { marks } of panels) outline(marks);
    draw();
  }
  function say() {
    const found = signals(state.active);
    live.textContent = `${state.active} image: ${SHOWN.map((name) => `${name} ${format(found[name])}`).join(", ")}.`;
  }

  shared.read();
  root.explorer = { state, signals, image, numbers: () => ({ values: image(state.active), size: info.shape }) };
  return () => shared.stop();
}

const { render, standalone } = widget(build, "contrast");
export { standalone };
export default { render };
