// PSNR over the slider that was moved last, a curve for every network, and zero-filling as the floor.

import { make, shape } from "../shared/elements.js";
import { adopt, curve, placeText, sayCurve } from "./words.js";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [320, 196, 30, 10, 8, 34];
const NAMES = { right: "shift right, px", down: "shift down, px", turn: "turn, degrees counter-clockwise" };
const COLOURS = 4; // of dp-0 to dp-3 in the style sheet

const signedText = (x) => `${x > 0 ? "+" : x < 0 ? "−" : "±"}${Math.abs(x).toFixed(1)}`;
const write = (x) => String(x).replace("-", "−");

/** @param {import("./view.js").View} view */
export function curvePanel(view) {
  const { info, names } = view;
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "dp-curve" });
  const body = make("tbody");
  const head = ["", "dB", "to in place", "to zero-fill"].map((text) => make("th", { scope: "col" }, text));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...head)), body);
  const title = make("b");
  const what = make("small");
  const element = make(
    "div",
    { class: "dp-worth" },
    make("figure", {}, make("figcaption", {}, title), svg, what),
    table,
  );
  element.hidden = info.floor === null;

  function draw() {
    if (info.floor === null) return;
    const { axis } = view.state;
    const most = info.bounds[axis];
    const lines = names.map((name) => curve(view.rows, axis, name, adopt(view.result.moved)));
    const values = [info.floor, ...view.rows.flatMap(({ psnr }) => names.map((name) => psnr[name] ?? info.floor))];
    const [low, high] = [Math.floor(Math.min(...values) - 0.3), Math.ceil(Math.max(...values) + 0.3)];
    const x = (v) => LEFT + ((v + most) / (2 * most)) * (WIDTH - LEFT - RIGHT);
    const y = (v) => HEIGHT - BOTTOM - ((v - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
    const every = Math.ceil((high - low) / 5);
    const levels = Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, i) => low + i * every);
    const now = view.result.moved[axis];
    svg.setAttribute("aria-label", `${title.textContent}. ${tell()}`);
    svg.replaceChildren(
      ...levels.flatMap((v) => [
        shape("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(v), y2: y(v) }),
        shape("text", { x: LEFT - 5, y: y(v) + 3.5, "text-anchor": "end" }, String(v)),
      ]),
      ...[-1, -0.5, 0, 0.5, 1].map((part) =>
        shape("text", { x: x(part * most), y: HEIGHT - BOTTOM + 14, "text-anchor": "middle" }, write(part * most)),
      ),
      shape("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, NAMES[axis]),
      shape("line", { x1: x(now), x2: x(now), y1: TOP, y2: HEIGHT - BOTTOM, class: "dp-now" }),
      shape("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(info.floor), y2: y(info.floor), class: "dp-floor" }),
      ...lines.flatMap((points, i) => [
        shape("path", {
          class: `dp-line dp-${i % COLOURS}`,
          d: points.map(([at, v], j) => `${j ? "L" : "M"}${x(at).toFixed(1)} ${y(v).toFixed(1)}`).join(""),
        }),
        ...points.map(([at, v]) => shape("circle", { class: `dp-${i % COLOURS}`, cx: x(at), cy: y(v), r: 2 })),
        shape("circle", {
          class: `dp-here dp-${i % COLOURS}`,
          cx: x(now),
          cy: y(view.result.networks[names[i]].psnr),
          r: 4.5,
        }),
      ]),
    );
  }
  const tell = () =>
    names.map((name) => `${name} ${view.result.networks[name].psnr.toFixed(1)} dB`).join(", ") +
    `, zero-fill ${info.floor.toFixed(1)} dB`;

  function update() {
    if (info.floor === null) return;
    const moved = adopt(view.result.moved);
    title.textContent = `PSNR of this slice, dB, at ${placeText(moved) || "0: in place"}`;
    what.textContent = sayCurve(view.state.axis, moved);
    const key = (kind) => make("i", { class: `dp-key ${kind}`, "aria-hidden": "true" });
    const line = (kind, name, ...cells) =>
      make("tr", {}, make("th", { scope: "row" }, key(kind), name), ...cells.map((c) => make("td", {}, c)));
    body.replaceChildren(
      ...names.map((name, i) => {
        const { psnr } = view.result.networks[name];
        const before = view.inPlace(name);
        return line(
          `dp-${i % COLOURS}`,
          name,
          psnr.toFixed(1),
          before === null ? "" : signedText(psnr - before),
          signedText(psnr - info.floor),
        );
      }),
      line("dp-floor", "zero-fill", info.floor.toFixed(1), "", ""),
    );
    draw();
  }
  return { element, update };
}
