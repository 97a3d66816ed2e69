// The switches of one branch: a row per level, a column per head, headers that set all. One tab stop.

import { make } from "../shared/elements.js";
import { strides } from "../shared/input.js";
import { clamp } from "../shared/numbers.js";
import { STATES } from "./intervention.js";

/** @typedef {import("./intervention.js").Switch} Switch */

export const GLYPHS = { on: "●", off: "×", uniform: "≈" };
const next = (state) => STATES[(STATES.indexOf(state) + 1) % 3];

/**
 * @param {string} branch
 * @param {import("./intervention.js").Info} info
 * @param {(level: number, head: number) => Switch} read
 * @param {(places: number[][], state: Switch) => void} write
 * @param {(places: number[][], state: Switch) => string} doubt why there would be no answer to that
 */
export function switches(branch, { levels, heads }, read, write, doubt) {
  /** @type {{ button: HTMLButtonElement, level: number | null, head: number | null, header: boolean, row: number, column: number }[]} */
  const cells = [];
  const group = make("div", {
    class: "dx-switches",
    role: "group",
    style: `--heads:${heads}`,
    "aria-label": `${branch} attention: arrow keys move, space switches on, off, uniform`,
  });
  const covered = (level, head) =>
    levels
      .filter((l) => level === null || l === level)
      .flatMap((l) => [...Array(heads).keys()].filter((h) => head === null || h === head).map((h) => [l, h]));
  const following = (places) => {
    const states = new Set(places.map(([l, h]) => read(l, h)));
    return states.size > 1 ? "on" : next([...states][0]); // mixed: back to on first
  };
  [null, ...levels].forEach((level, row) =>
    [null, ...Array(heads).keys()].forEach((head, column) => {
      const header = level === null || head === null;
      const words = header ? (level === null ? (head === null ? "all" : String(head)) : `level ${level}`) : "";
      const button = make(
        "button",
        { type: "button", class: header ? "dx-all" : "dx-switch", tabindex: row + column ? -1 : 0 },
        words,
      );
      button.addEventListener("click", () => {
        const places = covered(level, head);
        write(places, following(places));
      });
      button.addEventListener("focus", () =>
        cells.forEach((c) => {
          c.button.tabIndex = c.button === button ? 0 : -1;
        }),
      );
      cells.push({ button, level, head, header, row, column });
      group.append(button);
    }),
  );
  strides(group, (dr, dc, target) => {
    const at = cells.find((c) => c.button === target);
    if (!at) return;
    const row = clamp(at.row + dr, 0, levels.length);
    const column = clamp(at.column + dc, 0, heads);
    cells.find((c) => c.row === row && c.column === column)?.button.focus();
  });
  const sync = () =>
    cells.forEach(({ button, level, head, header }) => {
      const place = `${level === null ? "all levels" : `level ${level}`}, ${head === null ? "all heads" : `head ${head}`}`;
      const places = covered(level, head);
      const states = new Set(places.map(([l, h]) => read(l, h)));
      const state = states.size > 1 ? "mixed" : [...states][0];
      const none = doubt(places, following(places));
      if (!header) {
        button.dataset.state = state;
        button.textContent = GLYPHS[state];
      }
      button.classList.toggle("dx-unanswered", Boolean(none));
      button.setAttribute("aria-label", `${branch} attention, ${place}: ${state}${none && `. ${none}`}`);
      button.title = `${place}: ${state}${none && `. ${none}`}`;
    });
  return { group, sync };
}
