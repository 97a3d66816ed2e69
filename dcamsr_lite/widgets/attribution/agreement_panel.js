// Does attention agree with the attribution? Rank correlations, and deletion curves.

import { card, make, shape } from "../shared/elements.js";
import { format } from "../shared/numbers.js";

const CURVES = {
  attribution: ["da-attribution", "none"],
  "attention, level 1": ["da-attention", "none"],
  "attention, level 2": ["da-attention", "6 3"],
  "attention, level 4": ["da-attention", "1.5 3"],
  nearness: ["da-control", "none"],
  edges: ["da-control", "6 3"],
  chance: ["da-chance", "4 3"],
};
const NAMES = { nearness: "nearest first", edges: "edges of the reference first" };
const number = (x) => (x === null ? "undefined" : x.toFixed(2));
/** "chance, 10 draws: 0.07 (0.03 to 0.33)" */
function legendOf(name, curve) {
  if (name !== "chance") return `${NAMES[name] ?? name}: ${number(curve.early)}`;
  const [low, high] = curve.early_range ?? [null, null];
  return `chance, ${curve.draws} draws: ${number(curve.early)} (${number(low)} to ${number(high)})`;
}
/** Deletion curves: how far the patch moves as more of the reference is blurred; the legend carries the early scores. */
function drawDeletion(curves) {
  const [left, top, width, height] = [42, 26, 280, 130];
  const { chance } = curves;
  const high = Math.max(...chance.high, ...Object.values(curves).flatMap((c) => c.change)) || 1;
  const x = (fraction) => left + width * Math.sqrt(fraction);
  const y = (change) => top + height * (1 - change / high);
  const along = (changes) => [[0, 0], ...chance.fractions.map((f, i) => [f, changes[i]])];
  const path = (points) => points.map(([f, c]) => `${x(f)},${y(c)}`).join(" ");
  const svg = shape("svg", {
    viewBox: "0 0 340 200",
    role: "img",
    "aria-label": Object.entries(curves)
      .map(([name, c]) => legendOf(name, c))
      .join("; "),
  });
  for (const part of [0, 0.5, 1]) {
    svg.append(
      shape("line", { x1: left, x2: left + width, y1: y(part * high), y2: y(part * high) }),
      shape("text", { x: left - 5, y: y(part * high) + 3, "text-anchor": "end" }, format(part * high, 2)),
    );
  }
  for (const fraction of [0.01, 0.05, 0.1, 0.2, 0.4, 0.7, 1]) {
    svg.append(shape("text", { x: x(fraction), y: top + height + 15, "text-anchor": "middle" }, `${100 * fraction}`));
  }
  svg.append(
    shape(
      "text",
      { x: left + width / 2, y: top + height + 35, "text-anchor": "middle" },
      "% of the reference blurred (root scale)",
    ),
  );
  svg.append(
    shape("text", { x: 0, y: 11 }, "mean change of the patch"),
    shape("polygon", { class: "da-band", points: path([...along(chance.high), ...along(chance.low).reverse()]) }),
  );
  const names = [];
  for (const [name, curve] of Object.entries(curves)) {
    const [kind, dashes] = CURVES[name];
    const line = { class: kind, "stroke-dasharray": dashes };
    svg.append(shape("polyline", { ...line, points: path(along(curve.change)) }));
    const swatch = shape("svg", { viewBox: "0 0 26 8", "aria-hidden": "true" });
    swatch.append(shape("polyline", { ...line, points: "1,4 25,4" }));
    names.push(make("span", {}, swatch, legendOf(name, curve)));
  }
  return { svg, names };
}

/**
 * What the early scores can tell: which maps lie above every chance order, and which above both rulers by more than
 * chance orders differ among themselves.
 */
export function sayTold({ chance, nearness, edges, ...maps }) {
  if (!chance.early_range) return "";
  const [low, high] = chance.early_range;
  const ruler = Math.max(nearness.early ?? 0, edges.early ?? 0);
  const named = (test) =>
    Object.keys(maps)
      .filter((name) => maps[name].early !== null && test(maps[name].early))
      .join("; ") || "none";
  const clear = named((x) => x > high && x - ruler > high - low);
  return (
    `Above every chance order: ${named((x) => x > high)}. Above both rulers by more than chance orders differ (${number(high - low)}): ${clear}` +
    (clear === "none" ? ", so that here the score tells no map from the rulers." : ".")
  );
}

function rankTable(agreement) {
  if (!agreement.length) return make("p", {}, "This function has no spatial attention to compare with.");
  const rho = (x) => make("td", {}, x === null ? "no ranks" : x.toFixed(2).replace("-", "−"));
  const same = agreement.every(({ lifted, relative }) => lifted?.toFixed(2) === relative?.toFixed(2));
  const head = (same ? ["attention (minus uniform: the same)"] : ["attention", "minus uniform"]).map((name) =>
    make("th", { scope: "col" }, name),
  );
  const lines = agreement.map(({ level, lifted, relative }) =>
    make("tr", {}, make("th", { scope: "row" }, `level ${level}`), rho(lifted), same ? null : rho(relative)),
  );
  return make(
    "table",
    {},
    make("caption", {}, "Rank correlation of |attribution| with |lifted attention| of the patch, from −1 to 1"),
    make("thead", {}, make("tr", {}, make("td"), ...head)),
    make("tbody", {}, ...lines),
  );
}

/** @param {import("./view.js").View} view */
export function agreementPanel(view) {
  const table = make("div");
  const curves = make("div");
  const legend = make("div", { class: "da-legend" });
  const told = make("p", { class: "da-told" });
  const late = make(
    "p",
    { class: "dx-reading" },
    "The maps are there. What they are compared with comes with the rest of the run; if it was stopped, Continue.",
  );
  const compared = make(
    "div",
    { class: "da-agree" },
    table,
    curves,
    make(
      "div",
      {},
      legend,
      told,
      make(
        "p",
        { class: "dx-reading" },
        "Deletion: the reference is blurred pixel by pixel, in the order of each map. Beside its name the early score, the mean change over the first tenth of the pixels over that at the end: an order that knows what the patch depends on is near 1 (above it, where the patch first moves further than at the end), chance lies in the grey band. Nearness and edges know nothing of the network: a map that explains it has to be better than they are.",
      ),
    ),
  );
  const element = card("Does attention agree?", late, compared);
  element.classList.add("da-wide");
  function draw() {
    const { agreement, deletion, controls } = view.result;
    late.hidden = Boolean(deletion);
    compared.hidden = !deletion;
    if (!deletion) return;
    const { svg, names } = drawDeletion({ ...deletion, ...controls });
    table.replaceChildren(rankTable(agreement));
    curves.replaceChildren(svg);
    legend.replaceChildren(...names);
    told.textContent = sayTold({ ...deletion, ...controls });
  }
  return { element, draw };
}
