// The reader's place: a part of it is shared with the kernel.

/** @typedef {import("./page.js").Model} Model */
/** @typedef {(name: string) => [read: () => any, write: (value: any) => void]} Bind what a control reads and writes */

/**
 * What of the state is shared with the kernel, by name.
 * @template {Record<string, any>} State
 * @param {Model} model
 * @param {string[]} names
 * @param {State} state
 * @param {() => void} changed draws anew: after `set`, and when the kernel or the tour changes the model
 * @param {() => void} [fit] brings a state that does not exist to one that does, before it is drawn
 */
export function shareState(model, names, state, changed, fit = () => {}) {
  let writing = false; // the model answers each set with a change of its own
  const read = () => {
    if (writing) return;
    Object.assign(state, Object.fromEntries(names.map((name) => [name, model.get(name)])));
    fit();
    changed();
  };
  /** Into the model, which does not hear of it yet; `save` tells the kernel. */
  const write = () => {
    writing = true;
    for (const name of names) model.set(name, state[name]);
    writing = false;
  };
  const save = () => {
    write();
    model.save_changes();
  };
  /** @param {Partial<State>} changes */
  const set = (changes) => {
    Object.assign(state, changes);
    fit();
    save();
    changed();
  };
  /** @type {Bind} */
  const bind = (name) => [() => state[name], (value) => set(/** @type {any} */ ({ [name]: value }))];
  for (const name of names) model.on(`change:${name}`, read);
  const stop = () => {
    for (const name of names) model.off(`change:${name}`, read);
  };
  return { read, write, save, set, bind, stop };
}
