// Does it matter? What the output loses when the trained network runs without a branch, or with a blank reference.

import { card, make } from "../shared/elements.js";
import { format } from "../shared/numbers.js";

/** @typedef {import("./view.js").View} View */

/** @param {View} view */
export function cutsPanel(view) {
  const lines = make("div", { class: "dx-losses" });
  const what = make("p", { class: "dx-what" });
  const element = card(
    "Does it matter?",
    what,
    lines,
    make(
      "p",
      { class: "dx-reading" },
      "The trained network, run once more for each: what it leans on, and not what a network trained without the part would lose. Uniform: all weights of the branch alike. Off: it adds nothing. Single heads and levels: in the intervention lab.",
    ),
  );
  function update() {
    const { cuts } = view.net;
    const judged = cuts.every(({ psnr }) => psnr !== null);
    const value = (cut) => (judged ? cut.psnr : 100 * cut.moved);
    const most = Math.max(...cuts.map((cut) => Math.abs(value(cut))), 1e-9);
    element.hidden = !cuts.length;
    what.textContent = judged
      ? "change of the PSNR of this slice"
      : "root mean square change of the output, % of white";
    lines.replaceChildren(
      ...cuts.flatMap((cut) => {
        const x = value(cut);
        const text = judged
          ? `${Math.abs(x) < 0.005 ? "±" : x < 0 ? "−" : "+"}${Math.abs(x).toFixed(2)} dB`
          : `${format(x)} %`;
        return [
          make("span", cut.part === view.state.branch ? { class: "dx-here" } : {}, `${cut.part} ${cut.state}`),
          make(
            "div",
            {},
            make("i", { class: x > 0 && judged ? "dx-gain" : "", style: `width:${(100 * Math.abs(x)) / most}%` }),
          ),
          make("span", {}, text),
        ];
      }),
    );
  }
  return { element, update, show: () => {} };
}
