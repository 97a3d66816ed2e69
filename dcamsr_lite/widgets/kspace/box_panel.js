// k-space, and the box on it.

import { colourBar, paint } from "../shared/colours.js";
import { make, place } from "../shared/elements.js";
import { pointIn, steps } from "../shared/input.js";
import { clamp, extent } from "../shared/numbers.js";
import { frame } from "../shared/panels.js";
import { covered } from "./samples.js";

/** @typedef {import("./view.js").View} View */

/**
 * A box at another corner; it stays in k-space.
 * @param {number[]} box
 * @param {number[]} corner
 * @param {number[]} size
 */
const moved = ([, , height, width], corner, size) => [
  ...corner.map((x, i) => clamp(Math.round(x), 0, size[i] - [height, width][i])),
  height,
  width,
];

/**
 * A box of another size about its own centre; it stays in k-space.
 * @param {number[]} box
 * @param {number[]} sides
 * @param {number[]} size
 */
function sized([row, column, height, width], sides, size) {
  const centre = [row + (height >> 1), column + (width >> 1)];
  const fit = sides.map((side, i) =>
    clamp(Math.round(side), 1, Math.min(2 * centre[i] + 1, 2 * (size[i] - centre[i]))),
  );
  return [...centre.map((c, i) => c - (fit[i] >> 1)), ...fit];
}

/**
 * Drag the inside of the box to move it, an edge or a corner to size it; elsewhere it comes to the pointer.
 * @param {HTMLElement} element
 * @param {View} view
 * @param {(box: number[]) => void} change
 * @param {() => void} settled
 */
function drag(element, { size, state }, change, settled) {
  /** @type {{ pointer: number[], resize: boolean[], box: number[], before: number[] } | null} */
  let from = null;
  function at(event) {
    // of lines, the row does not matter: it stays the box's own
    const [row, column] = pointIn(event, element, size);
    return [state.shape === "lines" ? state.box[0] + state.box[2] / 2 : row, column];
  }
  function grab(event) {
    const frame = element.getBoundingClientRect();
    const pointer = at(event);
    const [row, column, height, width] = covered(state, size);
    const reach = event.pointerType === "touch" ? 20 : 10; // screen pixels on either side of an edge
    const edges = [
      [row, height, frame.height / size[0]],
      [column, width, frame.width / size[1]],
    ].map(([low, length, unit], i) => {
      const inner = Math.min(reach, (length * unit) / 4) / unit;
      const outer = reach / unit;
      const x = pointer[i];
      const near = (x > low - outer && x < low + inner) || (x > low + length - inner && x < low + length + outer);
      return { near, within: x > low - outer && x < low + length + outer };
    });
    if (state.shape === "lines") edges[0] = { near: false, within: true };
    const on = edges.every((edge) => edge.within);
    return { pointer, on, resize: edges.map((edge) => on && edge.near) };
  }
  function pull(event, { pointer: start, box, resize }) {
    const pointer = at(event);
    const centre = [box[0] + box[2] / 2, box[1] + box[3] / 2];
    if (!resize.some(Boolean))
      return change(
        moved(
          box,
          [0, 1].map((i) => box[i] + pointer[i] - start[i]),
          size,
        ),
      );
    const grown = [0, 1].map((i) => 2 * (Math.abs(pointer[i] - centre[i]) - Math.abs(start[i] - centre[i])));
    return change(
      sized(
        box,
        [0, 1].map((i) => box[2 + i] + (resize[i] ? grown[i] : 0)),
        size,
      ),
    );
  }
  element.addEventListener("pointerdown", (event) => {
    const { pointer, on, resize } = grab(event);
    const [, , height, width] = state.box;
    const start = on ? state.box : moved(state.box, [pointer[0] - height / 2, pointer[1] - width / 2], size);
    from = { pointer, resize, box: start, before: state.box };
    element.setPointerCapture(event.pointerId);
    change(start);
  });
  element.addEventListener("pointermove", (event) => {
    if (from) return pull(event, from);
    const {
      on,
      resize: [down, along],
    } = grab(event);
    element.style.cursor = !on
      ? "crosshair"
      : down && along
        ? "nwse-resize"
        : down
          ? "ns-resize"
          : along
            ? "ew-resize"
            : "move";
  });
  const end = () => {
    if (from) settled();
    from = null;
  };
  element.addEventListener("pointerup", end);
  element.addEventListener("pointercancel", () => {
    if (from) change(from.before);
    end();
  }); // a finger that scrolls the page
}

/**
 * @param {View} view
 * @param {{ drag: (box: number[]) => void, step: (box: number[]) => void, settle: () => void }} actions
 */
export function boxPanel(view, actions) {
  const { size, state, data } = view;
  const canvas = make("canvas", { role: "img", "aria-label": "magnitude of k-space, logarithmic" });
  const ground = frame(size, canvas);
  const bar = colourBar("viridis", "log₁₀ of the magnitude over its largest");
  const count = make("output");
  const box = make(
    "div",
    { class: "kx-box", tabindex: 0, role: "application" },
    make("i"),
    ...["nw", "n", "ne", "e", "se", "s", "sw", "w"].map((at) => make("u", { class: `kx-${at}` })),
  );
  ground.mark.replaceWith(box);
  const strongest = extent(data.power);
  const log = data.power.map((x) => 0.5 * Math.log10(x / strongest + 1e-30));
  const measured = log.filter((x) => x > -10).sort(); // samples that were never acquired are zero
  // at most -1: the k-space of a point is flat, and all of it as strong as its strongest
  const floor = Math.min(-1, Math.max(-6, Math.floor(2 * measured[Math.floor(measured.length / 100)]) / 2));
  paint(canvas, log, size, floor, 0, "viridis");
  bar.set(floor, 0);

  function draw() {
    const [row, column, height, width] = covered(state, size);
    place(box, size, row, column, height, width);
    for (const shape of ["disc", "lines"]) box.classList.toggle(`kx-${shape}`, state.shape === shape);
    count.textContent = `${height} × ${width} of ${size.join(" × ")}`;
  }
  /** Where the box is, in words. */
  function said() {
    const [row, column, height, width] = covered(state, size);
    const away = [row + (height >> 1) - (size[0] >> 1), column + (width >> 1) - (size[1] >> 1)];
    const where = `Box of ${height} × ${width} samples, ${away.some(Boolean) ? `${away[0]} rows and ${away[1]} columns off the centre` : "centred"}`;
    box.setAttribute(
      "aria-label",
      `${where}. Arrow keys move it; with shift, right and down widen it, left and up narrow it.`,
    );
    return where;
  }
  drag(ground.element, view, actions.drag, actions.settle);
  steps(
    box,
    (rows, columns, { shiftKey }) => {
      const [row, column, height, width] = state.box;
      const down = state.shape === "lines" ? 0 : rows;
      actions.step(
        shiftKey
          ? sized(state.box, [height + down, width + columns], size)
          : moved(state.box, [row + down, column + columns], size),
      );
    },
    actions.settle,
  );
  const figure = make("figure", {}, make("figcaption", {}, make("b", {}, "k-space"), count), ground.element, bar.bar);
  return { figure, draw, said };
}
