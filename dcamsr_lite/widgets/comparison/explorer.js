// Images of one place: two under a line to drag, all of them magnified beside it.
//
// For tests, the root element has a property `explorer`: .state is what is on screen, .lens(name) the values that are
// magnified of an image.

import { colourBar, paint } from "../shared/colours.js";
import { choice, slider } from "../shared/controls.js";
import { announcer, make, place } from "../shared/elements.js";
import { eachFrame, pointIn, strides } from "../shared/input.js";
import { clamp, format, unpackAll } from "../shared/numbers.js";
import { heading, widget } from "../shared/page.js";
import { shareState } from "../shared/state.js";

/**
 * @param {import("../shared/page.js").Model} model
 * @param {import("../shared/page.js").Root} root
 */
function build(model, root) {
  const { names, shape, white, half, title } = model.get("info");
  const [rows, columns] = shape;
  const images = unpackAll(model.get("images"));
  const state = { left: "", right: "", at: 0.5, point: [0, 0] };
  const { soon, flush } = eachFrame();
  const shared = shareState(model, Object.keys(state), state, draw);
  const settle = () => {
    flush();
    shared.save();
    live.textContent = said();
  };

  const [under, over] = [0, 1].map(() => make("canvas", { role: "img" }));
  const words = [make("span", { class: "mx-name" }), make("span", { class: "mx-name mx-right" })];
  const line = make("div", { class: "mx-line" });
  const box = make("div", { class: "mx-box" });
  const frame = make(
    "div",
    {
      class: "dx-frame mx-frame",
      style: `aspect-ratio:${columns}/${rows}`,
      tabindex: "0",
      role: "application",
      "aria-label": "Images. Drag moves the line; arrow keys move the magnified part, with shift eight pixels.",
    },
    under,
    over,
    ...words,
    box,
    line,
  );
  const lenses = names.map((name) => {
    const canvas = make("canvas", { role: "img", "aria-label": `${name}, magnified` });
    return { name, canvas, figure: make("figure", {}, make("figcaption", {}, make("b", {}, name)), canvas) };
  });
  const swipe = slider(
    "Line",
    {
      kind: "mx-swipe",
      hint: "Line between the two images",
      bounds: [0, 1, 0.01],
      text: (x) => `${Math.round(100 * x)} %`,
    },
    () => state.at,
    (value, settled) => move(value, settled),
  );
  const choices = ["left", "right"].map((side) =>
    choice(
      side === "left" ? "Left" : "Right",
      names.map((name) => [name, name]),
      ...shared.bind(side),
    ),
  );
  const scale = colourBar("grey", "signal, a.u.");
  scale.set(0, white);
  const live = announcer();
  root.append(
    heading(model, "Swipe", "Drag the line over the image; point at a place to magnify it.", [title]),
    make("div", { class: "dx-controls" }, ...choices.map((c) => c.group)),
    make(
      "div",
      { class: "mx-parts" },
      make("div", {}, frame, swipe.group, scale.bar),
      make("div", { class: "mx-lenses" }, ...lenses.map((l) => l.figure)),
    ),
    live,
  );

  function move(value, settled) {
    state.at = clamp(value, 0, 1);
    settled ? settle() : soon(draw);
  }
  function look(row, column) {
    state.point = [clamp(row, 0, rows - 1), clamp(column, 0, columns - 1)];
    soon(draw);
  }
  let down = false;
  const across = (event) => pointIn(event, frame, shape)[1] / columns;
  frame.addEventListener("pointerdown", (event) => {
    down = true;
    frame.setPointerCapture(event.pointerId);
    move(across(event), false);
  });
  frame.addEventListener("pointermove", (event) => {
    if (down) return move(across(event), false);
    const [row, column] = pointIn(event, frame, shape).map(Math.floor);
    look(row, column);
  });
  for (const end of ["pointerup", "pointercancel"])
    frame.addEventListener(end, () => {
      down = false;
      settle();
    });
  strides(frame, (dr, dc) => look(state.point[0] + dr, state.point[1] + dc), settle);

  /** The square around the point, moved into the image. */
  function corner() {
    const side = Math.min(2 * half, rows, columns);
    const [top, left] = state.point.map((x, i) => clamp(x - half, 0, shape[i] - side));
    return { side, top, left };
  }
  function lens(name) {
    const { side, top, left } = corner();
    return Float32Array.from({ length: side * side }, (_, i) => {
      return images[name][(top + Math.floor(i / side)) * columns + left + (i % side)];
    });
  }
  function draw() {
    paint(under, images[state.left], shape, 0, white, "grey");
    paint(over, images[state.right], shape, 0, white, "grey");
    over.style.clipPath = `inset(0 0 0 ${100 * state.at}%)`;
    line.style.left = `${100 * state.at}%`;
    const { side, top, left } = corner();
    place(box, shape, top, left, side, side);
    for (const { name, canvas } of lenses) paint(canvas, lens(name), [side, side], 0, white, "grey");
    [state.left, state.right].forEach((name, i) => {
      words[i].textContent = name;
      [under, over][i].setAttribute("aria-label", name);
    });
    swipe.sync();
    for (const part of choices) part.sync();
  }
  function said() {
    const [row, column] = state.point;
    const values = names.map((name) => `${name} ${format(images[name][row * columns + column])}`);
    return `Row ${row}, column ${column}: ${values.join(", ")}.`;
  }

  shared.read();
  root.explorer = { state, lens, numbers: () => ({ values: images[state.left], size: shape }) };
  return () => shared.stop();
}

const { render, standalone } = widget(build, "comparison");
export { standalone };
export default { render };
