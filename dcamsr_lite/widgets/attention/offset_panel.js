// Attention to pixels around each query: where this one looks, and an arrow for every few pixels of the head.

import { ARROWS, arrowField } from "../shared/arrow_field.js";
import { colourBar, paint } from "../shared/colours.js";
import { make, place } from "../shared/elements.js";
import { follow } from "../shared/input.js";
import { extent } from "../shared/numbers.js";
import { arrows, inWords, offset, summary } from "../shared/offsets.js";

/** @typedef {import("./view.js").View} View */

/** @param {View} view */
export function offsetPanel(view) {
  const { state, size, info } = view;
  const field = arrowField(size);
  const reference = { size, image: view.images.reference, white: info.windows.reference };
  field.draw(reference.image, reference.white);
  const near = make("canvas", { role: "img" });
  const bar = colourBar("signed", "weight");
  const own = make("div", { class: "dx-own", title: "its own place" });
  const here = make("div", { class: "dx-frame dx-near" }, near, own);
  const cross = make("div", { class: "dx-mark" });
  here.append(cross);
  const around = make("b", { class: "dx-around" });
  const words = make("p", { class: "dx-reading" });
  const what = make("p", { class: "dx-what" });
  const element = make(
    "section",
    { class: "dx-card dx-wide" },
    make("h3", {}, "Where does every place look?"),
    words,
    make(
      "div",
      { class: "dx-places" },
      field.element,
      make("figure", {}, make("figcaption", {}, around), here, bar.bar, what),
    ),
  );
  let all = "";
  let drawn = "";

  function update() {
    const { level } = view;
    element.hidden = !level.window;
    if (!level.window) return;
    const name = `${state.network} ${state.level} ${state.head}`;
    if (name === drawn) return;
    drawn = name;
    const found = arrows(reference, (...place) => {
      const at = place.map((x, axis) => Math.floor((x + info.offset[axis]) / state.level));
      const weights = level.weights(state.head, at[0] * level.columns + at[1]);
      return offset(weights, level.window ?? 1, state.level);
    });
    all = summary(found);
    what.textContent = `level ${state.level}. White circle: the place itself. Square, in this view: where it looks. ${ARROWS}`;
    field.name(`reference with arrows. ${all}`);
    field.point(found);
    around.textContent = `the ${level.window} × ${level.window} pixels around it`;
  }
  /** @param {import("./view.js").Query} query */
  function show({ at, drawn: shown, weights, mark }) {
    const { window } = view.level;
    if (!window) return;
    const high = extent(shown);
    paint(near, Float32Array.from(shown), [window, window], -high, high, "signed");
    near.setAttribute("aria-label", `weights of the ${window} by ${window} pixels around this place`);
    bar.set(-high, high);
    const [down, right] = offset(weights, window, state.level);
    const centre = (x) => (window - 1) / 2 + x / state.level + 0.5;
    place(cross, [window, window], centre(down), centre(right), 0, 0);
    mark(field.mark);
    const far = inWords([down, right]);
    words.textContent = `Row ${at[0]}, column ${at[1]} looks ${far ? `${far}, in pixels of the reference` : "at its own place"}. ${all}`;
  }
  follow(field.element, size, view.cursor);
  return { element, update, show, said: () => words.textContent };
}
