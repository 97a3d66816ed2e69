// The image along one row or column, beside the full image.

import { choice } from "../shared/controls.js";
import { card, make, shape } from "../shared/elements.js";
import { format } from "../shared/numbers.js";
import { ladder } from "./view.js";

/** Two curves over pixels, with numbers on both axes; as wide as its place, so that its words keep their size. */
function profileChart() {
  const [height, left, right, top, bottom] = [250, 38, 8, 28, 34];
  let width = 720;
  let drawn = "";
  /** @type {Parameters<typeof plot> | undefined} */
  let last;
  const grid = shape("g");
  const [whole, part] = ["kx-whole", "kx-part"].map((name) => shape("path", { class: name }));
  const cursor = shape("line", { class: "kx-cursor", y1: top, y2: height - bottom });
  const legend = [
    ["full k-space", "kx-whole"],
    ["the box alone", "kx-part"],
  ].map(([text, name], i) => {
    const x = left + 12 + 116 * i;
    return shape(
      "g",
      {},
      shape("path", { class: name, d: `M${x} 10h22` }),
      shape("text", { x: x + 28, y: 13.5 }, text),
    );
  });
  const svg = shape(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      class: "kx-profile",
      "aria-label": "profile of the full image and of the box's image",
    },
    grid,
    cursor,
    whole,
    part,
    ...legend,
  );
  /**
   * @param {number[]} full
   * @param {number[]} box
   * @param {number} at the pixel of the cursor
   * @param {string} unit
   */
  function plot(full, box, at, unit) {
    last = [full, box, at, unit];
    const n = full.length;
    const high = 1.05 * Math.max(...full, ...box, 1);
    const step = 100 * ladder(high / 600);
    const x = (i) => left + ((i + 0.5) / n) * (width - left - right);
    const y = (v) => height - bottom - (v / high) * (height - top - bottom);
    const path = (values) => values.map((v, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join("");
    whole.setAttribute("d", path(full));
    part.setAttribute("d", path(box));
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, String(x(at)));
    const key = [high.toPrecision(4), n, unit, width].join();
    if (key === drawn) return;
    drawn = key;
    const levels = Array.from({ length: Math.floor(high / step) + 1 }, (_, i) => i * step);
    const every = 10 * 2 ** Math.max(0, Math.ceil(Math.log2(n / (width / 9))));
    const pixels = Array.from({ length: Math.ceil(n / every) }, (_, i) => i * every);
    grid.replaceChildren(
      ...levels.flatMap((v) => [
        shape("line", { x1: left, x2: width - right, y1: y(v), y2: y(v) }),
        shape("text", { x: left - 6, y: y(v) + 3.5, "text-anchor": "end" }, format(v)),
      ]),
      ...pixels.map((i) => shape("text", { x: x(i), y: height - bottom + 14, "text-anchor": "middle" }, String(i))),
      shape("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, unit),
    );
  }
  const fitted = new ResizeObserver(() => {
    const room = Math.max(280, Math.round(svg.clientWidth));
    if (room === width || !svg.clientWidth) return;
    width = room;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    if (last) plot(...last);
  });
  fitted.observe(svg);
  return { svg, draw: plot, stop: () => fitted.disconnect() };
}

/**
 * @param {import("./view.js").View} view
 * @param {import("../shared/state.js").Bind} bind
 */
export function profilePanel(view, bind) {
  const {
    size: [rows, columns],
    state,
    data: { full, peak },
  } = view;
  const chart = profileChart();
  const along = choice(
    "along a",
    [
      ["row", "row", "row"],
      ["column", "column", "column"],
    ],
    ...bind("along"),
  );
  const what = make("p", { class: "dx-reading" });
  const element = card("Profile", make("div", { class: "dx-controls" }, along.group, what), chart.svg);
  /** @param {Float64Array} image */
  function draw(image) {
    const [r, c] = state.point;
    const row = state.along === "row";
    const n = row ? columns : rows;
    const cut = (values) =>
      Array.from({ length: n }, (_, i) => (100 * values[row ? r * columns + i : i * columns + c]) / peak);
    chart.draw(cut(full), cut(image), row ? c : r, row ? "column" : "row");
    what.textContent = `${row ? `row ${r}` : `column ${c}`}, % of the full image's maximum`;
  }
  return { element, draw, sync: along.sync, stop: chart.stop };
}
