// Two questions that each branch must answer: how far is it from uniform, and does it matter? `view` as in spatial.js.

/** Entropy of the attention: one line per level and branch, a dot per head, rings for the query on screen. */
function entropyPart(view) {
  const { state } = view, lines = make("div", { class: "dx-spread", role: "img" });
  const words = make("p", { class: "dx-reading" });
  const element = card("How far from uniform?", make("p", { class: "dx-what" }, "entropy of the attention: 1 is uniform, 0 one-hot"), lines, words);
  const at = (value) => `left:${(100 * value).toFixed(2)}%`;
  let rings = [];
  function line(level, branch, values) {
    const now = level === state.level && branch === state.branch, head = branch === "spatial" ? state.head : state.cell[0];
    const dots = values.map((value, h) => make("i", { class: now && h === head ? `${branch} dx-now` : branch, style: at(value),
      title: `level ${level}, ${branch}, head ${h}: ${value.toFixed(5)}` }));
    const track = make("div", {}, ...dots), mean = values.reduce((a, b) => a + b) / values.length;
    if (now && branch === "spatial") track.append(...(rings = values.map(() => make("u"))));
    return [make("span", now ? { class: "dx-here" } : {}, `level ${level}, ${branch}`), track, make("span", {}, share(mean))];
  }
  function update() {
    const all = Object.entries(view.net.levels).flatMap(([l, v]) => Object.entries(v.entropy).map(([b, e]) => [+l, b, e]));
    rings = [];
    lines.setAttribute("aria-label", all.map(([l, b, e]) => `level ${l} ${b}: ${e.map((x) => x.toFixed(3)).join(" ")}`).join("; "));
    lines.replaceChildren(...all.flatMap((one) => line(...one)), make("span"),
      make("div", { class: "dx-ticks" }, ...["0", "0.5", "1"].map((x) => make("span", {}, x))), make("span", {}, "mean"));
    words.textContent = `Dots: the heads, each over all its rows.${rings.length ? ` Ring${state.head === null ? "s: the heads" : `: head ${state.head}`} at this query.` : ""}`;
  }
  function show({ row, column }) {
    const { level } = view, token = row * level.columns + column;
    rings.forEach((ring, head) => {
      ring.hidden = state.head !== null && state.head !== head;
      if (!ring.hidden) ring.setAttribute("style", at(entropy(level.weights(head, token))));
    });
  }
  return { element, update, show };
}

/** What the output loses when the trained network runs without a branch, or with a blank reference. */
function matterPart(view) {
  const lines = make("div", { class: "dx-losses" }), what = make("p", { class: "dx-what" });
  const element = card("Does it matter?", what, lines, make("p", { class: "dx-reading" },
    "The trained network, run once more for each. Uniform: all weights of the branch alike. Off: it adds nothing. Single heads and levels: in the intervention lab."));
  function update() {
    const { cuts } = view.net, judged = cuts.every(({ psnr }) => psnr !== null), value = (cut) => (judged ? cut.psnr : 100 * cut.moved);
    const most = Math.max(...cuts.map((cut) => Math.abs(value(cut))), 1e-9);
    element.hidden = !cuts.length;
    what.textContent = judged ? "change of the PSNR of this slice" : "root mean square change of the output, % of white";
    lines.replaceChildren(...cuts.flatMap((cut) => {
      const x = value(cut), text = judged ? `${Math.abs(x) < 0.005 ? "±" : x < 0 ? "−" : "+"}${Math.abs(x).toFixed(2)} dB` : `${format(x)} %`;
      return [make("span", cut.part === view.state.branch ? { class: "dx-here" } : {}, `${cut.part} ${cut.state}`),
        make("div", {}, make("i", { class: x > 0 && judged ? "dx-gain" : "", style: `width:${(100 * Math.abs(x)) / most}%` })), make("span", {}, text)];
    }));
  }
  return { element, update, show: () => {} };
}
