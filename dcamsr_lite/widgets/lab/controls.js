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

const NO_PAINT =
  "A saved page does not answer what you paint, for here is no kernel to run the network. Open the lab in a notebook.";

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
    const doubt = (places, to) => view.doubt((state) => places.forEach(([l, h]) => (state.grid[branch][l][h] = to)));
    return { branch, ...switches(branch, info, (l, h) => view.state.grid[branch][l][h], write, doubt) };
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

const range = (label, unit, bounds, note, read, write, snap = (value, _way) => value) =>
  slider(
    label,
    { kind: "dx-range", hint: `${label}, ${unit}`, bounds, note, snap, text: (x) => `${format(x)} ${unit}` },
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
    (name) => view.doubt((state) => (state.reference = name)),
    false,
  );
  /** @type {(() => string)[]} */
  const notes = [];
  /**
   * A saved page says which places of a slider it has answers to.
   * @param {(state: import("./intervention.js").State, value: number) => void} set
   */
  const slide = (label, unit, bounds, read, set) => {
    const [low, high, step] = bounds;
    const places = Array.from({ length: (high - low) / step + 1 }, (_, i) => low + i * step);
    const stored = () => places.filter((x) => !view.doubt((state) => set(state, x)));
    const note = () => {
      if (!view.alone) return "";
      const known = stored().map((x) => format(x));
      return known.length ? `${label} ${known.join(", ")} ${unit}` : `${label} none`;
    };
    notes.push(note);
    /** A saved page goes from one place that it has an answer to, to the next. */
    const snap = (value, way) => {
      if (!view.alone) return value;
      const open = stored().filter((x) => way * (x - read()) >= 0 && !(way && x === read()));
      return open.length ? open.reduce((a, b) => (Math.abs(b - value) < Math.abs(a - value) ? b : a)) : read();
    };
    const write = (value, settled) => {
      set(view.state, value);
      change(settled);
    };
    return range(label, unit, bounds, note, read, write, snap);
  };
  const ranges = [
    slide(
      "down",
      "px",
      [-8, 8, 0.25],
      () => view.state.shift[0],
      (state, x) => {
        state.shift[0] = x;
      },
    ),
    slide(
      "right",
      "px",
      [-8, 8, 0.25],
      () => view.state.shift[1],
      (state, x) => {
        state.shift[1] = x;
      },
    ),
    slide(
      "turn",
      "°",
      [-20, 20, 0.5],
      () => view.state.rotate,
      (state, x) => {
        state.rotate = x;
      },
    ),
    slide(
      "blur",
      "px",
      [0, 6, 0.25],
      () => view.state.blur,
      (state, x) => {
        state.blur = x;
      },
    ),
  ];
  const known = make("p", { class: "dx-no-answer" });
  const element = card(
    "Reference",
    paragraph("What guides the network; then blurred, turned (counter-clockwise) and moved."),
    make("div", { class: "dx-controls" }, reference.group),
    ...ranges.map((r) => r.group),
    view.alone ? known : null,
  );
  function sync() {
    for (const part of [reference, ...ranges]) part.sync();
    known.textContent = `From here this page has answers to: ${notes.map((note) => note()).join("; ")}.`;
  }
  return { element, sync };
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
      (mode) => (mode === "look" ? "" : unanswered()),
      false,
    ),
    choice(
      "In",
      images.map((name) => [name, name]),
      ...handle("image"),
    ),
  ];
  const unanswered = () => (view.alone ? NO_PAINT : "");
  const radius = range("radius", "px", [1, 16, 0.5], unanswered, ...handle("radius"));
  const strength = range("strength", "of white", [-1, 1, 0.05], unanswered, ...handle("strength"));
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
    view.alone ? make("p", { class: "dx-no-answer" }, NO_PAINT) : null,
    make("div", { class: "dx-controls" }, ...tools.map((t) => t.group)),
    radius.group,
    strength.group,
    make("div", { class: "dx-buttons" }, undo, clear),
  );
  function sync() {
    for (const part of [...tools, radius, strength]) part.sync();
    for (const { group } of view.alone ? [radius, strength] : [])
      group.querySelector("input")?.setAttribute("disabled", "");
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
  const marked = make("p", { class: "dx-no-answer" });
  if (view.alone)
    marked.textContent =
      "A saved page has answers that were computed before. What is dashed or dim has none here: a notebook has.";
  const cards = [attentionCard(view, change), referenceCard(view, change), lesionCard(view, change, handled)];
  const reset = button("Reset", () => {
    view.state = view.adopt({});
    change();
  });
  function sync() {
    for (const one of cards) one.sync();
    reset.disabled = keyOf(view.state) === keyOf(view.adopt({}));
  }
  return {
    element: make("div", { class: "dx-lab-controls" }, view.alone ? marked : null, ...cards.map((c) => c.element)),
    reset,
    sync,
  };
}
