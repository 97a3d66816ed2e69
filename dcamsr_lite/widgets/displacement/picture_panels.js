// The reference as it is now, with an arrow from every few places to where each looks; the output and its error.

import { ARROWS, arrowField } from "../shared/arrow_field.js";
import { make } from "../shared/elements.js";
import { panel } from "../shared/panels.js";

/** @param {import("./view.js").View} view */
export function picturePanels(view) {
  const { info, size } = view;
  const field = arrowField(size);
  const note = make("small", {}, "");
  const reference = make(
    "figure",
    {},
    make("figcaption", {}, make("b", {}, info.titles.reference)),
    field.element,
    note,
  );
  const output = panel(info.titles.output, size);
  const error = panel(info.titles.error, size, { colours: "viridis", unit: "% of white" });
  error.figure.hidden = !view.target;
  function draw() {
    const { pixels } = view;
    const arrows = view.arrows();
    field.draw(pixels.reference, info.windows.reference);
    field.point(arrows);
    field.name(`reference as used, with ${arrows.length} arrows`);
    note.textContent = view.shown.offsets
      ? ARROWS
      : `No arrows: ${view.state.network} does not look at offsets around each place.`;
    output.draw(pixels.output, info.windows.output);
    if (view.target) error.draw(pixels.error, view.errorTop, (100 * view.errorTop) / info.windows.output);
  }
  return { figures: [reference, output.figure, error.figure], draw };
}
