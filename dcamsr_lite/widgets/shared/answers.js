// Who answers a question: the kernel, which runs the network, or a saved page, which holds answers that were computed
// before it was saved. Another engine would be a third function of this kind here.

/**
 * @template State
 * @typedef {object} Talk
 * @property {import("./page.js").Model} model its trait `result` answers
 * @property {string} question the name of the trait that asks, and of its copy in an answer
 * @property {(given: any) => State} adopt a question as the controls hold it
 * @property {(state: State) => string} keyOf the same for questions that have the same answer
 * @property {(state: State, draft: boolean) => void} put writes a question into the model
 * @property {(result: any, words: string) => void} tell shows an answer
 * @property {(words: string) => void} wait says that there is none yet
 * @property {string} refused what a saved page says where it has none
 */
/**
 * `last` is the key of the latest question sent, null where what is on screen was not asked for here.
 * @template State
 * @typedef {object} Answers
 * @property {(state: State, draft: boolean) => void} ask
 * @property {(state: State) => void} adopted what another has set is on screen
 * @property {(key: string) => boolean} isAsked
 * @property {(key: string) => boolean} has whether a question with this key would be answered
 * @property {() => boolean} waiting
 * @property {() => number} count
 * @property {() => void} stop
 */

/**
 * One question at a time: of those that wait, only the latest is sent.
 * @template State
 * @param {Talk<State>} talk
 * @returns {Answers<State>}
 */
export function fromKernel({ model, question, adopt, keyOf, put, tell, wait }) {
  /** @typedef {string | null} Key */
  let waiting = /** @type {Key} */ (null),
    last = /** @type {Key} */ (null),
    count = 0,
    timer;
  let pending = /** @type {{ state: State, draft: boolean } | null} */ (null);
  const answers = () => keyOf(adopt(model.get("result")[question])) === waiting;
  function send() {
    if (waiting || !pending) return;
    const { state, draft } = pending;
    last = waiting = keyOf(state);
    pending = null;
    const same = draft === (model.get("draft") ?? draft) && keyOf(adopt(model.get(question))) === last;
    put(state, draft);
    if (same && answers()) return answered(); // no change: the kernel would not answer
    model.save_changes();
    clearTimeout(timer);
    timer = setTimeout(() => {
      wait("Computing …");
      timer = setTimeout(() => {
        wait(model.late ?? "The kernel has not answered yet: it is busy, or gone. The next change asks again.");
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
    has: () => true,
    waiting: () => Boolean(waiting || pending),
    count: () => count,
    stop() {
      model.off("change:result", answered);
      clearTimeout(timer);
    },
  };
}

/**
 * @template State
 * @param {Talk<State>} talk
 * @returns {Answers<State>}
 */
export function fromPage({ model, question, adopt, keyOf, put, tell, refused }) {
  const saved = new Map((model.get("results") ?? []).map((result) => [keyOf(adopt(result[question])), result]));
  const answer = (state) => tell(saved.get(keyOf(state)) ?? { refused }, "");
  return {
    ask(state, draft) {
      put(state, draft); // or a step of the tour that asks for what the model has would be no change
      answer(state);
    },
    adopted: answer,
    isAsked: () => false,
    has: (key) => saved.has(key),
    waiting: () => false,
    count: () => 0,
    stop() {},
  };
}
