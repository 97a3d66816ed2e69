// Controls: each has an element, and `sync` brings it to the state.

import { make } from "./elements.js";
import { steps } from "./input.js";

/** @typedef {[value: any, text: string, hint?: string]} Option a hint is what a screen reader says */

/**
 * Radio buttons in a row.
 * @param {string} label
 * @param {Option[]} options
 * @param {() => any} read
 * @param {(value: any) => void} write
 * @param {(value: any) => string} refuse why an option cannot be taken now; nothing where it can
 * @param {boolean} closed whether such an option is closed, or only marked: there is no answer to it here
 */
export function choice(label, options, read, write, refuse = () => "", closed = true) {
  const name = `dx${Math.random()}`; // another explorer in the notebook is another module: its count would be the same
  const inputs = options.map(([value, text, hint = text]) => {
    const input = make("input", { type: "radio", name, "aria-label": `${label}: ${hint}` });
    input.addEventListener("change", () => write(value));
    return { value, hint, input, words: make("label", { title: hint }, input, make("span", {}, text)) };
  });
  const sync = () =>
    inputs.forEach(({ value, hint, input, words }) => {
      const refused = refuse(value);
      input.checked = read() === value;
      input.disabled = closed && Boolean(refused);
      words.classList.toggle("dx-unanswered", !closed && Boolean(refused));
      words.title = refused || hint;
      input.setAttribute("aria-label", `${label}: ${hint}${refused && `. ${refused}`}`);
    });
  const group = make("fieldset", {}, make("legend", {}, label), ...inputs.map(({ words }) => words));
  // by ourselves: JupyterLab takes from the arrow keys what a browser would do with them
  steps(group, (rows, columns, { target }) => {
    const open = inputs.filter(({ input }) => !input.disabled);
    const at = open.findIndex(({ input }) => input === target) + Math.sign(rows + columns) + open.length;
    const { value, input } = open[at % open.length];
    input.checked = true;
    input.focus();
    write(value);
  });
  return { group, sync };
}

/**
 * A slider with its name and its number, as `text` writes it; `note` says which of its places have an answer.
 * @param {string} label
 * `snap` says which place is taken for one that was asked for, on the way there by key (1, -1) or by pointer (0).
 * @param {{ kind: string, hint?: string, bounds: number[], text: (x: number) => string, note?: () => string,
 *   snap?: (value: number, way: number) => number }} look
 * @param {() => number} read
 * @param {(value: number, settled: boolean) => void} write while it moves, and when it is let go
 */
export function slider(
  label,
  { kind, hint = label, bounds: [min, max, step], text, note = () => "", snap = (value) => value },
  read,
  write,
) {
  const input = make("input", { type: "range", min, max, step, "aria-label": hint });
  const number = make("output");
  const sync = () => {
    input.value = String(read());
    number.textContent = text(read());
    input.setAttribute("aria-valuetext", number.textContent);
    group.title = note();
    group.classList.toggle("dx-unanswered", Boolean(note()));
  };
  const moved = (settled, way = 0) => {
    write(snap(+input.value, way), settled);
    sync();
  };
  input.addEventListener("input", () => moved(false));
  input.addEventListener("change", () => moved(true));
  // by ourselves, for the same reason; a key that is held is a slider that is dragged
  const keys = (rows, columns) => {
    const way = columns > rows ? 1 : -1;
    if (way > 0) input.stepUp();
    else input.stepDown();
    moved(false, way);
  };
  steps(input, keys, () => moved(true));
  const group = make("label", { class: kind }, make("span", {}, label), input, number);
  return { group, sync };
}
