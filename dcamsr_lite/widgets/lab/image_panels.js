// The images, with one cursor on all of them, and the lesions that were painted into them.

import { make, place } from "../shared/elements.js";
import { follow, strides } from "../shared/input.js";
import { clamp, format } from "../shared/numbers.js";
import { panel } from "../shared/panels.js";

/** @type {Record<string, import("../shared/panels.js").Look>} */
const LOOKS = {
  low: {},
  reference: {},
  target: {},
  output: {},
  change: { colours: "signed", unit: "% of white" },
  error: { colours: "viridis", unit: "% of white" },
};

/**
 * @param {import("./view.js").View} view
 * @param {(lesion: import("./intervention.js").Lesion) => void} paint
 */
export function imagePanels(view, paint) {
  const { info, size, brush, base } = view;
  const [rows, columns] = size;
  const white = info.windows.output;
  const names = Object.keys(LOOKS).filter((name) => base.target || !["target", "error"].includes(name));
  const panels = names.map((name) => {
    const spots = make("div");
    const one = panel(info.titles[name], size, LOOKS[name]);
    one.element.append(spots);
    return { name, spots, ...one };
  });
  const element = make(
    "div",
    {
      class: "dx-lab-panels",
      tabindex: 0,
      role: "application",
      "aria-label": "Images with one cursor. Arrow keys move it, with shift eight pixels; Enter paints or removes.",
    },
    ...panels.map((p) => p.figure),
  );
  let cursor = [rows >> 1, columns >> 1];

  function draw() {
    for (const { name, draw } of panels) draw(view.pixels[name], view.top(name), (100 * view.top(name)) / white);
    drawCursor();
  }
  function drawCursor() {
    const [row, column] = cursor;
    const side = brush.mode === "look" ? 1 : 2 * brush.radius;
    for (const { name, mark, value } of panels) {
      place(mark, size, row + 0.5, column + 0.5, side, side);
      if (view.pixels[name]) value.textContent = format(view.pixels[name][row * columns + column]);
    }
  }
  /** What follows the state: the lesions, and the cursor as large as the brush. */
  function sync() {
    for (const { name, spots } of panels) {
      const here = view.state.lesions.filter(
        (l) => l.image === (name === "reference" ? "reference" : "target") || name === "change",
      );
      spots.replaceChildren(
        ...here.map((l) => {
          const spot = make("div", { class: "dx-lesion" });
          place(spot, size, l.row + 0.5 - l.radius, l.column + 0.5 - l.radius, 2 * l.radius, 2 * l.radius);
          return spot;
        }),
      );
    }
    drawCursor();
  }
  const look = (row, column) => {
    cursor = [clamp(row, 0, rows - 1), clamp(column, 0, columns - 1)];
    drawCursor();
  };
  function act() {
    const [row, column] = cursor;
    const { mode, ...how } = brush;
    if (mode !== "look") paint({ ...how, row, column, remove: mode === "remove" });
  }
  for (const { element } of panels) follow(element, size, { look, hover: look, stay: act, leave: () => {} });
  strides(element, (dr, dc) => look(cursor[0] + dr, cursor[1] + dc));
  element.addEventListener("keydown", (event) => {
    if (event.target !== element || !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    act();
  });
  return { element, draw, sync };
}
