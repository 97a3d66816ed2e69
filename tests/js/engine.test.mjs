// Run by Node's own test runner: node --test tests/js
//
// What the live page does where a graphics processor fails it, each time as a browser would: workers and adapters are played.
import assert from "node:assert/strict";
import test from "node:test";

const BYTES = { wasm: 5, webgpu: 6 };
const REAL = { requestAdapter: async () => ({ info: { isFallbackAdapter: false } }) };
const NOTHING = () => {};
let made;

/** Like the browser's: a worker that answers as `plays` says, by its file and the first of its providers. */
function browser({ gpu, jspi = true, plays = {} }) {
  made = [];
  Object.defineProperty(globalThis, "navigator", { value: gpu ? { gpu } : {}, configurable: true });
  globalThis.document = { baseURI: "http://a.org/live/" };
  if (jspi) WebAssembly.Suspending ??= class {};
  else delete WebAssembly.Suspending;
  globalThis.Worker = class extends EventTarget {
    constructor(address) {
      super();
      this.file = address.pathname.split("/").at(-1);
      made.push(this);
    }
    terminate() {
      this.gone = true;
    }
    say(data) {
      if (!this.gone) this.dispatchEvent(Object.assign(new Event("message"), { data }));
    }
    async postMessage(asked) {
      await null;
      if (asked.type === "load") this.name = asked.providers[0] === "webgpu" ? "webgpu" : this.file.split(/_|\./)[0];
      if (asked.type === "load" && this.file !== "worker.js" && this.name !== "webgpu") this.name = "spare";
      this.say({ type: "progress", loaded: 6 });
      const { id } = asked;
      const answer = (plays[this.name] ?? (() => ({ sr: this.name })))(asked, this);
      if (answer === "crash")
        this.dispatchEvent(Object.assign(new Event("error"), { message: "Uncaught RuntimeError" }));
      else if (typeof answer === "string") this.say({ type: "answer", id, error: answer });
      else if (answer) this.say({ type: "answer", id, answer: { seconds: 0.1, ...answer } });
    }
  };
}

const { Engine, hasWebGPU } = await import("../../website/live/engine.js");

/** An engine, and what its page was told. */
function open(asked = null) {
  const told = [];
  const page = {
    progress: NOTHING,
    ready: () => told.push("ready"),
    failed: (error) => told.push(error.message),
    check: async (candidate) => {
      const { sr } = await candidate.run({}, []);
      if (sr === "wrong") throw new Error("the output is 2.0e-1 of its range from torch's");
    },
  };
  return { engine: new Engine({ networks: [], bytes: BYTES }, asked, hasWebGPU(asked), page), told };
}
const files = () => made.map(({ file }) => file);
const runs = async (engine) => (await engine.run({}, [])).sr;

test("a graphics processor whose first answer is torch's stays", async () => {
  browser({ gpu: REAL });
  const { engine, told } = open();
  assert.equal(await runs(engine), "webgpu");
  assert.deepEqual([engine.kind, engine.note, files(), told], ["webgpu", "", ["worker_webgpu.js"], ["ready"]]);
});

const NONE = {
  "no WebGPU": {},
  "no adapter": { gpu: { requestAdapter: async () => null } },
  "an adapter that is refused": { gpu: { requestAdapter: () => Promise.reject(new Error("blocked")) } },
  "a program that plays an adapter": { gpu: { requestAdapter: async () => ({ info: { isFallbackAdapter: true } }) } },
  "no WebAssembly that waits": { gpu: REAL, jspi: false },
};
for (const [name, given] of Object.entries(NONE))
  test(`${name}: the processor, at once and without a word`, async () => {
    browser(given);
    const { engine, told } = open();
    assert.equal(await runs(engine), "worker");
    assert.deepEqual([engine.kind, engine.note, files(), told], ["wasm", "", ["worker.js"], ["ready"]]);
  });

test("?engine= decides, and the page says so where there is none", async () => {
  browser({ gpu: REAL });
  let { engine } = open("wasm");
  await engine.load();
  assert.deepEqual([engine.kind, files()], ["wasm", ["worker.js"]]);
  browser({});
  ({ engine } = open("webgpu"));
  await engine.load();
  assert.deepEqual([engine.kind, engine.note], ["wasm", "This browser has no WebGPU that the network can use."]);
});

const onRun = (answer) => (asked) => (asked.type === "run" ? answer : {});
const FAILS = {
  "shaders that do not compile": [
    () => "Failed to create a WebGPU compute pipeline.\nat x",
    /Failed to create a WebGPU/,
  ],
  "an adapter that gives no device": [
    () => "no backend found. ERROR_CODE: 1, ERROR_MESSAGE: /a/b.cc:12",
    /: no backend found\.$/,
  ],
  "other numbers": [onRun({ sr: "wrong" }), /2\.0e-1 of its range from torch's\.$/],
  "a worker that stops": [onRun("crash"), /Uncaught RuntimeError\.$/],
};
for (const [name, [plays, note]] of Object.entries(FAILS))
  test(`${name}: the processor with what came already, and one sentence`, async () => {
    browser({ gpu: REAL, plays: { webgpu: plays } });
    const { engine, told } = open();
    assert.equal(await runs(engine), "spare");
    assert.match(engine.note, note);
    assert.match(engine.note, /^Not on the graphics processor: [^\n]+\.$/);
    assert.deepEqual([engine.kind, told], ["wasm", ["ready"]]);
    assert.deepEqual(files(), ["worker_webgpu.js", "worker_webgpu.js"]);
    assert.ok(made[0].gone && !made[1].gone);
  });

test("an engine that does nothing right leaves the plain one, which is not asked to show anything", async () => {
  browser({ gpu: REAL, plays: { webgpu: () => "no device", spare: onRun({ sr: "wrong" }) } });
  const { engine } = open();
  assert.equal(await runs(engine), "worker");
  assert.equal(engine.note, "Not on the graphics processor: no device.");
});

test("a graphics processor that never answers is left after ten seconds, one that was asked for is not", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const soon = () => new Promise((resolve) => setImmediate(resolve));
  browser({ gpu: REAL, plays: { webgpu: onRun(null) } });
  const { engine } = open();
  const answer = runs(engine);
  await soon();
  t.mock.timers.tick(10_000);
  assert.equal(await answer, "spare");
  assert.equal(engine.note, "Not on the graphics processor: no answer in 10 s.");
  browser({ gpu: REAL, plays: { webgpu: onRun(null) } });
  open("webgpu").engine.load();
  await soon();
  t.mock.timers.tick(100_000);
  await soon();
  assert.deepEqual(files(), ["worker_webgpu.js"]);
});

test("an adapter that is lost later: both questions of that time are answered by the processor", async () => {
  let asked = 0;
  const plays = { webgpu: ({ type }) => (type === "load" || ++asked < 3 ? { sr: "webgpu" } : "Device is lost.") };
  browser({ gpu: REAL, plays });
  const { engine, told } = open();
  assert.equal(await runs(engine), "webgpu");
  assert.deepEqual(await Promise.all([runs(engine), runs(engine)]), ["spare", "spare"]);
  assert.deepEqual([engine.kind, engine.note], ["wasm", "Not on the graphics processor: Device is lost."]);
  assert.deepEqual([files().length, told], [2, ["ready", "ready"]]);
});

test("one that is slower than the processor is left, unless it was asked for", async () => {
  const plays = { webgpu: onRun({ sr: "webgpu", seconds: 3.14 }) };
  browser({ gpu: REAL, plays });
  const { engine } = open();
  assert.equal(await runs(engine), "spare");
  assert.equal(engine.note, "Not on the graphics processor: an answer took 3.1 s.");
  browser({ gpu: REAL, plays });
  assert.equal(await runs(open("webgpu").engine), "webgpu");
});

test("where nothing runs, one sentence says what to do, and the page is told once", async () => {
  browser({
    gpu: REAL,
    plays: Object.fromEntries(["webgpu", "spare", "worker"].map((n) => [n, () => "out of memory"])),
  });
  const { engine, told } = open();
  await assert.rejects(runs(engine), /^Error: There is not enough memory for the network/);
  assert.equal(told.length, 1);
  assert.match(told[0], /^There is not enough memory/);
  assert.ok(made.every(({ gone }) => gone));
});
