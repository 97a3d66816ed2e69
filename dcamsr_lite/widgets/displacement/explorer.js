// The displacement explorer: sliders move the reference; the kernel runs every network with it and answers with
// pictures, arrows and numbers. A saved page holds answers that were computed before, one slider at a time.
//
// For tests and lectures, the root element (class "dcamsr-explorer") has a property `explorer`:
//   .moved is where the reference is, {right, down, turn}; .move(axis, value) moves one slider
//   .state is {network, axis}; .shown() the answer on screen, .values(name) the pixels of "reference", "output", "error"
//   .arrows() those on screen; .waiting() whether the kernel has not answered yet; .answers counts its answers

import { fromKernel, fromPage } from "../shared/answers.js";
import { make } from "../shared/elements.js";
import { heading, widget } from "../shared/page.js";
import { greysOf, sliceOf } from "../shared/panels.js";
import { shareState } from "../shared/state.js";
import { controlPanel } from "./controls.js";
import { curvePanel } from "./curve_panel.js";
import { picturePanels } from "./picture_panels.js";
import { View } from "./view.js";
import { ZERO, adopt, keyOf, move, sayBack, sayFound, sayWorth } from "./words.js";

/**
 * @param {import("../shared/page.js").Model} model
 * @param {import("../shared/page.js").Root} root
 */
function build(model, root) {
  const view = new View(model);
  const { info } = view;
  const alone = Boolean(model.alone);
  const sent = {};
  const asking = shareState(model, ["draft", "moved"], sent, heard);
  const sharing = shareState(model, ["network", "axis"], view.state, draw);
  const status = make("p", { class: "dx-status", role: "status" });
  const found = make("p", { class: "dx-sentence" });
  const worth = make("p", { class: "dx-sentence" });
  const answers = (alone ? fromPage : fromKernel)({
    model,
    question: "moved",
    adopt,
    keyOf,
    put(moved, draft) {
      Object.assign(sent, { draft, moved: { ...moved } });
      asking.write();
    },
    tell,
    wait: (words) => {
      status.textContent = words;
    },
    refused:
      "This page has no answer to that: it holds one slider at a time, in steps. A notebook has a kernel for every value",
  });
  const controls = controlPanel(view, sharing.bind, change, () => go({ ...ZERO }), alone);
  const pictures = picturePanels(view);
  const curves = curvePanel(view);
  root.append(
    heading(
      model,
      "What if the reference lies elsewhere?",
      "Shift or turn the reference: the networks run again. Arrows show where each place looks, the curve what the output keeps.",
      [info.title, sliceOf(info), greysOf(info), ...info.files, ...info.notes],
    ),
    controls.element,
    make("div", { class: "dp-said", "aria-live": "polite" }, found, worth, status),
    make("div", { class: "dp-look" }, ...pictures.figures, curves.element),
  );

  let back = { axis: "", words: "" }; // what the slider that moves took back
  function change(axis, value, settled) {
    const moved = move(view.moved, axis, value, (place) => answers.has(keyOf(place)));
    const words = sayBack(view.moved, moved, axis);
    if (words || back.axis !== axis) back = { axis, words };
    go(moved, axis, settled);
    if (back.words) status.textContent = back.words;
  }
  /** The reference there; the curve through it is asked for when its slider is let go. */
  function go(moved, axis = view.state.axis, settled = true) {
    view.moved = moved;
    view.state.axis = axis;
    controls.sync();
    if (settled) sharing.write(); // in one message with the place
    answers.ask(moved, !settled);
    if (settled) sharing.save();
  }
  /** From the kernel, or from the tour. */
  function heard() {
    const given = adopt(model.get("moved"));
    if (answers.isAsked(keyOf(given))) return; // what was asked for, coming back
    view.moved = given;
    controls.sync();
    answers.adopted(given);
  }
  /** An answer; or why there is none: then the last picture stays. */
  function tell(result, words) {
    root.classList.toggle("dx-stale", Boolean(result.refused));
    status.textContent = result.refused ? `${result.refused}. The picture is still the last one.` : words;
    if (result.refused) return;
    view.result = result;
    draw();
  }
  function draw() {
    const { network: name } = view.state;
    if (!view.result.networks) return;
    view.read();
    controls.sync();
    pictures.draw();
    curves.update();
    const seen = { name, moved: adopt(view.result.moved), found: view.shown.found };
    found.textContent = sayFound(
      name,
      seen.moved,
      seen.found,
      keyOf(seen.moved) === keyOf(ZERO) ? null : (view.start?.off[name] ?? null),
    );
    worth.textContent = sayWorth({ ...seen, now: view.shown.psnr, inPlace: view.inPlace(), floor: info.floor });
  }

  model.on("change:rows", draw);
  sharing.read();
  tell(model.get("result"), "");
  controls.sync();
  root.explorer = {
    get moved() {
      return view.moved;
    },
    get state() {
      return view.state;
    },
    get answers() {
      return answers.count();
    },
    move: change,
    shown: () => view.result,
    values: (name) => view.pixels[name],
    arrows: () => view.arrows(),
    waiting: answers.waiting,
    numbers: () => ({ values: view.pixels.output, size: view.size }),
  };
  return () => {
    answers.stop();
    asking.stop();
    sharing.stop();
    model.off("change:rows", draw);
  };
}

const { render, standalone } = widget(build, "displacement");
export { standalone };
export default { render };
