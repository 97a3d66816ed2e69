// The images with the patch: drag one, click to move it, arrow keys move it, shift and arrows resize it.

import { make, place } from "../shared/elements.js";
import { follow, steps } from "../shared/input.js";
import { distance, window995 } from "../shared/numbers.js";
import { panel, qualityNote } from "../shared/panels.js";

/**
 * @param {HTMLElement} mark
 * @param {number[]} size
 * @param {number[]} patch
 */
export const markAt = (mark, size, [r, c, h, w]) => place(mark, size, r + h / 2, c + w / 2, h, w);

/**
 * @param {import("./view.js").View} view
 * @param {(patch: number[]) => void} change
 * @param {() => void} settle
 */
export function patchPanels(view, change, settle) {
  const { info, size, images, state } = view;
  const panels = Object.keys(images).map((name) => {
    const error = name === "error";
    const high = error ? window995(distance(images.low, images.target)) : info.windows[name];
    const shown = panel(
      info.titles[name],
      size,
      error ? { colours: "viridis", unit: "% of white" } : { note: qualityNote(info.quality[name], name) },
    );
    shown.draw(images[name], high, (100 * high) / info.windows.output);
    return shown;
  });
  const element = make(
    "div",
    {
      class: "dx-panels",
      tabindex: 0,
      role: "application",
      "aria-label": "Patch. Arrow keys move it one pixel, with shift they resize it.",
    },
    ...panels.map((p) => p.figure),
  );

  /** @type {{ at: number[], patch: number[] } | null} */
  let anchor = null;
  function look(r, c) {
    anchor ??= { at: [r, c], patch: state.patch };
    const {
      at: [r0, c0],
      patch: [, , h, w],
    } = anchor;
    const far = [Math.abs(r - r0), Math.abs(c - c0)];
    change(
      Math.max(...far) < 2 // a click moves, a drag draws
        ? [r - h / 2, c - w / 2, h, w]
        : [Math.min(r, r0), Math.min(c, c0), far[0] + 1, far[1] + 1],
    );
  }
  function stay() {
    anchor = null;
    settle();
  }
  function leave() {
    if (anchor) change(anchor.patch);
    anchor = null;
  }
  for (const { element: framed } of panels) follow(framed, size, { look, stay, leave });
  steps(
    element,
    (dr, dc, { shiftKey }) => {
      const [r, c, h, w] = state.patch;
      change(shiftKey ? [r, c, h + dr, w + dc] : [r + dr, c + dc, h, w]);
    },
    settle,
  );
  return { element, update: () => panels.forEach(({ mark }) => markAt(mark, size, state.patch)) };
}
