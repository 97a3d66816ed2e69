// Buttons that save the view on screen: the pictures in sight for print, the map or image as numbers.

import { button, make } from "./elements.js";
import { withResolution, writeNpy, writePdf } from "./files.js";
import { DPI, drawFigure, rasterise } from "./print.js";

/** @typedef {{ values: ArrayLike<number>, size: number[] }} Numbers */

const HINTS = {
  png: `the pictures in sight, 180 mm wide at ${DPI} dots per inch`,
  svg: "the pictures in sight, their words and lines as vectors",
  pdf: `the pictures in sight on one page, at ${DPI} dots per inch, without loss`,
  npy: "the numbers of the map or image on screen, for NumPy",
};

/**
 * @param {string} name
 * @param {BlobPart} data
 * @param {string} type
 */
export function saveFile(name, data, type) {
  const url = URL.createObjectURL(new Blob([data], { type }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** @param {HTMLCanvasElement} canvas */
async function compress(canvas) {
  const { width, height } = canvas;
  const rgba = canvas.getContext("2d")?.getImageData(0, 0, width, height).data ?? new Uint8ClampedArray();
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) rgb.set(rgba.subarray(4 * i, 4 * i + 3), 3 * i);
  const packed = new Blob([rgb]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/**
 * @param {HTMLElement & { explorer?: any }} root whose `explorer.numbers()` is what is saved as numbers, if there is any
 * @param {string} kind
 */
export function downloads(root, kind) {
  const said = make("span", { role: "status" });
  const write = {
    svg: async () => drawFigure(root).text,
    png: async () => {
      const canvas = await rasterise(drawFigure(root));
      /** @type {Blob} */
      const blob = await new Promise((done) => canvas.toBlob((found) => done(/** @type {Blob} */ (found))));
      return withResolution(new Uint8Array(await blob.arrayBuffer()), DPI);
    },
    pdf: async () => {
      const canvas = await rasterise(drawFigure(root));
      return writePdf(await compress(canvas), [canvas.width, canvas.height], DPI);
    },
    npy: async () => {
      /** @type {Numbers | null} */
      const numbers = root.explorer.numbers();
      if (!numbers) throw new Error("nothing to save yet");
      return writeNpy(numbers.values, numbers.size);
    },
  };
  const types = { svg: "image/svg+xml", png: "image/png", pdf: "application/pdf", npy: "application/octet-stream" };
  const each = Object.keys(HINTS).filter((ending) => ending !== "npy" || root.explorer?.numbers);
  const buttons = each.map((ending) =>
    button(
      ending.toUpperCase(),
      () =>
        write[ending]().then(
          (data) => {
            saveFile(`${kind}.${ending}`, data, types[ending]);
            said.textContent = `Saved ${kind}.${ending}.`;
          },
          (error) => {
            said.textContent = `Not saved: ${error.message}.`;
          },
        ),
      { title: HINTS[ending], "aria-label": `Save as ${ending.toUpperCase()}: ${HINTS[ending]}` },
    ),
  );
  return make(
    "div",
    { class: "dx-save", role: "group", "aria-label": "Save the view" },
    "Save the view:",
    ...buttons,
    said,
  );
}
