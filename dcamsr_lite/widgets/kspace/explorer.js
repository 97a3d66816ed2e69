// The k-space explorer: a box to drag on k-space, and the image that the samples in it make.
//
// For tests and lectures, the root element (class "dcamsr-explorer") has a property `explorer`:
//   .image(setting, small) -> Float64Array: the zero-filled image, or the box's own small one
//   .quality(setting) -> {psnr, ssim, nmse, brightness, inside, outside, measured, removed} of what this setting shows
//   .weights(setting) -> Float64Array of the box; .full is the full image
//   .show(box) draws a box at once; .state is the setting on screen

import { announcer, make } from "../shared/elements.js";
import { eachFrame } from "../shared/input.js";
import { format } from "../shared/numbers.js";
import { heading, widget } from "../shared/page.js";
import { sliceOf } from "../shared/panels.js";
import { shareState } from "../shared/state.js";
import { boxPanel } from "./box_panel.js";
import { controlPanel } from "./controls.js";
import { picturePanels } from "./picture_panels.js";
import { profilePanel } from "./profile_panel.js";
import { qualityPanel } from "./quality_panel.js";
import { weights } from "./samples.js";
import { View } from "./view.js";

const NAMES = ["box", "shape", "noise", "window", "taper", "matrix", "rescale", "point", "along"];

/**
 * @param {import("../shared/page.js").Model} model
 * @param {import("../shared/page.js").Root} root
 */
function build(model, root) {
  const view = new View(model);
  const { info, size, state, data } = view;
  const { soon, flush } = eachFrame();
  const shared = shareState(model, NAMES, state, update);
  const settle = () => {
    flush();
    shared.save();
    say();
  };
  const slide = (changes, settled) => {
    Object.assign(state, changes);
    settled ? settle() : soon(draw);
  };
  const show = (next) => {
    state.box = next;
    draw();
  };
  const look = (row, column) => {
    view.look(row, column);
    drawProfile();
  };
  const leave = () => {
    state.point = model.get("point");
    drawProfile();
  };

  const controls = controlPanel(view, shared.bind, slide);
  const numbers = qualityPanel();
  const box = boxPanel(view, { drag: (next) => slide({ box: next }, false), step: show, settle });
  const pictures = picturePanels(view, { look, stay: settle, leave });
  const profile = profilePanel(view, shared.bind);
  const live = announcer();
  root.append(
    heading(
      model,
      "What does each part of k-space hold?",
      "Drag the box on k-space: its inside moves it, its edges and corners size it. The image keeps only what lies in the box.",
      [
        info.title,
        info.origin,
        info.coils > 1 ? `${info.coils} coils` : null,
        sliceOf(info),
        ...info.files,
        ...info.notes,
      ],
    ),
    controls.element,
    make("div", { class: "kx-parts" }, box.figure, ...pictures.figures, profile.element, numbers.element),
    live,
  );

  /** @type {Float64Array} */
  let image;
  /** What follows the box. */
  function draw() {
    const shown = view.judged(state);
    image = shown.image;
    box.draw();
    pictures.draw(image);
    numbers.draw(shown.quality, data.kept(state));
    drawProfile();
    controls.syncPresets();
  }
  function drawProfile() {
    profile.draw(image);
    pictures.point(image);
  }
  /** What follows the controls. */
  function update() {
    controls.sync();
    profile.sync();
    draw();
    say();
  }
  function say() {
    live.textContent = `${box.said()}. ${numbers.said()}.`;
  }

  shared.read();
  root.explorer = {
    image: (setting, small) => data.image(setting, small),
    quality: (setting) => view.judged(setting).quality,
    weights: (setting) => weights(setting, size),
    full: data.full,
    state,
    format,
    show,
    numbers: () => ({ values: image, size: view.size }),
  };
  return () => {
    profile.stop();
    shared.stop();
  };
}

const { render, standalone } = widget(build, "kspace");
export { standalone };
export default { render };
