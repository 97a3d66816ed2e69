// The network, in a thread of its own: the page answers while it runs. What it needs comes from beside this file alone.

import * as ort from "onnxruntime-web/wasm";

const WASM = "ort-wasm-simd-threaded.wasm";
/** @type {ort.InferenceSession | null} */
let session = null;

/**
 * A file, saying how much of it has come.
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
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** @param {string} network its file's name */
async function load(network) {
  let loaded = 0;
  const came = (bytes) => {
    loaded += bytes;
    postMessage({ type: "progress", loaded });
  };
  const [engine, graph] = await Promise.all(
    [WASM, network].map((name) => fetchAll(new URL(name, self.location.href), came)),
  );
  ort.env.wasm.numThreads = 1; // more need headers that a plain file server does not send
  ort.env.wasm.wasmBinary = engine.buffer;
  ort.env.logLevel = "error";
  session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
  return {};
}

/**
 * @param {Record<string, { values: Float32Array, shape: number[] }>} inputs
 * @param {string[]} wanted
 */
async function run(inputs, wanted) {
  if (!session) throw new Error("the network has not been loaded");
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { values, shape }]) => [name, new ort.Tensor("float32", values, shape)]),
  );
  const start = performance.now();
  const found = await session.run(feeds, wanted);
  const seconds = (performance.now() - start) / 1000;
  const outputs = Object.fromEntries(
    wanted.map((name) => [
      name,
      { values: Float32Array.from(/** @type {Float32Array} */ (found[name].data)), shape: [...found[name].dims] },
    ]),
  );
  return { outputs, seconds };
}

self.addEventListener("message", async ({ data: { id, type, ...given } }) => {
  try {
    const answer = await (type === "load" ? load(given.network) : run(given.inputs, given.wanted));
    const moved = Object.values(answer.outputs ?? {}).map(({ values }) => values.buffer);
    postMessage({ type: "answer", id, answer }, { transfer: moved });
  } catch (error) {
    postMessage({ type: "answer", id, error: String(error instanceof Error ? error.message : error) });
  }
});
