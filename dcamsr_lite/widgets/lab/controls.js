// The controls of the lab: switches of the attention, what becomes of the reference, and lesions.

import { choice, slider } from "../shared/controls.js";
import { button, card, make } from "../shared/elements.js";
import { format } from "../shared/numbers.js";
import { STATES, keyOf } from "./intervention.js";
import { GLYPHS, switches } from "./switches.js";

const CHOICES = {
  own: "its own reference",
  blank: "a blank reference",
  noise: "noise",
  other: "the reference of another subject",
  target: "the target itself",
};

const paragraph = (text) => make("p", { class: "dx-what" }, text);

/**
 * @param {import("./view.js").View} view
 * @param {(settled?: boolean) => void} change when the state has changed
 */
function attentionCard(view, change) {
  const { info } = view;
  const grids = info.branches.map((branch) => {
    const write = (places, to) => {
      for (const [l, h] of places) view.state.grid[branch][l][h] = to;
      change();
    };
    return { branch, ...switches(branch, info, (l, h) => view.state.grid[branch][l][h], write) };
  });
  const legend = make(
    "p",
    { class: "dx-legend" },
    ...STATES.flatMap((s) => [
      make("i", { class: "dx-switch", "data-state": s, "aria-hidden": "true" }, GLYPHS[s]),
      ` ${s}`,
    ]),
  );
  const element = card(
    "Attention",
    paragraph("Click a head, a level's name or a head's number: from on to off (zero) to uniform (all weights alike)."),
    ...grids.map(({ branch, group }) =>
      make("div", { class: "dx-branch" }, make("b", {}, `${branch}: levels by heads`), group),
    ),
    legend,
  );
  return { element, sync: () => grids.forEach((grid) => grid.sync()) };
}

const range = (label, unit, bounds, read, write) =>
  slider(
    label,
    { kind: "dx-range", hint: `${label}, ${unit}`, bounds, text: (x) => `${format(x)} ${unit}` },
    read,
    write,
  );

/**
 * @param {import("./view.js").View} view
 * @param {(settled?: boolean) => void} change
 */
function referenceCard(view, change) {
  const reference = choice(
    "Use",
    view.info.references.map((name) => [name, name, CHOICES[name]]),
    () => view.state.reference,
    (name) => {
      view.state.reference = name;
      change();
    },
  );
  const slide = (label, unit, bounds, read, set) =>
    range(label, unit, bounds, read, (value, settled) => {
      set(value);
      change(settled);
    });
  const ranges = [
    slide(
      "down",
      "px",
      [-8, 8, 0.25],
      () => view.state.shift[0],
      (x) => {
        view.state.shift[0] = x;
      },
    ),
    slide(
      "right",
      "px",
      [-8, 8, 0.25],
      () => view.state.shift[1],
      (x) => {
        view.state.shift[1] = x;
      },
    ),
    slide(
      "turn",
      "°",
      [-20, 20, 0.5],
      () => view.state.rotate,
      (x) => {
        view.state.rotate = x;
      },
    ),
    slide(
      "blur",
      "px",
      [0, 6, 0.25],
      () => view.state.blur,
      (x) => {
        view.state.blur = x;
      },
    ),
  ];
  const element = card(
    "Reference",
    paragraph("What guides the network; then blurred, turned (counter-clockwise) and moved."),
    make("div", { class: "dx-controls" }, reference.group),
    ...ranges.map((r) => r.group),
  );
  return { element, sync: () => [reference, ...ranges].forEach((part) => part.sync()) };
}

/**
 * @param {import("./view.js").View} view
 * @param {(settled?: boolean) => void} change
 * @param {() => void} handled when the brush has changed
 */
function lesionCard(view, change, handled) {
  const { brush } = view;
  const images = view.info.references.includes("target") ? ["reference", "target"] : ["reference"];
  /** @type {import("../shared/state.js").Bind} */
  const handle = (name) => [
    () => brush[name],
    (value) => {
      brush[name] = value;
      handled();
    },
  ];
  const tools = [
    choice(
      "Click",
      [
        ["look", "looks"],
        ["paint", "paints"],
        ["remove", "removes"],
      ],
      ...handle("mode"),
    ),
    choice(
      "In",
      images.map((name) => [name, name]),
      ...handle("image"),
    ),
  ];
  const radius = range("radius", "px", [1, 16, 0.5], ...handle("radius"));
  const strength = range("strength", "of white", [-1, 1, 0.05], ...handle("strength"));
  const undo = button("Undo last", () => {
    view.state.lesions.pop();
    change();
  });
  const clear = button("Clear", () => {
    view.state.lesions = [];
    change();
  });
  const element = card(
    "Lesion",
    paragraph("In one image only. With the target, the input is degraded anew."),
    make("div", { class: "dx-controls" }, ...tools.map((t) => t.group)),
    radius.group,
    strength.group,
    make("div", { class: "dx-buttons" }, undo, clear),
  );
  function sync() {
    for (const part of [...tools, radius, strength]) part.sync();
    undo.disabled = clear.disabled = !view.state.lesions.length;
    strength.group.hidden = brush.mode === "remove";
  }
  return { element, sync };
}

/**
 * @param {import("./view.js").View} view
 * @param {(settled?: boolean) => void} change when the state has changed, and whether it stays so
 * @param {() => void} handled when the brush has changed
 */
export function controlPanel(view, change, handled) {
  const cards = [attentionCard(view, change), referenceCard(view, change), lesionCard(view, change, handled)];
  const reset = button("Reset", () => {
    view.state = view.adopt({});
    change();
  });
  function sync() {
    for (const one of cards) one.sync();
    reset.disabled = keyOf(view.state) === keyOf(view.adopt({}));
  }
  return { element: make("div", { class: "dx-lab-controls" }, ...cards.map((c) => c.element)), reset, sync };
}
