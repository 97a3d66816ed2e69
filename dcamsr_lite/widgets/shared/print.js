// The view on screen as a figure for print: what is in sight of pictures, their marks and colour bars, with titles, on white.

import { barOf } from "./colours.js";

const WIDTH = 180; // mm: two columns of a journal
const DPI = 300;
const [GAP, LINE, BAR] = [3, 4, 3]; // mm: between pictures, a line of text, a colour bar
const MARKS = ".dx-mark, .dx-run, .dx-lesion, .mx-box, .mx-line, .kx-box";

const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const seen = (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility !== "hidden";
const words = (x, y, text, { size = 2.6, anchor = "start", weight = 400 } = {}) =>
  text &&
  `<text x="${x}" y="${y}" font-size="${size}" text-anchor="${anchor}" font-weight="${weight}">${escape(text)}</text>`;

/**
 * Where an element lies in a frame, in parts of the frame.
 * @param {Element} element
 * @param {DOMRect} frame
 */
function within(element, frame) {
  const box = element.getBoundingClientRect();
  return {
    x: (box.left - frame.left) / frame.width,
    y: (box.top - frame.top) / frame.height,
    width: box.width / frame.width,
    height: box.height / frame.height,
  };
}

/**
 * One picture with its marks, in a square of millimetres that starts at (x, y).
 * @param {Element} frame
 */
function picture(frame, x, y, width, height) {
  const box = frame.getBoundingClientRect();
  const at = (part) =>
    `x="${x + part.x * width}" y="${y + part.y * height}" width="${part.width * width}" height="${part.height * height}"`;
  const layers = [...frame.querySelectorAll("canvas")]
    .filter(seen)
    .map(
      (canvas) =>
        `<image ${at(within(canvas, box))} preserveAspectRatio="none" style="image-rendering:pixelated" href="${canvas.toDataURL()}"/>`,
    );
  const marks = [...frame.querySelectorAll(MARKS)].filter(seen).map((mark) => {
    const place = at(within(mark, box));
    return `<rect ${place} fill="none" stroke="#000" stroke-width=".7"/><rect ${place} fill="none" stroke="#fff" stroke-width=".35"/>`;
  });
  const lines = [...frame.querySelectorAll("svg path")].filter(seen).map((path) => {
    const { stroke, strokeWidth } = getComputedStyle(path);
    const [, , across] = (path.closest("svg")?.getAttribute("viewBox") ?? "0 0 1 1").split(" ").map(Number);
    return `<path transform="translate(${x} ${y}) scale(${width / across})" d="${path.getAttribute("d")}" fill="none" stroke="${stroke}" stroke-width="${parseFloat(strokeWidth)}" stroke-linecap="round"/>`;
  });
  return `<svg x="0" y="0">${[...layers, ...lines, ...marks].join("")}</svg>`;
}

/**
 * A colour bar, its numbers and what they are.
 * @param {Element} bar
 */
function scale(bar, x, y, width) {
  const stops = barOf(bar);
  const id = `bar${x}-${y}`.replace(/[^\w-]/g, "_");
  const parts = stops.map(
    (colour, i) =>
      `<stop offset="${i / (stops.length - 1)}" stop-color="rgb(${colour.slice(0, 3)})" stop-opacity="${colour[3]}"/>`,
  );
  const ticks = [...bar.querySelectorAll(".dx-ticks span")].map((span, i) =>
    words(x + (i * width) / 2, y + BAR + 2.6, span.textContent ?? "", {
      size: 2.2,
      anchor: ["start", "middle", "end"][i],
    }),
  );
  const fits = Math.floor(width / 1.15); // letters
  const label = bar.querySelector("small")?.textContent ?? "";
  return (
    `<linearGradient id="${id}">${parts.join("")}</linearGradient><rect x="${x}" y="${y}" width="${width}" height="${BAR}" fill="url(#${id})"/>` +
    `${ticks.join("")}${words(x, y + BAR + 5.4, label.length > fits ? `${label.slice(0, fits - 1)}…` : label, { size: 2.2 })}`
  );
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
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
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
  const parts = [words(0, LINE, root.querySelector("h2")?.textContent ?? "", { size: 3.6, weight: 600 })];
  const about = root.querySelector(".dx-about")?.textContent ?? "";
  parts.push(words(0, 2.2 * LINE, `${about.slice(0, 130)}${about.length > 130 ? "…" : ""}`, { size: 2.2 }));
  let y = 3.2 * LINE;
  for (const [group, shown] of groups) {
    const across = Math.max(3, Math.min(9, shown.length));
    const width = (WIDTH - GAP * (across - 1)) / across;
    const heading = headingOf(group);
    if (heading) parts.push(words(0, (y += LINE), heading, { weight: 600 }));
    for (let first = 0; first < shown.length; first += across) {
      let lowest = y;
      shown.slice(first, first + across).forEach((frame, i) => {
        const x = i * (width + GAP);
        const box = frame.getBoundingClientRect();
        const height = (width * box.height) / box.width;
        parts.push(words(x, y + LINE - 1, titleOf(frame)), picture(frame, x, y + LINE, width, height));
        const bar = frame.closest("figure")?.querySelector(".dx-bar");
        if (bar && seen(bar)) parts.push(scale(bar, x, y + LINE + height + 1.5, width));
        lowest = Math.max(lowest, y + LINE + height + (bar ? BAR + 8 : 1));
      });
      y = lowest + 1;
    }
    const bar = group.closest(".dx-card")?.querySelector(":scope > .dx-bar");
    const last = [...groups.keys()].filter((other) => other.closest(".dx-card") === group.closest(".dx-card")).at(-1);
    if (bar && seen(bar) && group === last) {
      parts.push(scale(bar, 0, y + 1, (WIDTH - 2 * GAP) / 3));
      y += BAR + 8;
    }
  }
  parts.push(words(0, y + LINE, "Not for clinical use.", { size: 2.2 }));
  const height = Math.ceil(y + 1.5 * LINE);
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}mm" height="${height}mm" viewBox="-1 0 ${WIDTH + 2} ${height}" font-family="Helvetica, Arial, sans-serif"><rect x="-1" width="${WIDTH + 2}" height="${height}" fill="#fff"/>${parts.join("")}</svg>`;
  return { text, size: [WIDTH, height] };
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
export { DPI };
