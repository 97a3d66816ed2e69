// The images, linked by one cursor; output and error follow the network.

import { make } from "../shared/elements.js";
import { follow } from "../shared/input.js";
import { distance, format, window995 } from "../shared/numbers.js";
import { QUALITY, panel, qualityNote } from "../shared/panels.js";

/** @typedef {import("./view.js").View} View */

/** @param {View} view */
export function imagePanel(view) {
  const { info, size, images } = view;
  /** @type {import("../shared/panels.js").Look} */
  const bar = { colours: "viridis", unit: "% of white" };
  const shown = Object.keys(info.titles).filter(
    (name) => name === "output" || name in images || (name === "error" && images.target),
  );
  const notes = Object.fromEntries(["low", "output"].map((name) => [name, make("div", {})]));
  const panels = shown.map((name) => ({
    name,
    ...panel(info.titles[name], size, name === "error" ? bar : { note: notes[name] ?? null }),
  }));
  const element = make(
    "div",
    {
      class: "dx-panels",
      tabindex: 0,
      role: "application",
      "aria-label": "Query pixel. Arrow keys move it one pixel of the level, with shift eight.",
    },
    ...panels.map(({ figure }) => figure),
  );
  const note = (name, quality) => notes[name].replaceChildren(qualityNote(quality, name) ?? "");
  const legend = make(
    "details",
    { class: "dx-fold" },
    make("summary", {}, "What the numbers are: □ at the square, PSNR of this slice"),
    make("p", { class: "dx-about" }, `□: the value at the square. ${QUALITY}`),
  );
  legend.hidden = !info.quality;
  // one scale for all networks, else their errors could not be compared: that of the input
  const errors = images.target ? window995(distance(images.low, images.target)) : 1;
  const window = (name) => (name === "error" ? errors : info.windows[name]);
  note("low", info.quality);
  function update() {
    note("output", view.net.quality);
    for (const { name, draw } of panels) draw(images[name], window(name), (100 * window(name)) / info.windows.output);
  }
  /** @param {import("./view.js").Query} query */
  function show({ at, mark }) {
    for (const shown of panels) {
      shown.value.textContent = format(images[shown.name][at[0] * size[1] + at[1]]);
      mark(shown.mark);
    }
  }
  for (const { element: framed } of panels) follow(framed, size, view.cursor);
  return { element, legend, update, show };
}
