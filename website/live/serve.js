// The network, in a thread of its own: the page answers while it runs. What it needs comes from beside this file alone.

import { unzip } from "./unzip.js";

/** @typedef {typeof import("onnxruntime-web/wasm")} Ort */
/** @typedef {Record<string, import("onnxruntime-web/wasm").Tensor>} Tensors */
/** @type {{ session: import("onnxruntime-web/wasm").InferenceSession, fed?: Tensors, found?: Tensors }[]} the network, cut where less than all has to run again */
const stages = [];

/**
 * A file, unpacked, saying how much of it has come.
 * @param {URL} address
 * @param {(bytes: number) => void} came
 */
async function fetchAll(address, came) {
  const answer = await fetch(address);
  if (!answer.ok || !answer.body)
    throw new Error(`${address.pathname.split("/").at(-1)} did not come (${answer.status})`);
  const parts = [];
  const reader = answer.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value);
    came(next.value.length);
  }
  return new Uint8Array(await (await unzip(new Blob(parts))).arrayBuffer());
}

/**
 * @param {Ort} ort
 * @param {string} wasm its file
 * @param {{ networks: string[], providers: string[] }} given the files of the network's stages; what runs them, the first that can
 */
async function load(ort, wasm, { networks, providers }) {
  let loaded = 0;
  const came = (bytes) => {
    loaded += bytes;
    postMessage({ type: "progress", loaded });
  };
  const [binary, ...graphs] = await Promise.all(
    [wasm, ...networks].map((name) => fetchAll(new URL(name, self.location.href), came)),
  );
  ort.env.wasm.numThreads = 1; // more need headers that a plain file server does not send
  ort.env.wasm.wasmBinary = binary.buffer;
  ort.env.logLevel = "error";
  const options = /** @type {const} */ ({
    executionProviders: providers,
    graphOptimizationLevel: "all",
    logSeverityLevel: 3, // a graphics processor's say what it leaves to the processor
  });
  for (const graph of graphs) stages.push({ session: await ort.InferenceSession.create(graph, options) });
  return {};
}

const isSame = (a, b) => a === b || (a.data.length === b.data.length && a.data.every((x, i) => x === b.data[i]));

/**
 * A stage whose inputs are those of the last time has its outputs still.
 * @param {Ort} ort
 * @param {Record<string, { values: Float32Array, shape: number[] }>} inputs
 * @param {string[]} wanted
 */
async function run(ort, inputs, wanted) {
  if (!stages.length) throw new Error("the network has not been loaded");
  const start = performance.now();
  /** @type {Tensors} */
  const known = Object.fromEntries(
    Object.entries(inputs).map(([name, { values, shape }]) => [name, new ort.Tensor("float32", values, shape)]),
  );
  for (const stage of stages) {
    const { session, fed, found } = stage;
    const names = session.inputNames;
    if (!found || !fed || !names.every((name) => isSame(known[name], fed[name]))) {
      stage.found = undefined; // memory for the new ones
      stage.fed = Object.fromEntries(names.map((name) => [name, known[name]]));
      stage.found = await session.run(stage.fed);
    }
    Object.assign(known, stage.found);
  }
  const outputs = Object.fromEntries(
    wanted.map((name) => [
      name,
      { values: /** @type {Float32Array} */ (known[name].data).slice(), shape: [...known[name].dims] },
    ]),
  );
  return { outputs, seconds: (performance.now() - start) / 1000 };
}

/**
 * Answers what the page asks, one question after the other.
 * @param {Ort} ort
 * @param {string} wasm its file
 */
export function serve(ort, wasm) {
  /** @param {{ data: any }} message */
  async function respond({ data: { id, type, ...given } }) {
    try {
      const answer = await (type === "load" ? load(ort, wasm, given) : run(ort, given.inputs, given.wanted));
      const moved = Object.values(answer.outputs ?? {}).map(({ values }) => values.buffer);
      postMessage({ type: "answer", id, answer }, { transfer: moved });
    } catch (error) {
      postMessage({ type: "answer", id, error: String(error instanceof Error ? error.message : error) });
    }
  }
  let before = Promise.resolve();
  self.addEventListener("message", (message) => {
    before = before.then(() => respond(message));
  });
}
