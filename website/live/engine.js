// The page's side of the worker that runs the network. It is started when it is first asked for.

const LATEST = "a current Firefox, Chrome, Edge or Safari (16.4 or newer) runs it";

/**
 * @typedef {{ values: Float32Array, shape: number[] }} Array4
 * @typedef {{ outputs: Record<string, Array4>, seconds: number }} Answer
 */

/** Why this browser cannot run it, in one sentence; nothing where it can. */
export function whyNot() {
  if (typeof WebAssembly !== "object") return `This browser has no WebAssembly, which runs the network: ${LATEST}.`;
  // a module whose one function has a 128-bit constant: what the engine is made of
  const simd = Uint8Array.of(
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
  ); // prettier-ignore
  if (!WebAssembly.validate(simd)) return `This browser's WebAssembly is too old (no SIMD): ${LATEST}.`;
  return "";
}

/** What went wrong, as a reader can use it. */
function explain(words) {
  if (/memory|allocat|bad_alloc/i.test(words))
    return `There is not enough memory for the network (it takes some 300 MB): close other tabs, then load this page again. (${words})`;
  if (/did not come|fetch|network|Failed to/i.test(words))
    return `The network could not be loaded (${words}): check the connection, then load this page again.`;
  return `The network could not run here (${words}).`;
}

export class Engine {
  #waiting = new Map();
  #count = 0;
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Promise<object> | null} */
  #loaded = null;

  /**
   * @param {{ networks: string[], bytes: number }} files the network's, beside the worker, and how much all files are
   * @param {(share: number, megabytes: number) => void} progress
   */
  constructor(files, progress) {
    this.files = files;
    this.progress = progress;
  }
  /** Loads once, whoever asks. */
  load() {
    this.#loaded ??= this.#start();
    return this.#loaded;
  }
  async #start() {
    const why = whyNot();
    if (why) throw new Error(why);
    this.#worker = new Worker(new URL("worker.js", document.baseURI), { type: "module" });
    this.#worker.addEventListener("message", ({ data }) => this.#heard(data));
    this.#worker.addEventListener("error", (event) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(explain(event.message || "its worker stopped")));
      this.#waiting.clear();
    });
    return this.#ask({ type: "load", networks: this.files.networks }).catch((error) => {
      this.progress = () => {}; // what is still on its way is not wanted any more
      throw error;
    });
  }
  /**
   * @param {Record<string, Array4>} inputs
   * @param {string[]} wanted
   * @returns {Promise<Answer>}
   */
  async run(inputs, wanted) {
    await this.load();
    return this.#ask({ type: "run", inputs, wanted });
  }
  #ask(message) {
    return new Promise((resolve, reject) => {
      const id = ++this.#count;
      this.#waiting.set(id, { resolve, reject });
      this.#worker?.postMessage({ id, ...message });
    });
  }
  #heard({ type, id, answer, error, loaded }) {
    if (type === "progress") return this.progress(Math.min(1, loaded / this.files.bytes), loaded / 1e6);
    const { resolve, reject } = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) reject(new Error(explain(error)));
    else resolve(answer);
  }
}
