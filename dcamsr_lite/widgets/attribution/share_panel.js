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
  function draw() {
    const { share, net: sums, value, start, target, completeness, diffusion } = view.result;
    const { method } = view.state;
    const parts =
      share === null
        ? []
        : [
            { name: "input", part: 1 - share, kind: "da-lr" },
            { name: "reference", part: share, kind: "da-ref" },
          ];
    shares.replaceChildren(
      ...parts.map(({ part, kind }) => make("div", { class: kind, style: `flex-grow:${part}` })),
      make(
        "p",
        {},
        ...parts.map(({ name, part, kind }) =>
          make("span", {}, make("i", { class: kind }), `${name} ${percent(part, 1)}`),
        ),
      ),
    );
    shares.setAttribute("aria-label", `share of the reference ${percent(share, 1)}`);
    net.textContent = `${target === "detail" ? "Detail" : "Mean"} of the patch: ${format(start)} of ${STARTS[method]}, ${format(value)} of the images. Explained by the input ${format(sums.lr)}, by the reference ${format(sums.ref)}.`;
    const rows = [
      ["Share of the reference", percent(share, 1), "sum of |attribution| there over that on both"],
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
