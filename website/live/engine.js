// The page's side of the worker that runs the network. It is started when it is first asked for: on a graphics processor
// where the browser has one, on the processor otherwise.

/**
 * @typedef {"wasm" | "webgpu"} Kind
 * @typedef {{ kind: Kind, file: Kind, providers: string[] }} Way what runs the network, whose file it is in, for its worker
 */
const WORKERS = { wasm: "worker.js", webgpu: "worker_webgpu.js" };
/** @type {Way} */
const WASM = { kind: "wasm", file: "wasm", providers: ["wasm"] };
/** @type {Way} what has no code for the graphics processor there, the processor does */
const WEBGPU = { kind: "webgpu", file: "webgpu", providers: ["webgpu", "wasm"] };
/** @type {Way} the processor with what came for the graphics processor: no second engine to load */
const SPARE = { kind: "wasm", file: "webgpu", providers: ["wasm"] };

const PATIENCE = 10; // seconds for a word from a graphics processor that nobody asked for by name, all its files being here
const SLOW = 2; // seconds for an answer: the processor takes half of one
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

/**
 * Whether this browser has WebGPU, and WebAssembly that can wait for it. An adapter that is a program on the processor
 * is only taken where it is asked for.
 * @param {string | null} asked
 */
export async function hasWebGPU(asked) {
  const { gpu } = /** @type {any} */ (navigator);
  if (asked === "wasm" || !gpu || !("Suspending" in WebAssembly)) return false;
  const late = new Promise((resolve) => setTimeout(resolve, 1000 * SLOW, null));
  const adapter = await Promise.race([gpu.requestAdapter().catch(() => null), late]);
  const played = adapter?.info?.isFallbackAdapter ?? adapter?.isFallbackAdapter;
  return Boolean(adapter && (asked === "webgpu" || !played));
}

/** What went wrong, as a reader can use it. */
function explain(error) {
  const words = wordsOf(error);
  if (/memory|allocat|bad_alloc/i.test(words))
    return new Error(
      `There is not enough memory for the network (it takes some 300 MB): close other tabs, then load this page again. (${words})`,
    );
  if (/did not come|fetch|network|Failed to/i.test(words))
    return new Error(`The network could not be loaded (${words}): check the connection, then load this page again.`);
  return new Error(`The network could not run here (${words}).`);
}
const wordsOf = (error) => String(error instanceof Error ? error.message : error);

export class Engine {
  #waiting = new Map();
  #count = 0;
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Promise<void> | null} */
  #loaded = null;
  /** @type {Way[]} what is still to be tried */
  #left = [WASM];
  #way = WASM;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #came = 0; // bytes

  note = ""; // why it is not the one that was asked for, or that the browser has

  /**
   * @param {{ networks: string[], bytes: Record<Kind, number> }} files the network's, and how much all files of an engine are
   * @param {string | null} asked "wasm" does without a graphics processor, "webgpu" waits for it as long as it takes
   * @param {Promise<boolean>} webgpu whether there is one
   * @param {object} page
   * @param {(loaded: number, total: number) => void} page.progress in bytes
   * @param {() => void} page.ready one runs: the first, or another in its place
   * @param {(error: Error) => void} page.failed none can
   * @param {(engine: Pick<Engine, "run">) => Promise<unknown>} page.check refuses one whose numbers are not those of torch
   */
  constructor(files, asked, webgpu, page) {
    this.files = files;
    this.asked = asked;
    this.webgpu = webgpu;
    this.page = page;
  }
  /** @type {Kind} which one runs, or is on its way */
  get kind() {
    return this.#way.kind;
  }
  get #forced() {
    return this.asked === "webgpu";
  }
  /** Loads once, whoever asks. */
  load() {
    this.#loaded ??= this.#settle(this.#start());
    return this.#loaded;
  }
  /** @param {Promise<void>} trying */
  #settle(trying) {
    const failed = (error) => {
      this.page.failed(error);
      throw error;
    };
    return trying.then(() => this.page.ready(), failed);
  }
  async #start() {
    const why = whyNot();
    if (why) throw new Error(why);
    if (await this.webgpu) this.#left = [WEBGPU, SPARE, WASM];
    else if (this.#forced) this.note = "This browser has no WebGPU that the network can use.";
    return this.#next();
  }
  /** The next that runs. All but the last, which is the same everywhere, have to give torch's numbers first. */
  async #next() {
    for (;;) {
      const way = /** @type {Way} */ (this.#left.shift());
      try {
        await this.#open(way);
        if (this.#left.length) await this.page.check({ run: (...given) => this.#put(...given) });
        return;
      } catch (error) {
        if (this.#left.length) this.#leave(error);
        else {
          this.#worker?.terminate(); // what is still on its way is not wanted any more
          throw explain(error);
        }
      }
    }
  }
  /** For what is tried next, and says why: the reader is told of the first. */
  #leave(error) {
    this.#worker?.terminate();
    const words = wordsOf(error)
      .split(/\n|\. ERROR_CODE/)[0]
      .slice(0, 120)
      .replace(/\.$/, "");
    this.note ||= `Not on the graphics processor: ${words}.`;
    this.#stop("the graphics processor was left"); // what else waits for it
  }
  /** @param {Way} way */
  async #open(way) {
    this.#way = way;
    const worker = new Worker(new URL(WORKERS[way.file], document.baseURI), { type: "module" });
    this.#worker = worker;
    this.#came = 0;
    worker.addEventListener("message", ({ data }) => worker === this.#worker && this.#heard(data));
    worker.addEventListener("error", (event) => {
      if (worker === this.#worker) this.#stop(event.message || "its worker stopped");
    });
    await this.#ask({ type: "load", networks: this.files.networks, providers: way.providers });
  }
  /**
   * @param {Record<string, Array4>} inputs
   * @param {string[]} wanted
   * @returns {Promise<Answer>}
   */
  async run(inputs, wanted) {
    await this.load();
    const [way, worker] = [this.#way, this.#worker];
    try {
      const answer = await this.#put(inputs, wanted);
      if (this.#hurried && answer.seconds > SLOW) throw new Error(`an answer took ${answer.seconds.toFixed(1)} s`);
      return answer;
    } catch (error) {
      if (way.kind === "wasm") throw explain(error);
      // an adapter that was lost, for one; the first question that hears of it moves on
      if (worker === this.#worker) {
        this.#leave(error);
        this.#loaded = this.#settle(this.#next());
      }
      return this.run(inputs, wanted);
    }
  }
  get #hurried() {
    return this.kind === "webgpu" && !this.#forced;
  }
  /** @returns {Promise<Answer>} */
  #put(inputs, wanted) {
    return this.#ask({ type: "run", inputs, wanted });
  }
  #ask(message) {
    return new Promise((resolve, reject) => {
      const id = ++this.#count;
      this.#waiting.set(id, { resolve, reject });
      this.#worker?.postMessage({ id, ...message });
      this.#wait();
    });
  }
  #heard({ type, id, answer, error, loaded }) {
    if (type === "progress") {
      this.#came = loaded;
      this.page.progress(loaded, this.#bytes);
    } else {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) reject(new Error(error));
      else resolve(answer);
    }
    this.#wait();
  }
  get #bytes() {
    return this.files.bytes[this.#way.file];
  }
  /** A graphics processor may never answer; what is on its way may take its time. */
  #wait() {
    clearTimeout(this.#timer);
    if (this.#waiting.size && this.#hurried && this.#came >= this.#bytes)
      this.#timer = setTimeout(() => this.#stop(`no answer in ${PATIENCE} s`), 1000 * PATIENCE);
  }
  /** Whatever waits for this worker gets no answer. */
  #stop(words) {
    for (const { reject } of this.#waiting.values()) reject(new Error(words));
    this.#waiting.clear();
  }
}
