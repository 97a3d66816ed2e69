// The controls; those of one network's levels and heads are laid anew when it changes.

import { choice } from "../shared/controls.js";
import { make } from "../shared/elements.js";

/** What a value-weighted map is, by what the network does with its values: see Record.lift. */
const BY_VALUE = {
  projected:
    "attention times the length of the reference pixel's value behind the output projection: a large weight on a value near nothing brings nothing",
  moved:
    "attention times the length of what is moved, the reference or its features: this network encodes anew what it found, without an output projection between",
  torn: "attention times the length of the value behind the output projection",
};
const TORN =
  "Not here: the released merge writes the features of one pixel to different pixels, so no value has a length";

/**
 * @param {import("./view.js").View} view
 * @param {import("../shared/state.js").Bind} bind
 */
export function controlPanel(view, bind) {
  const { state, packed } = view;
  const first = make("div", { class: "dx-choices" });
  const second = make("div", { class: "dx-choices" });
  const network = choice(
    "Network",
    Object.entries(packed).map(([name, one]) => [name, name, `${name}: ${one.title}`]),
    ...bind("network"),
  );
  const branch = choice(
    "Branch",
    [
      ["spatial", "spatial: where to look", "spatial, where to look"],
      ["channel", "channel: which features", "channel, which features to take"],
    ],
    ...bind("branch"),
  );
  if (Object.keys(packed).length > 1) first.append(network.group);
  first.append(branch.group);
  /** @typedef {ReturnType<typeof choice>} Control */
  /** @type {Control} */
  let level;
  /** @type {Control[]} */
  let ofSpatial = [];
  let laid = "";
  function lay() {
    const heads = [...Array(view.net.heads).keys()];
    const levels = Object.entries(view.net.levels);
    level = choice(
      "Level",
      levels.map(([l, v]) => [+l, l, `level ${l}, ${v.rows} × ${v.columns}`]),
      ...bind("level"),
    );
    ofSpatial = [
      choice(
        "Head",
        [
          [null, "mean", "mean over heads"],
          ...heads.map((h) => /** @type {[number, string, string]} */ ([h, String(h), `head ${h}`])),
        ],
        ...bind("head"),
      ),
      choice(
        "View",
        [
          [false, "one map"],
          [true, "all heads", "all heads side by side"],
          ["levels", "all levels", "all heads of all levels"],
        ],
        ...bind("side_by_side"),
      ),
      choice(
        "Show",
        [
          [true, "minus uniform", "difference from uniform attention, most of which queries may share"],
          [false, "absolute"],
          ["queries", "minus mean", "difference from the mean over all queries: this query's own"],
        ],
        ...bind("relative"),
      ),
      choice(
        "Weight",
        [
          [false, "attention"],
          [true, "× value", BY_VALUE[view.net.values]],
        ],
        ...bind("by_value"),
        (value) => (value && view.net.values === "torn" ? TORN : ""),
      ),
      choice(
        "Pixel",
        [
          [false, "reads", "what the query at this pixel reads of the reference"],
          [true, "is read by", "which queries read this pixel of the reference"],
        ],
        ...bind("reverse"),
      ),
      choice(
        "Map",
        [
          [true, "on image", "on reference, or on the input where queries are shown"],
          [false, "alone"],
        ],
        ...bind("over"),
      ),
    ];
    second.replaceChildren(level.group, ...ofSpatial.map(({ group }) => group));
    branch.group.hidden = !view.net.d;
    laid = state.network;
  }
  function update() {
    if (laid !== state.network) lay();
    for (const { sync } of [network, branch, level, ...ofSpatial]) sync();
    for (const { group } of ofSpatial) group.hidden = state.branch !== "spatial";
  }
  return { element: make("div", { class: "dx-controls dx-rows" }, first, second), update };
}
