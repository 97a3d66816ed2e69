// An explorer's page: heading and guided tour, and the two ways to run, in a notebook (anywidget) and as a saved
// page (standalone).

import { slider } from "./controls.js";
import { downloads } from "./download.js";
import { button, make } from "./elements.js";
import { read85 } from "./numbers.js";

/**
 * anywidget's model of the kernel's traits; that of a saved page is `alone`: no kernel answers.
 * @typedef {object} Model
 * @property {boolean} [alone]
 * @property {string} [late] what is said where an answer takes long
 * @property {(name: string) => any} get
 * @property {(name: string, value: any) => void} set
 * @property {(event: string, listener: (...parts: any[]) => void) => void} on
 * @property {(event: string, listener: (...parts: any[]) => void) => void} off
 * @property {() => void} save_changes
 * @property {(message: object) => void} send
 */

/** The guided tour: a text per step, and the state that the step sets. Nothing where there is no tour. */
function guide(model) {
  const steps = model.get("tour");
  if (!steps?.length) return null;
  const text = make("p", { class: "dx-step", "aria-live": "polite" });
  const place = make("small");
  const back = button("Back", () => go(at - 1));
  const next = button("Next", () => go(at + 1), { class: "dx-main" });
  let at = -1; // before the first step nothing is set: the reader's own place stays
  function go(to) {
    at = Math.max(0, Math.min(steps.length - 1, to));
    const { text: words, ...state } = steps[at];
    text.textContent = words;
    place.textContent = `${at + 1} of ${steps.length}`;
    [back.disabled, next.disabled] = [at === 0, at === steps.length - 1];
    for (const [name, value] of Object.entries(state)) model.set(name, value);
    model.save_changes();
  }
  back.disabled = true;
  text.textContent = `A tour in ${steps.length} steps: press Next.`;
  return make("nav", { class: "dx-tour", "aria-label": "Guided tour" }, text, make("div", {}, back, next, place));
}

/** What a saved page keeps of a volume, in words; null where there is nothing else. */
function kept(model) {
  const { slice, slices: count, turns } = model.get("info");
  return model.alone && turns && count > 1
    ? `this page keeps slice ${slice} alone: others need a kernel, in a notebook`
    : null;
}

/** Which slice is on screen: a slider where a kernel can open another. */
function slices(model) {
  const { slice, slices: count, turns, refused = "" } = model.get("info");
  if (!turns || count < 2 || model.alone || model.get("slice") === undefined) return null; // no one to open another
  const status = make("small", { role: "status" }, refused);
  let at = slice;
  const turn = slider(
    "Slice",
    { kind: "dx-range dx-slice", hint: "Slice", bounds: [0, count - 1, 1], text: (x) => `${x}` },
    () => at,
    (value, settled) => {
      at = value;
      if (!settled || value === model.get("slice")) return;
      status.textContent = `Computing slice ${value} …`;
      model.set("slice", value);
      model.save_changes();
    },
  );
  turn.sync();
  return make("div", { class: "dx-turn" }, turn.group, status);
}

/**
 * Title, one sentence on what to do, the tour, and what is shown.
 * @param {Model} model
 * @param {string} title
 * @param {string} lead
 * @param {(string | null)[]} about
 */
export const heading = (model, title, lead, about) =>
  make(
    "header",
    {},
    make("h2", {}, title),
    make("p", {}, lead),
    make("p", { class: "dx-about" }, [...about, kept(model)].filter(Boolean).join(" · ")),
    slices(model),
    guide(model),
  );

/** The state of a saved page, with its bytes as text, as arrays of bytes. */
function revive(value) {
  if (value === null || typeof value !== "object") return value;
  if (typeof value.dtype === "string") return { ...value, data: read85(value.data) };
  return Array.isArray(value)
    ? value.map(revive)
    : Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]));
}

/**
 * What stands in for the kernel's model in a saved page.
 * @returns {Model}
 */
function savedModel(state) {
  const values = revive(state);
  const listeners = {};
  return {
    alone: true,
    get: (name) => values[name],
    set: (name, value) => {
      if (JSON.stringify(values[name]) === JSON.stringify(value)) return;
      values[name] = value;
      for (const listener of listeners[`change:${name}`] ?? []) listener();
    },
    on: (event, listener) => {
      (listeners[event] ??= []).push(listener);
    },
    off: (event, listener) => {
      listeners[event] = listeners[event]?.filter((l) => l !== listener);
    },
    save_changes: () => {},
    send: () => {},
  };
}

/**
 * What anywidget and a saved page call.
 * @param {(model: Model, root: Root) => (() => void) | void} build draws into root, returns what undoes it; a `message`
 *   is shown in its place
 * @param {string} kind what the explorer's own style sheet asks for: those of several explorers meet in one notebook
 */
export function widget(build, kind) {
  /** @param {{ model: Model, el: HTMLElement }} place */
  function render({ model, el }) {
    // JupyterLab would take arrow keys to move between cells
    const root = make("div", { class: `dcamsr-explorer dx-is-${kind}`, "data-lm-suppress-shortcuts": "true" });
    el.append(root);
    /** @type {(() => void) | void} */
    let stop;
    /** Once, and anew where the kernel opens another slice: the reader's place is in the model. */
    function show() {
      const turning = root.querySelector(".dx-slice input") === root.ownerDocument.activeElement;
      stop?.();
      const message = model.get("message");
      const footer = make("footer", {}, "Not for clinical use.");
      if (!message && Object.keys(model.get("info")).length) {
        root.replaceChildren();
        stop = build(model, root);
        footer.append(downloads(root, kind));
        /** @type {HTMLElement | null} */
        const input = root.querySelector(".dx-slice input");
        if (turning) input?.focus();
      } else root.replaceChildren(make("p", { class: "dx-message", role: "alert" }, message || "Nothing to show."));
      root.append(footer);
    }
    show();
    model.on("change:info", show);
    return () => {
      model.off("change:info", show);
      stop?.();
    };
  }
  const standalone = (el, state) => render({ model: savedModel(state), el });
  return { render, standalone };
}
/** @typedef {HTMLElement & { explorer?: object }} Root for tests and lectures, `explorer` answers questions */
