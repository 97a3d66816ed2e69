// How far from uniform is it? One line per level and branch, a dot per head, rings for the query on screen.

import { card, make } from "../shared/elements.js";
import { entropy, share } from "./level.js";

/** @typedef {import("./view.js").View} View */

/** @param {View} view */
export function entropyPanel(view) {
  const { state } = view;
  const lines = make("div", { class: "dx-spread", role: "img" });
  const words = make("p", { class: "dx-reading" });
  const element = card(
    "How far from uniform?",
    make("p", { class: "dx-what" }, "entropy of the attention: 1 is uniform, 0 one-hot"),
    lines,
    words,
  );
  const at = (value) => `left:${(100 * value).toFixed(2)}%`;
  let rings = [];
  function line({ level, branch, values }) {
    const now = level === state.level && branch === state.branch;
    const head = branch === "spatial" ? state.head : state.cell[0];
    const dots = values.map((value, h) =>
      make("i", {
        class: now && h === head ? `${branch} dx-now` : branch,
        style: at(value),
        title: `level ${level}, ${branch}, head ${h}: ${value.toFixed(5)}`,
      }),
    );
    const track = make("div", {}, ...dots);
    const mean = values.reduce((a, b) => a + b) / values.length;
    if (now && branch === "spatial" && !state.reverse) track.append(...(rings = values.map(() => make("u"))));
    return [
      make("span", now ? { class: "dx-here" } : {}, `level ${level}, ${branch}`),
      track,
      make("span", {}, share(mean)),
    ];
  }
  function update() {
    const all = Object.entries(view.net.levels).flatMap(([l, { entropy }]) =>
      Object.entries(entropy).map(([branch, values]) => ({ level: +l, branch, values })),
    );
    rings = [];
    lines.setAttribute(
      "aria-label",
      all
        .map(({ level, branch, values }) => `level ${level} ${branch}: ${values.map((x) => x.toFixed(3)).join(" ")}`)
        .join("; "),
    );
    lines.replaceChildren(
      ...all.flatMap(line),
      make("span"),
      make("div", { class: "dx-ticks" }, ...["0", "0.5", "1"].map((x) => make("span", {}, x))),
      make("span", {}, "mean"),
    );
    words.textContent = `Dots: the heads, each over all its rows.${rings.length ? ` Ring${state.head === null ? "s: the heads" : `: head ${state.head}`} at this query.` : ""}`;
  }
  /** @param {import("./view.js").Query} query */
  function show({ row, column }) {
    const { level } = view;
    const token = row * level.columns + column;
    rings.forEach((ring, head) => {
      ring.hidden = state.head !== null && state.head !== head;
      if (!ring.hidden) ring.setAttribute("style", at(entropy(level.weights(head, token))));
    });
  }
  return { element, update, show };
}
