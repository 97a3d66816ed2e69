// Who answers what an intervention does: the kernel, which runs the network, or a saved page, which holds answers that
// were computed before it was saved. Another engine would be a third function of this kind here.

import { adopt, asked, keyOf } from "./intervention.js";

/**
 * @typedef {object} Talk
 * @property {import("../shared/page.js").Model} model
 * @property {import("./intervention.js").Info} info
 * @property {(wanted: object, draft: boolean) => void} put writes a question into the model
 * @property {(result: any, words: string) => void} tell shows an answer
 * @property {(words: string) => void} wait says that there is none yet
 */
/**
 * `last` is the key of the latest question sent, null where what is on screen was not asked for here.
 * @typedef {object} Answers
 * @property {(state: import("./intervention.js").State, draft: boolean) => void} ask
 * @property {(state: import("./intervention.js").State) => void} adopted what another has set is on screen
 * @property {(key: string) => boolean} isAsked
 * @property {() => boolean} waiting
 * @property {() => number} count
 * @property {() => void} stop
 */

/**
 * One question at a time: of those that wait, only the latest is sent.
 * @param {Talk} talk
 * @returns {Answers}
 */
export function fromKernel({ model, info, put, tell, wait }) {
  /** @typedef {string | null} Key */
  let waiting = /** @type {Key} */ (null),
    last = /** @type {Key} */ (null),
    count = 0,
    timer;
  let pending = /** @type {{ state: import("./intervention.js").State, draft: boolean } | null} */ (null);
  const answers = () => keyOf(adopt(model.get("result").intervention, info)) === waiting;
  function send() {
    if (waiting || !pending) return;
    const { state, draft } = pending;
    last = waiting = keyOf(state);
    pending = null;
    const same = draft === model.get("draft") && keyOf(adopt(model.get("intervention"), info)) === last;
    put(asked(state, info), draft);
    if (same && answers()) return answered(); // no change: the kernel would not answer
    model.save_changes();
    clearTimeout(timer);
    timer = setTimeout(() => {
      wait("Computing …");
      timer = setTimeout(() => {
        wait("The kernel has not answered yet: it is busy, or gone. The next change asks again.");
        waiting = null;
      }, 10000);
    }, 600);
  }
  function answered() {
    if (waiting && !answers()) return; // to an older question: what was asked since is on its way
    const result = model.get("result");
    count++;
    clearTimeout(timer);
    waiting = null;
    tell(result, `Answered in ${result.seconds.toFixed(2)} s.`);
    send();
  }
  model.on("change:result", answered);
  return {
    ask(state, draft) {
      pending = { state: structuredClone(state), draft };
      send();
    },
    adopted() {
      last = pending = null;
    }, // what still waited to be asked is not wanted any more
    isAsked: (key) => key === last,
    waiting: () => Boolean(waiting || pending),
    count: () => count,
    stop() {
      model.off("change:result", answered);
      clearTimeout(timer);
    },
  };
}

/**
 * @param {Talk} talk
 * @returns {Answers}
 */
export function fromPage({ model, info, put, tell }) {
  const saved = new Map(
    (model.get("results") ?? []).map((result) => [keyOf(adopt(result.intervention, info)), result]),
  );
  const refused =
    "This page has no answer to that: it keeps what was computed before it was saved, and here is no kernel to run the network. Reset, choose a row of the table, or open the lab in a notebook";
  const answer = (state) => tell(saved.get(keyOf(state)) ?? { refused }, "");
  return {
    ask(state, draft) {
      put(asked(state, info), draft); // or a step of the tour that asks for what the model has would be no change
      answer(state);
    },
    adopted: answer,
    isAsked: () => false,
    waiting: () => false,
    count: () => 0,
    stop() {},
  };
}
