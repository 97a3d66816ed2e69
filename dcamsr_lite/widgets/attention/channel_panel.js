// The channel branch: its d x d matrices, the feature maps that the chosen cell compares and mixes.

import { colourBar, paint } from "../shared/colours.js";
import { card, make, place } from "../shared/elements.js";
import { strides } from "../shared/input.js";
import { clamp, extent, format } from "../shared/numbers.js";
import { featurePanel } from "./feature_panel.js";

/** @typedef {import("./view.js").View} View */

/** @param {View} view */
export function channelPanel(view) {
  const { state } = view;
  const matrices = make("div", { class: "dx-matrices" });
  const bar = colourBar("viridis", "share of the reference feature");
  const cell = make("p", { class: "dx-reading" });
  const what = make("p", { class: "dx-what" });
  const element = card("Channel attention", what, matrices, bar.bar, cell);
  const [query, key, value, mixed] = [0, 0, 0, 0].map(() => featurePanel(view));
  const panels = [query, key, value, mixed];
  const words = make("p", { class: "dx-words" });
  const maps = make(
    "section",
    { class: "dx-card dx-wide" },
    make("h3", {}, "The feature maps behind this cell"),
    make("div", { class: "dx-maps" }, ...panels.map((panel) => panel.figure)),
    words,
  );
  /** @type {{ head: number, canvas: HTMLCanvasElement, mark: HTMLElement, box: HTMLElement }[]} */
  let each = [];
  let shown = state.cell;

  function layMatrices() {
    each = [...Array(view.net.heads).keys()].map((head) => {
      const canvas = make("canvas", { role: "img", tabindex: 0, "data-head": head });
      const mark = make("div", { class: "dx-cell" });
      return {
        head,
        canvas,
        mark,
        box: make("div", {}, make("div", { class: "dx-matrix" }, canvas, mark), make("small", {}, `head ${head}`)),
      };
    });
    matrices.replaceChildren(...each.map(({ box }) => box));
  }
  /**
   * Maps and words of a cell: the one chosen, or the one under the pointer.
   * @param {number[]} cell
   */
  function read([head, i, j]) {
    const { level } = view;
    const { d } = level;
    const weight = level.matrix(head)[i * d + j];
    const alike = level.cosine(head)[i * d + j];
    shown = [head, i, j];
    for (const one of each) {
      one.mark.hidden = one.head !== head;
      one.box.classList.toggle("dx-now", one.head === head);
      place(one.mark, [d, d], i, j, 1, 1);
    }
    query.draw(level.feature("query", head, i), `query feature ${i}`);
    key.draw(level.feature("key", head, j), `key feature ${j}`);
    value.draw(level.feature("value", head, j), `value feature ${j}`);
    mixed.draw(level.mixed(head, i), `mixed into ${i}`);
    cell.textContent = `Head ${head}: query feature ${i} takes ${format(weight)} of reference feature ${j}; uniform would be ${format(1 / d)}.`;
    words.textContent =
      `Over all pixels, query feature ${i} of the input and key feature ${j} of the reference have cosine ${format(alike)}. ` +
      `The softmax over the row makes that a share of ${format(weight)}: so much of value feature ${j} goes into feature ${i}. ` +
      `The last map is the whole row: all ${d} value features of head ${head}, mixed by their shares.`;
    if (view.query) show(view.query);
  }
  function update() {
    const { level } = view;
    element.hidden = maps.hidden = state.branch !== "channel";
    if (element.hidden) return;
    if (each.length !== view.net.heads) layMatrices();
    const high = extent(level.sent("matrix").values);
    for (const { head, canvas } of each) {
      paint(canvas, level.matrix(head), [level.d, level.d], 0, high, "viridis");
      canvas.setAttribute("aria-label", `channel attention of head ${head}: arrow keys choose a cell`);
    }
    what.textContent = `level ${state.level} · one ${level.d} × ${level.d} square per head. Row (↓): a query feature of the input. Column (→): the reference feature it takes from. Point at a cell, click to keep it.`;
    bar.set(0, high);
    read(state.cell);
  }
  /** @param {import("./view.js").Query} query */
  function show({ at, mark }) {
    for (const panel of panels) panel.read(at, mark);
  }

  const inside = (x) => clamp(x, 0, view.level.d - 1);
  const pointed = ({ target, offsetX, offsetY }) => {
    if (!target.dataset.head) return null;
    const { d } = view.level;
    return [
      +target.dataset.head,
      inside(Math.floor((offsetY / target.clientHeight) * d)),
      inside(Math.floor((offsetX / target.clientWidth) * d)),
    ];
  };
  const same = (a, b) => a.every((x, i) => x === b[i]);
  matrices.addEventListener("pointermove", (event) => {
    const at = pointed(event);
    if (at && !same(at, shown)) read(at);
  });
  matrices.addEventListener("pointerleave", () => read(state.cell));
  matrices.addEventListener("click", (event) => {
    const at = pointed(event);
    if (at) view.set({ cell: at });
  });
  strides(
    matrices,
    (dr, dc, target) => {
      const head = Number(target.dataset.head);
      const [from, i, j] = state.cell;
      state.cell = from === head ? [head, inside(i + dr), inside(j + dc)] : [head, inside(dr), inside(dc)];
      read(state.cell);
    },
    view.settle,
  );
  matrices.addEventListener("focusin", ({ target }) => {
    if (!(target instanceof HTMLElement) || !target.dataset.head || !target.matches(":focus-visible")) return;
    if (+target.dataset.head !== state.cell[0]) read([+target.dataset.head, 0, 0]);
  });
  return { elements: [element, maps], update, show, said: () => cell.textContent };
}
