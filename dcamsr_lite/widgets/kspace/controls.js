// The controls of the k-space explorer.

import { choice, slider } from "../shared/controls.js";
import { button, make } from "../shared/elements.js";
import { format } from "../shared/numbers.js";

/**
 * @param {import("./view.js").View} view
 * @param {import("../shared/state.js").Bind} bind
 * @param {(changes: object, settled: boolean) => void} slide writes while a slider moves
 */
export function controlPanel({ size, state }, bind, slide) {
  const rescale = choice(
    "Brightness",
    [
      [true, "rescaled", "divided by the brightening of the crop"],
      [false, "as it comes"],
    ],
    ...bind("rescale"),
  );
  const choices = [
    choice(
      "Shape",
      [
        ["box", "box"],
        ["lines", "lines", "phase-encoding lines, the readout whole"],
        ["disc", "disc"],
      ],
      ...bind("shape"),
    ),
    choice(
      "Window",
      [
        ["none", "none"],
        ["hann", "Hann"],
        ["tukey", "Tukey"],
      ],
      ...bind("window"),
    ),
    choice(
      "Matrix",
      [
        ["zero-filled", "zero-filled", "zero-filled to full size"],
        ["acquired", "as acquired", "the small image as acquired"],
      ],
      ...bind("matrix"),
    ),
    rescale,
    choice(
      "Grey",
      [
        [false, "fixed", "white as in the full image"],
        [true, "stretched", "white as in this image: what a faint one holds"],
      ],
      ...bind("stretch"),
    ),
  ];
  const share = (name, label, whole, bounds) =>
    slider(
      label,
      { kind: "kx-slider", bounds, text: (x) => `${format(100 * x)} % of ${whole}` },
      () => state[name],
      (value, settled) => slide({ [name]: value }, settled),
    );
  const taper = share("taper", "Tukey width", "the box", [0, 1, 0.05]);
  const noise = share("noise", "Noise", "maximum", [0, 0.2, 0.005]);

  /** A box of these sides in the centre. */
  const centred = (sides) => [...size.map((n, i) => (n >> 1) - (sides[i] >> 1)), ...sides];
  const [, setBox] = bind("box");
  const preset = (text, hint, sides) => {
    const element = button(text, () => setBox(centred(sides())), { title: hint, "aria-label": `Box: ${hint}` });
    return {
      element,
      sync: () => element.setAttribute("aria-pressed", String(String(centred(sides())) === String(state.box))),
    };
  };
  const presets = [
    [1, "full"],
    [2, "2×"],
    [4, "4×"],
    [8, "8×"],
  ].map(([scale, text]) =>
    preset(text, scale === 1 ? "all of k-space" : `the centre 1/${scale} of each axis`, () =>
      size.map((n) => Math.max(1, Math.floor(n / +scale))),
    ),
  );
  const centre = preset("centre", "moved to the centre", () => state.box.slice(2)).element;
  const element = make(
    "div",
    { class: "dx-controls" },
    make(
      "div",
      { class: "kx-presets", role: "group", "aria-label": "Box" },
      make("small", {}, "Box"),
      ...presets.map((p) => p.element),
      centre,
    ),
    ...choices.map((c) => c.group),
    taper.group,
    noise.group,
  );

  function sync() {
    for (const part of [...choices, noise, taper]) part.sync();
    rescale.group.hidden = state.matrix !== "acquired";
    taper.group.hidden = state.window !== "tukey";
  }
  return { element, sync, syncPresets: () => presets.forEach((p) => p.sync()) };
}
