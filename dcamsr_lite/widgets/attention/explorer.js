// The attention microscope. One pass of each network arrives packed (queries, projected keys, value footprints,
// channel attention with its feature maps); softmax, lift, mixture and picture are computed here.
//
// For tests and lectures, the root element (class "dcamsr-explorer") has a property `explorer`, about the
// network on screen:
//   .map(level, head, row, column, relative, reverse, by_value) -> Float32Array, rows * columns of the level, row-major:
//        as Record.lift, reverse as Record.find_readers; row and column in the level's pixels, head null for the mean
//   .maps(level, row, column, relative, reverse, by_value) -> one map per head, and the mean last
//   .weights(level, head, row, column) -> Float64Array over the projected tokens
//   .channel(level, head) -> Float32Array d * d; .cosine(level, head) likewise
//   .feature(level, kind, head, i), .mixed(level, head, i) -> {values, size}: feature maps as sent
//   .source(level, row, column) -> [{head, feature, row, column}] as Record.source
//   .show(row, column) draws a query of the image's pixels at once; .state is what is on screen;
//        .format writes numbers as the page does

import { announcer, make } from "../shared/elements.js";
import { strides } from "../shared/input.js";
import { format } from "../shared/numbers.js";
import { heading, widget } from "../shared/page.js";
import { greysOf, sliceOf } from "../shared/panels.js";
import { shareState } from "../shared/state.js";
import { channelPanel } from "./channel_panel.js";
import { controlPanel } from "./controls.js";
import { cutsPanel } from "./cuts_panel.js";
import { entropyPanel } from "./entropy_panel.js";
import { footprintPanel } from "./footprint_panel.js";
import { imagePanel } from "./image_panel.js";
import { mapPanel } from "./map_panel.js";
import { mapOf, mapsOf } from "./maps.js";
import { mergePanel } from "./merge_panel.js";
import { offsetPanel } from "./offset_panel.js";
import { View } from "./view.js";

const NAMES = [
  "network",
  "branch",
  "query",
  "level",
  "head",
  "side_by_side",
  "relative",
  "reverse",
  "by_value",
  "cell",
];

/**
 * What `explorer` answers.
 * @param {View} view
 */
const answers = (view) => {
  const of = (level) => view.net.levels[level];
  return {
    map: (l, head, r, c, relative, reverse, by_value) => mapOf(of(l), head, r, c, { relative, reverse, by_value }),
    maps: (l, r, c, relative, reverse, by_value) => mapsOf(of(l), r, c, { relative, reverse, by_value }),
    weights: (l, head, r, c) => of(l).weights(head, r * of(l).columns + c),
    channel: (l, head) => of(l).matrix(head),
    cosine: (l, head) => of(l).cosine(head),
    feature: (l, kind, head, i) => of(l).feature(kind, head, i),
    mixed: (l, head, i) => of(l).mixed(head, i),
    source: (l, r, c) => of(l).source(r, c, view.net.merge === "scrambled"),
    state: view.state,
    format,
  };
};

/**
 * @param {import("../shared/page.js").Model} model
 * @param {import("../shared/page.js").Root} root
 */
function build(model, root) {
  const settle = () => {
    place.save();
    say();
  };
  const stay = () => {
    if (view.query) state.query = view.query.at;
    settle();
  };
  const leave = () => {
    show(...state.query);
    say();
  };
  const view = new View(model, {
    set: (changes) => place.set(changes),
    settle,
    cursor: { look: show, hover: show, stay, leave },
  });
  const { info, state } = view;
  const place = shareState(model, NAMES, state, update, () => view.fit());
  for (const name of NAMES) state[name] = model.get(name);

  const controls = controlPanel(view, place.bind);
  const pictures = imagePanel(view);
  const map = mapPanel(view);
  const footprint = footprintPanel(view);
  const offsets = offsetPanel(view);
  const merge = mergePanel(view);
  const channel = channelPanel(view);
  const entropies = entropyPanel(view);
  const cuts = cutsPanel(view);
  const [matrices, features] = channel.elements;
  const layout = make("span");
  const summary = make("summary", {}, "The weights of one place, on the whole image");
  const fold = make("details", { class: "dx-fold", open: "" }, summary, map.element);
  let folds = false;
  const live = announcer();
  const header = heading(
    model,
    "Where does the network look?",
    "Move over an image: which reference pixels does the network read for that place? Click to stay, arrow keys move on. How far from uniform is it, and does it matter?",
    [info.title, sliceOf(info), greysOf(info), ...info.files, ...info.notes],
  );
  header.querySelector(".dx-about")?.append(layout);
  root.append(
    header,
    controls.element,
    make(
      "div",
      { class: "dx-look" },
      make("div", {}, pictures.element, pictures.legend),
      make("div", { class: "dx-first" }, fold, offsets.element, matrices),
    ),
    make("div", { class: "dx-column" }, footprint.element, merge.element, features, entropies.element, cuts.element),
    live,
  );

  /** Draw a query of the image's pixels at once; the pixel. */
  function show(r, c) {
    const query = view.ask(r, c);
    const forward = state.reverse ? [] : [offsets, footprint, merge, entropies]; // about the query at this pixel
    const panels = state.branch === "spatial" ? [pictures, map, ...forward] : [pictures, channel];
    for (const panel of panels) panel.show(query);
    return query.at;
  }
  /** Draw everything that follows the controls. */
  function update() {
    const { net } = view;
    const spatial = state.branch === "spatial";
    view.compare();
    root.classList.toggle("dx-alone", !state.over);
    layout.textContent = ["", info.title === net.title ? null : net.title, net.layout, ...net.notes]
      .filter((part) => part !== null)
      .join(" · ");
    for (const part of [controls, pictures, map, offsets, footprint, merge, channel, entropies, cuts]) part.update();
    foldMap(spatial);
    const forward = spatial && !state.reverse;
    footprint.element.hidden = !forward || !!view.level.window; // single pixels have no footprints
    for (const { element } of [offsets, merge]) element.hidden ||= !forward;
    root.classList.toggle("dx-several", Boolean(state.side_by_side));
    root.classList.toggle("dx-grid", spatial && state.side_by_side === "levels");
    show(...state.query);
    say();
  }
  /** The map is not what is seen first where a few pixels are read: folded, unless it is asked for. */
  function foldMap(spatial) {
    fold.hidden = !spatial;
    const asked = state.side_by_side || state.reverse || state.by_value || state.relative === "queries";
    const few = !!view.level.window && !asked;
    summary.hidden = !few;
    if (few !== folds) fold.open = !(folds = few);
  }
  function say() {
    live.textContent = (state.branch === "spatial" ? map : channel).said();
  }

  strides(
    pictures.element,
    (dr, dc) => {
      state.query = show(state.query[0] + dr * state.level, state.query[1] + dc * state.level);
    },
    stay,
  );
  place.read();
  root.explorer = { ...answers(view), show, numbers: map.numbers };
  return place.stop;
}

const { render, standalone } = widget(build, "attention");
export { standalone };
export default { render };
