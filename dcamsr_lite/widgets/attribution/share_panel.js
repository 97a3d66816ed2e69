// What the patch owes to each contrast, in numbers.

import { card, make } from "../shared/elements.js";
import { format } from "../shared/numbers.js";
import { percent } from "./view.js";

const STARTS = {
  blur_path: "the blurred pair",
  integrated_gradients: "the flat grey pair",
  occlusion: "the blurred pair",
};

/** @param {import("./view.js").View} view */
export function sharePanel(view) {
  const shares = make("div", { class: "da-share", role: "img" });
  const net = make("p", { class: "dx-reading" });
  const facts = make("dl", { class: "da-facts" });
  const element = card("What the patch owes to each contrast", shares, net, facts);
  /** A bar of two parts under a name, and their numbers; parts of opposite sign are numbers alone. */
  function bar(name, part) {
    const parts = [
      { of: "input", share: 1 - part, kind: "da-lr" },
      { of: "reference", share: part, kind: "da-ref" },
    ];
    const drawn = parts.every(({ share }) => share >= 0);
    return [
      make("p", {}, make("b", {}, name)),
      ...(drawn ? parts.map(({ share, kind }) => make("div", { class: kind, style: `flex-grow:${share}` })) : []),
      make(
        "p",
        {},
        ...parts.map(({ of, share, kind }) =>
          make("span", {}, make("i", { class: kind }), `${of} ${percent(share, 1)}`),
        ),
      ),
    ];
  }
  function draw() {
    const { share, complete, net_share, net: sums, value, start, target, completeness, diffusion } = view.result;
    const { method } = view.state;
    const off = `The maps do not add up to the change of the patch (off by ${percent(completeness, 0)}), so they are no shares of it.`;
    shares.replaceChildren(
      ...(net_share === null ? [] : bar("Signed sums: what explains the change", net_share)),
      ...(complete && share !== null ? bar("Absolute: all magnitudes, opposite signs do not cancel", share) : []),
      ...(complete ? [] : [make("p", {}, off)]),
    );
    shares.setAttribute("aria-label", complete ? `the reference explains ${percent(net_share, 1)}` : off);
    net.textContent = `${target === "detail" ? "Detail" : "Mean"} of the patch: ${format(start)} of ${STARTS[method]}, ${format(value)} of the images. Explained by the input ${format(sums.lr)}, by the reference ${format(sums.ref)}.`;
    const rows = [
      [
        "Completeness error",
        percent(completeness, 2),
        method === "occlusion"
          ? "occlusion promises none: pixels act together"
          : "of the difference; below 1 % the maps account for it",
      ],
      [
        "Diffusion index, reference",
        diffusion.ref === null ? "undefined" : diffusion.ref.toFixed(1),
        "100: all pixels alike; 0: one pixel (LAM)",
      ],
    ];
    facts.replaceChildren(
      ...rows.flatMap(([name, number, note]) => [
        make("dt", {}, name),
        make("dd", {}, make("b", {}, number), ` ${note}`),
      ]),
    );
  }
  return { element, draw };
}
