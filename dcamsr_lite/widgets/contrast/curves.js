// One curve for each tissue over TR, TE or TI, and where the slider stands.

import { card, make, shape } from "../shared/elements.js";
import { format } from "../shared/numbers.js";
import { signal } from "./signals.js";

export const SHOWN = ["white", "gray", "csf", "lesion"];
const POINTS = 120;

/**
 * @param {string} name of the time on the axis
 * @param {number[]} ends
 * @param {string} words
 */
export function curvePanel(name, [low, high], words, info) {
  const [width, height, left, right, top, bottom] = [330, 190, 34, 8, 8, 32];
  const grid = shape("g");
  const paths = SHOWN.map((tissue) => shape("path", { class: `cx-${tissue}` }));
  const cursor = shape("line", { class: "cx-cursor", y1: top, y2: height - bottom });
  const svg = shape(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, class: "cx-curves", role: "img" },
    grid,
    cursor,
    ...paths,
  );
  const element = card(words, svg);
  const x = (time) => left + ((time - low) / (high - low)) * (width - left - right);
  const every = (high - low) / 4;
  const times = [0, 1, 2, 3, 4].map((i) => low + i * every);

  /** @param {import("./signals.js").Timing} timing */
  function draw(timing) {
    element.hidden = name === "TI" && timing.sequence !== "inversion recovery";
    if (element.hidden) return;
    const lines = SHOWN.map((tissue) =>
      Array.from({ length: POINTS + 1 }, (_, i) => {
        const time = low + ((high - low) * i) / POINTS;
        return [time, Math.abs(signal(info.times[tissue], { ...timing, [name]: time }, info.train))];
      }),
    );
    const peak = 1.05 * Math.max(0.05, ...lines.flat().map(([, value]) => value));
    const y = (value) => height - bottom - (value / peak) * (height - top - bottom);
    lines.forEach((line, i) =>
      paths[i].setAttribute(
        "d",
        line.map(([time, value], j) => `${j ? "L" : "M"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`).join(""),
      ),
    );
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, String(x(timing[name])));
    const marks = [0, peak / 2, peak];
    grid.replaceChildren(
      ...marks.flatMap((value) => [
        shape("line", { x1: left, x2: width - right, y1: y(value), y2: y(value) }),
        shape("text", { x: left - 5, y: y(value) + 3.5, "text-anchor": "end" }, format(value, 2)),
      ]),
      ...times.map((time) =>
        shape(
          "text",
          { x: x(time), y: height - bottom + 13, "text-anchor": time === high ? "end" : "middle" },
          String(Math.round(time)),
        ),
      ),
      shape("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, `${name}, ms`),
    );
    const now = SHOWN.map((t) => `${t} ${format(Math.abs(signal(info.times[t], timing, info.train)))}`);
    svg.setAttribute("aria-label", `${words}. At ${name} ${Math.round(timing[name])} ms: ${now.join(", ")}`);
  }
  return { element, draw };
}

/** Which line is which tissue. */
export const legend = () =>
  make(
    "p",
    { class: "cx-legend" },
    ...SHOWN.map((tissue) =>
      make(
        "span",
        {},
        shape(
          "svg",
          { viewBox: "0 0 26 8", width: 26, height: 8 },
          shape("path", { class: `cx-${tissue}`, d: "M0 4h26" }),
        ),
        tissue,
      ),
    ),
  );
