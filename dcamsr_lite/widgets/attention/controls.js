// The controls; those of one network's levels and heads are laid anew when it changes.

import { choice } from "../shared/controls.js";
import { make } from "../shared/elements.js";

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
        "Map",
        [
          [true, "on reference"],
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
