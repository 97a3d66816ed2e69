// Attention to pixels around each query: where this one looks, and an arrow for every few pixels of the head.

import { colourBar, paint } from "../shared/colours.js";
import { make, place, shape } from "../shared/elements.js";
import { follow } from "../shared/input.js";
import { extent } from "../shared/numbers.js";
import { frame } from "../shared/panels.js";
import { arrows, inWords, offset, summary } from "./offsets.js";

/** @typedef {import("./view.js").View} View */

const LONGER = 3; // than they are: two pixels would hardly be seen

/** @param {View} view */
export function offsetPanel(view) {
  const { state, size, info } = view;
  const ground = make("canvas", { role: "img" });
  paint(ground, view.images.reference, size, 0, info.windows.reference, "grey");
  const lines = shape("path", { class: "dx-offsets" });
  const dots = shape("path", { class: "dx-offsets dx-starts" });
  const drawing = shape("svg", { viewBox: `0 0 ${size[1]} ${size[0]}`, "aria-hidden": "true" }, lines, dots);
  const field = frame(size, ground, /** @type {any} */ (drawing));
  field.element.classList.add("dx-field");
  const near = make("canvas", { role: "img" });
  const bar = colourBar("signed", "weight");
  const here = make("div", { class: "dx-frame", style: "aspect-ratio:1" }, near);
  const cross = make("div", { class: "dx-mark" });
  here.append(cross);
  const around = make("b");
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
    const found = arrows(level, {
      head: state.head,
      scale: state.level,
      corner: info.offset,
      size,
      image: view.images.reference,
      white: info.windows.reference,
    });
    all = summary(found);
    what.textContent = `level ${state.level}. Arrows: from a place to where in the reference it looks, drawn ${LONGER} times as long.`;
    ground.setAttribute("aria-label", `reference with arrows. ${all}`);
    lines.setAttribute("d", found.map(line).join(""));
    dots.setAttribute("d", found.map(({ row, column }) => `M${column + 0.5} ${row + 0.5}h0`).join(""));
    around.textContent = `its ${level.window} × ${level.window} pixels around`;
  }
  function line({ row, column, offset: [down, right] }) {
    return `M${column + 0.5} ${row + 0.5}l${(LONGER * right).toFixed(2)} ${(LONGER * down).toFixed(2)}`;
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
