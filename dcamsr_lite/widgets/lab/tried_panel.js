// The table of what was tried: a click on a row brings it back, and it saves as CSV.

import { saveFile } from "../shared/download.js";
import { button, make } from "../shared/elements.js";
import { format } from "../shared/numbers.js";
import { keyOf } from "./intervention.js";
import { signedText } from "./view.js";

const HEADERS = ["intervention", "PSNR, dB", "change, dB", "SSIM", "error, measured", "error, removed"];

/** A cell of the file: what was set stands in a row's intervention, where Python has not spelled it. */
function cellOf(row, name, { title, slice }) {
  const { shift = [], lesions, cuts, ...rest } = row.intervention ?? {};
  const lists = { lesions: JSON.stringify(lesions), cuts: JSON.stringify(cuts) };
  return { ...rest, ...lists, shift_down: shift[0], shift_right: shift[1], network: title, slice, ...row }[name];
}

function saveTable(info, rows) {
  const { columns } = info;
  const quote = (x) => `"${String(x ?? "").replaceAll('"', '""')}"`;
  const lines = [columns, ...rows.map((row) => columns.map((name) => cellOf(row, name, info)))];
  saveFile("interventions.csv", lines.map((line) => line.map(quote).join(",")).join("\r\n") + "\r\n", "text/csv");
}

/**
 * @param {import("./view.js").View} view
 * @param {() => any[]} rows
 * @param {(intervention: object) => void} choose
 */
export function triedPanel(view, rows, choose) {
  const body = make("tbody");
  const csv = button("Save as CSV", () => saveTable(view.info, rows()));
  const table = make(
    "table",
    {},
    make("thead", {}, make("tr", {}, ...HEADERS.map((h) => make("th", { scope: "col" }, h)))),
    body,
  );
  const element = make(
    "section",
    { class: "dx-card dx-tried" },
    make("header", {}, make("h3", {}, "What was tried"), csv),
    make(
      "div",
      {
        class: view.alone ? "dx-whole" : "dx-scroll",
        tabindex: 0,
        role: "region",
        "aria-label": "Table of what was tried",
      },
      table,
    ),
    make(
      "p",
      { class: "dx-reading" },
      "PSNR and SSIM of this slice. Error: squared, as a share of the target's energy, inside the measured part of k-space and in the part that was removed. Click a row to see its picture.",
    ),
  );

  const cell = (x, write) => make("td", {}, x === null ? "" : write(x));
  const share = (x) => `${format(100 * x)} %`;
  function draw() {
    body.replaceChildren(
      ...rows().map((row) => {
        const pick = button(row.tried, () => choose(row.intervention));
        const line = make(
          "tr",
          { "data-key": keyOf(view.adopt(row.intervention)) },
          make("td", {}, pick),
          cell(row.psnr_db, (x) => x.toFixed(2)),
          cell(row.delta_psnr_db, (x) => signedText(x, 2)),
          cell(row.ssim, (x) => x.toFixed(4)),
          cell(row.error_measured, share),
          cell(row.error_removed, share),
        );
        line.addEventListener("click", (event) => event.target === pick || pick.click());
        return line;
      }),
    );
  }
  /** Which row is on screen. */
  function mark(intervention) {
    const current = keyOf(view.adopt(intervention));
    for (const line of body.querySelectorAll("tr")) line.toggleAttribute("aria-current", line.dataset.key === current);
  }
  return { element, draw, mark };
}
