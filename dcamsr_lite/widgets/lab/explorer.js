// The intervention lab: switches, sliders and lesions make an intervention; the kernel runs the network
// with it and answers with images and numbers; what differs is computed and drawn here. A saved page
// holds answers that were computed before.
//
// For tests and lectures, the root element (class "dcamsr-explorer") has a property `explorer`:
//   .state is the intervention on screen, its cuts as .grid[branch][level][head]; .asked() the same as
//        the kernel is asked for it, its cuts as a list
//   .set(intervention) asks for one, as a dict like Intervention.as_dict; .reset() for none
//   .shown() -> {intervention, psnr_db, ...} of the picture that is on screen, .values(name) its pixels
//   .waiting() whether the kernel has not answered yet; .answers counts its answers

import { fromKernel, fromPage } from "../shared/answers.js";
import { make } from "../shared/elements.js";
import { heading, widget } from "../shared/page.js";
import { greysOf, sliceOf } from "../shared/panels.js";
import { shareState } from "../shared/state.js";
import { controlPanel } from "./controls.js";
import { imagePanels } from "./image_panels.js";
import { asked, keyOf } from "./intervention.js";
import { numbersPanel } from "./numbers_panel.js";
import { triedPanel } from "./tried_panel.js";
import { View } from "./view.js";

const NO_ANSWER =
  "This page has no answer to that: it keeps what was computed before it was saved, and here is no kernel to run the network. Reset, choose a row of the table, or open the lab in a notebook";

/**
 * @param {import("../shared/page.js").Model} model
 * @param {import("../shared/page.js").Root} root
 */
function build(model, root) {
  const view = new View(model);
  const { info } = view;
  const rows = () => model.get("rows");
  const sent = {};
  const shared = shareState(model, ["draft", "intervention"], sent, heard);
  const status = make("p", { class: "dx-status", role: "status" });
  const sentence = make("p", { class: "dx-sentence", "aria-live": "polite" });
  const answers = (model.alone ? fromPage : fromKernel)({
    model,
    question: "intervention",
    adopt: (given) => view.adopt(given),
    keyOf,
    put(state, draft) {
      Object.assign(sent, { draft, intervention: asked(state, info) });
      shared.write();
    },
    tell,
    wait: (words) => {
      status.textContent = words;
    },
    refused: NO_ANSWER,
  });

  view.answered = (state) => answers.has(keyOf(state));
  const controls = controlPanel(view, change, sync);
  const numbers = numbersPanel(info.floors);
  const images = imagePanels(view, (lesion) => {
    view.state.lesions.push(lesion);
    change();
  });
  const tried = triedPanel(view, rows, set);
  root.append(
    heading(
      model,
      "What if the network could not look there?",
      model.alone
        ? "Switch off parts of the attention, change the reference: what the network then gave was computed before this page was saved."
        : "Switch off parts of the attention, change the reference, paint a lesion: the network runs again and shows what that does to its output.",
      [info.title, sliceOf(info), greysOf(info), ...info.files, ...info.notes],
    ),
    make(
      "div",
      { class: "dx-lab" },
      controls.element,
      make(
        "div",
        {},
        make("div", { class: "dx-now-line" }, make("div", {}, sentence, status), controls.reset),
        numbers.element,
        images.element,
      ),
    ),
    tried.element,
  );

  let now = rows()[0]; // what is on screen
  /** Ask for what the controls say; a draft while a slider moves. */
  function change(settled = true) {
    sync();
    answers.ask(view.state, !settled);
  }
  function set(intervention) {
    view.state = view.adopt(intervention);
    change();
  }
  /** From the kernel, or from the tour. */
  function heard() {
    const given = view.adopt(model.get("intervention"));
    if (answers.isAsked(keyOf(given))) return; // what was asked for, coming back
    view.state = given;
    view.takeUp();
    sync();
    answers.adopted(given);
  }
  function sync() {
    controls.sync();
    images.sync();
    root.classList.toggle("dx-brush", view.brush.mode !== "look");
  }
  /** A picture; or why there is none: then the last one stays. */
  function tell(result, words) {
    root.classList.toggle("dx-stale", Boolean(result.refused));
    status.textContent = result.refused ? `${result.refused}. The picture is still the one named above.` : words;
    if (!result.refused) show(result);
  }
  function show(result) {
    now = result;
    view.read(result);
    images.draw();
    sentence.textContent = `${result.tried[0].toUpperCase()}${result.tried.slice(1)}.`;
    numbers.draw(result, rows()[0]);
    tried.mark(result.intervention);
  }
  function tabulate() {
    tried.draw();
    tried.mark(now.intervention);
  }

  model.on("change:rows", tabulate);
  tabulate();
  sync();
  show(now);
  tell(model.get("result"), "");
  if (model.alone) answers.adopted(view.state);
  root.explorer = {
    get state() {
      return view.state;
    },
    get answers() {
      return answers.count();
    },
    asked: () => view.asked(),
    set,
    reset: () => controls.reset.click(),
    shown: () => now,
    values: (name) => view.pixels[name],
    waiting: answers.waiting,
    numbers: () => ({ values: view.pixels.change, size: view.size }),
  };
  return () => {
    answers.stop();
    shared.stop();
    model.off("change:rows", tabulate);
  };
}

const { render, standalone } = widget(build, "lab");
export { standalone };
export default { render };
