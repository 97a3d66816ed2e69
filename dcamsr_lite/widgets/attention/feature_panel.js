// A signed feature map with its colour bar, the cursor, and the value under it.

import { colourBar, paint } from "../shared/colours.js";
import { make } from "../shared/elements.js";
import { follow } from "../shared/input.js";
import { extent, format } from "../shared/numbers.js";
import { frame } from "../shared/panels.js";
import { overImage } from "./view.js";

/** @param {import("./view.js").View} view */
export function featurePanel(view) {
  const canvas = make("canvas", { class: "dx-overlay", role: "img" });
  const value = make("output");
  const name = make("b");
  const { element, mark } = frame(view.size, canvas);
  const bar = colourBar("signed", "feature value");
  element.classList.add("dx-foot");
  const figure = make("figure", {}, make("figcaption", {}, name, value), element, bar.bar);
  const [top, left] = view.info.offset;
  /** @type {{ values: Float32Array, size: number[] }} */
  let map;
  function draw(drawn, words) {
    map = drawn;
    const high = extent(map.values);
    paint(canvas, map.values, map.size, -high, high, "signed");
    overImage(canvas, view);
    canvas.setAttribute("aria-label", words);
    name.textContent = words;
    bar.set(-high, high);
  }
  /**
   * The value under the cursor, which is `at` a pixel of the image; the map covers the padded grid.
   * @param {number[]} at
   * @param {import("./view.js").Query["mark"]} moved
   */
  function read(at, moved) {
    const [r, c] = [at[0] + top, at[1] + left].map((x, i) => Math.floor((x * map.size[i]) / view.info.grid[i]));
    value.textContent = format(map.values[r * map.size[1] + c]);
    moved(mark);
  }
  follow(element, view.size, view.cursor);
  return { figure, draw, read };
}
