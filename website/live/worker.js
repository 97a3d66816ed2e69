// The network, in a thread of its own: the page answers while it runs. What it needs comes from beside this file alone.

import * as ort from "onnxruntime-web/wasm";

import { unzip } from "./unzip.js";

const WASM = "ort-wasm-simd-threaded.wasm.gz";
/** @typedef {Record<string, ort.Tensor>} Tensors */
/** @type {{ session: ort.InferenceSession, fed?: Tensors, found?: Tensors }[]} the network, cut where less than all has to run again */
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

/** @param {string[]} networks the files of its stages */
async function load(networks) {
  let loaded = 0;
  const came = (bytes) => {
    loaded += bytes;
    postMessage({ type: "progress", loaded });
  };
  const [engine, ...graphs] = await Promise.all(
    [WASM, ...networks].map((name) => fetchAll(new URL(name, self.location.href), came)),
  );
  ort.env.wasm.numThreads = 1; // more need headers that a plain file server does not send
  ort.env.wasm.wasmBinary = engine.buffer;
  ort.env.logLevel = "error";
  const options = /** @type {const} */ ({ executionProviders: ["wasm"], graphOptimizationLevel: "all" });
  for (const graph of graphs) stages.push({ session: await ort.InferenceSession.create(graph, options) });
  return {};
}

const isSame = (a, b) => a === b || (a.data.length === b.data.length && a.data.every((x, i) => x === b.data[i]));

/**
 * A stage whose inputs are those of the last time has its outputs still.
 * @param {Record<string, { values: Float32Array, shape: number[] }>} inputs
 * @param {string[]} wanted
 */
async function run(inputs, wanted) {
  if (!stages.length) throw new Error("the network has not been loaded");
  const start = performance.now();
  /** @type {Record<string, ort.Tensor>} */
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

let before = Promise.resolve(); // one question after the other
async function respond({ data: { id, type, ...given } }) {
  try {
    const answer = await (type === "load" ? load(given.networks) : run(given.inputs, given.wanted));
    const moved = Object.values(answer.outputs ?? {}).map(({ values }) => values.buffer);
    postMessage({ type: "answer", id, answer }, { transfer: moved });
  } catch (error) {
    postMessage({ type: "answer", id, error: String(error instanceof Error ? error.message : error) });
  }
}
self.addEventListener("message", (message) => {
  before = before.then(() => respond(message));
});
