// The released merge: from where to where the values of the query's pixel were moved.

import { paint } from "../shared/colours.js";
import { card, make, place } from "../shared/elements.js";
import { follow } from "../shared/input.js";
import { format } from "../shared/numbers.js";
import { frame } from "../shared/panels.js";

/** @typedef {import("./view.js").View} View */

/** @param {View} view */
export function mergePanel(view) {
  const picture = make("canvas", { role: "img" });
  const arrow = make("div", { class: "dx-arrow" });
  const runs = make("div");
  const { element: framed, mark: marked } = frame(view.size, picture, runs, arrow);
  const text = make("div", { class: "dx-words" });
  const element = card(
    "Where did this pixel's value really come from?",
    make("div", { class: "dx-side dx-start" }, framed, text),
  );
  const [top, left] = view.info.offset;

  /** The image's rows (axis 0) or columns that pixels of the level cover: the padding is not counted. */
  function within(axis, ...at) {
    const s = view.state.level;
    const [first, end] = [Math.min(...at), Math.max(...at) + 1].map((x) => x * s - [top, left][axis]);
    const name = ["row", "column"][axis];
    const from = Math.max(first, 0);
    const last = Math.min(end, view.size[axis]) - 1;
    if (last < from) return "the zero padding";
    return from === last ? `${name} ${from}` : `${name}s ${from} to ${last}`;
  }
  /** Neighbours in a row make one run. */
  function joined(sources) {
    const parts = [];
    for (const from of sources) {
      const last = parts.at(-1);
      if (last && last.row === from.row && last.column + last.width === from.column) last.width++;
      else parts.push({ ...from, width: 1 });
    }
    return parts;
  }
  /** @param {import("./view.js").Query} query */
  function show({ row, column, mark }) {
    if (element.hidden) return;
    const { size, state, level } = view;
    const s = state.level;
    const parts = joined(level.source(row, column, true));
    runs.replaceChildren(
      ...parts.map((part) => {
        const run = make("div", { class: "dx-run" });
        place(run, size, part.row * s - top, part.column * s - left, s, part.width * s);
        return run;
      }),
    );
    mark(marked);
    const { head, feature, row: from, column: first, width } = parts[0];
    const count = level.heads * level.d;
    const each = s > 1 ? ` of level ${s}` : ""; // a pixel there covers several of the image
    const start = [from + 0.5, first + width / 2];
    const far = Math.hypot(start[0] - row - 0.5, start[1] - column - 0.5);
    draw(
      start.map((x, i) => (x * s - [top, left][i]) / size[i]),
      [row, column].map((x, i) => ((x + 0.5) * s - [top, left][i]) / size[i]),
    );
    text.replaceChildren(
      make(
        "p",
        {},
        make("b", {}, "Violet frame: "),
        `${count} pixels${each} in ${within(0, ...parts.map((part) => part.row))}, for which the network asked the reference.`,
      ),
      make(
        "p",
        {},
        make("b", {}, "White square: "),
        `${within(0, row)}, ${within(1, column)}, where the answers were written, ${format(far)} pixels${each} away.`,
      ),
      make(
        "p",
        {},
        `The ${count} values at the square should be ${count} features of one pixel. The released code merges the heads in the wrong order: they are one feature (${feature} of head ${head}) of ${count} pixels.`,
      ),
      make(
        "p",
        {},
        "Nothing is lost, but everything is moved: the layers that follow must undo it. The aligned merge of the corrected network leaves every value at its own pixel.",
      ),
    );
  }
  /**
   * A line from one place to the other, both as shares of the picture; its head is the square.
   * @param {number[]} from
   * @param {number[]} to
   */
  function draw([fromRow, fromColumn], [toRow, toColumn]) {
    const [rows, columns] = view.size;
    const down = (toRow - fromRow) * rows;
    const across = (toColumn - fromColumn) * columns;
    Object.assign(arrow.style, {
      top: `${100 * fromRow}%`,
      left: `${100 * fromColumn}%`,
      width: `${(100 * Math.hypot(down, across)) / columns}%`,
      transform: `rotate(${Math.atan2(down, across)}rad)`,
    });
  }
  function update() {
    element.hidden = view.net.merge !== "scrambled";
    paint(picture, view.images.output, view.size, 0, view.info.windows.output, "grey");
    picture.setAttribute("aria-label", "output, with the place where the query's values were computed");
  }
  follow(framed, view.size, view.cursor);
  return { element, update, show };
}
