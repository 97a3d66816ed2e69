// The view on screen as a figure for print: what is in sight of pictures, their marks and colour bars, with titles, on white.

import { barOf } from "./colours.js";
import { make, shape } from "./elements.js";

const WIDTH = 180; // mm: two columns of a journal
export const DPI = 300;
const [GAP, LINE, BAR] = [3, 4, 3]; // mm: between pictures, a line of text, a colour bar
const MARKS = ".dx-mark, .dx-run, .dx-lesion, .mx-box, .mx-line, .kx-box";

const seen = (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility !== "hidden";
const shorten = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const write = (x, y, text, { size = 2.6, anchor = "start", weight = 400 } = {}) =>
  shape("text", { x, y, "font-size": size, "text-anchor": anchor, "font-weight": weight }, text);
const show = (place, canvas, style = "") =>
  shape("image", { ...place, preserveAspectRatio: "none", style, href: canvas.toDataURL() });

/**
 * One picture with its marks, in a square of millimetres.
 * @param {Element} frame
 * @param {{ x: number, y: number, width: number, height: number }} place
 */
function drawPicture(frame, { x, y, width, height }) {
  const whole = frame.getBoundingClientRect();
  const within = (element) => {
    const box = element.getBoundingClientRect();
    return {
      x: ((box.left - whole.left) / whole.width) * width,
      y: ((box.top - whole.top) / whole.height) * height,
      width: (box.width / whole.width) * width,
      height: (box.height / whole.height) * height,
    };
  };
  const parts = (names) => [...frame.querySelectorAll(names)].filter(seen);
  return shape(
    "svg",
    { x, y, width, height },
    ...parts("canvas").map((canvas) => show(within(canvas), canvas, "image-rendering:pixelated")),
    ...parts("svg path").map((path) => {
      const { stroke, strokeWidth, fill } = getComputedStyle(path);
      const [, , across] = (path.closest("svg")?.getAttribute("viewBox") ?? "0 0 1 1").split(" ").map(Number);
      return shape("path", {
        d: path.getAttribute("d"),
        transform: `scale(${width / across})`,
        fill,
        stroke,
        "stroke-width": parseFloat(strokeWidth),
        "stroke-linecap": "round",
      });
    }),
    ...parts(MARKS).flatMap((mark) =>
      [
        ["#000", 0.7],
        ["#fff", 0.35],
      ].map(([stroke, wide]) => shape("rect", { ...within(mark), fill: "none", stroke, "stroke-width": wide })),
    ),
  );
}

/**
 * A colour bar, its numbers and what they are.
 * @param {Element} bar
 */
function drawBar(bar, x, y, width) {
  const colours = barOf(bar);
  const canvas = make("canvas", { width: colours.length, height: 1 });
  const context = canvas.getContext("2d");
  colours.forEach(([r, g, b, a], i) => {
    if (!context) return;
    context.fillStyle = `rgba(${r},${g},${b},${a})`;
    context.fillRect(i, 0, 1, 1);
  });
  const ticks = [...bar.querySelectorAll(".dx-ticks span")].map((span, i) =>
    write(x + (i * width) / 2, y + BAR + 2.6, span.textContent ?? "", {
      size: 2.2,
      anchor: ["start", "middle", "end"][i],
    }),
  );
  const label = shorten(bar.querySelector("small")?.textContent ?? "", Math.floor(width / 1.15));
  return [show({ x, y, width, height: BAR }, canvas), ...ticks, write(x, y + BAR + 5.4, label, { size: 2.2 })];
}

/** What stands over a picture: its caption, or what its tile is called. */
const titleOf = (frame) =>
  (frame.closest("figure") ?? frame.closest(".dx-tile"))?.querySelector("figcaption b, small")?.textContent ?? "";

/** What stands over a group: the level of a row of tiles, or its card's heading and what the card says is shown. */
function headingOf(group) {
  const before = group.previousElementSibling;
  const card = group.closest(".dx-card");
  const [heading, what] = ["h3", ".dx-what"].map((part) => card?.querySelector(part)?.textContent ?? "");
  const text = before?.matches(".dx-scale")
    ? `${heading}, ${before.textContent}`
    : [heading, what].filter(Boolean).join(" · ");
  return shorten(text, 120);
}

/**
 * Everything in sight, as SVG in millimetres; its size.
 * @param {HTMLElement} root
 */
export function drawFigure(root) {
  const frames = [...root.querySelectorAll(".dx-frame")].filter(seen);
  const groups = new Map();
  for (const frame of frames) {
    const group =
      frame.closest(".dx-panels, .dx-heads, .dx-lab-panels, .dx-maps, .dx-card, .dp-look, .kx-parts") ?? root;
    groups.set(group, [...(groups.get(group) ?? []), frame]);
  }
  const about = shorten(root.querySelector(".dx-about")?.textContent ?? "", 130);
  /** @type {SVGElement[]} */
  const parts = [
    write(0, LINE, root.querySelector("h2")?.textContent ?? "", { size: 3.6, weight: 600 }),
    write(0, 2.2 * LINE, about, { size: 2.2 }),
  ];
  let y = 3.2 * LINE;
  const cardOf = (group) => group.closest(".dx-card");
  for (const [group, shown] of groups) {
    const across = Math.max(3, Math.min(9, shown.length));
    const width = (WIDTH - GAP * (across - 1)) / across;
    const heading = headingOf(group);
    if (heading) parts.push(write(0, (y += LINE), heading, { weight: 600 }));
    for (let first = 0; first < shown.length; first += across) {
      let lowest = y;
      shown.slice(first, first + across).forEach((frame, i) => {
        const box = frame.getBoundingClientRect();
        const place = { x: i * (width + GAP), y: y + LINE, width, height: (width * box.height) / box.width };
        parts.push(write(place.x, y + LINE - 1, titleOf(frame)), drawPicture(frame, place));
        const end = place.y + place.height;
        const bar = frame.closest("figure")?.querySelector(".dx-bar");
        if (bar && seen(bar)) parts.push(...drawBar(bar, place.x, end + 1.5, width));
        lowest = Math.max(lowest, end + (bar ? BAR + 8 : 1));
      });
      y = lowest + 1;
    }
    const bar = cardOf(group)?.querySelector(":scope > .dx-bar");
    const last = [...groups.keys()].filter((other) => cardOf(other) === cardOf(group)).at(-1);
    if (bar && seen(bar) && group === last) {
      parts.push(...drawBar(bar, 0, y + 1, (WIDTH - 2 * GAP) / 3));
      y += BAR + 8;
    }
  }
  parts.push(write(0, y + LINE, "Not for clinical use.", { size: 2.2 }));
  const height = Math.ceil(y + 1.5 * LINE);
  const drawing = shape(
    "svg",
    {
      width: `${WIDTH}mm`,
      height: `${height}mm`,
      viewBox: `-1 0 ${WIDTH + 2} ${height}`,
      "font-family": "Helvetica, Arial, sans-serif",
    },
    shape("rect", { x: -1, width: WIDTH + 2, height, fill: "#fff" }),
    ...parts,
  );
  return { text: new XMLSerializer().serializeToString(drawing), size: [WIDTH, height] };
}

/**
 * The figure in pixels of print.
 * @param {{ text: string, size: number[] }} figure
 * @returns {Promise<HTMLCanvasElement>}
 */
export async function rasterise({ text, size }) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = size.map((mm) => Math.round((mm / 25.4) * DPI));
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}
