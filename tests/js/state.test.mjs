// Run by Node's own test runner: node --test tests/js
import assert from "node:assert/strict";
import test from "node:test";

import { adopt, asked, keyOf, toCuts, toGrid } from "../../dcamsr_lite/widgets/lab/intervention.js";
import { shareState } from "../../dcamsr_lite/widgets/shared/state.js";

/** A model that answers each set with a change of its own, as the kernel's does. */
function model(values) {
  const listeners = {};
  return {
    saved: 0,
    get: (name) => values[name],
    set(name, value) {
      values[name] = value;
      for (const listener of listeners[`change:${name}`] ?? []) listener();
    },
    on: (event, listener) => (listeners[event] ??= []).push(listener),
    off: (event, listener) => (listeners[event] = listeners[event].filter((l) => l !== listener)),
    save_changes() {
      this.saved++;
    },
  };
}

test("the state is written once and hears nothing of its own changes, only those of others", () => {
  const kernel = model({ level: 1, head: null });
  const state = { over: true };
  let drawn = 0;
  const shared = shareState(
    kernel,
    ["level", "head"],
    state,
    () => drawn++,
    () => (state.level = Math.min(state.level, 4)),
  );
  shared.read();
  assert.deepEqual(state, { over: true, level: 1, head: null });
  const [read, write] = shared.bind("level");
  write(9);
  assert.deepEqual([read(), kernel.get("level"), kernel.saved, drawn], [4, 4, 1, 2]); // as it fits
  state.head = 3; // as while a pointer moves: not the kernel's yet
  assert.equal(kernel.get("head"), null);
  shared.save();
  assert.deepEqual([kernel.get("head"), kernel.saved, drawn], [3, 2, 2]);
  kernel.set("level", 2);
  assert.deepEqual([state.level, drawn], [2, 3]);
  shared.stop();
  kernel.set("level", 1);
  assert.deepEqual([state.level, drawn], [2, 3]);
});

const info = {
  branches: ["spatial", "channel"],
  levels: [1, 2, 4],
  heads: 3,
  blank: { reference: "own", seed: 0, shift: [0, 0], rotate: 0, blur: 0, lesions: [], cuts: [] },
};

test("cuts become switches and switches the fewest cuts that say the same", () => {
  const cuts = [
    { branch: "spatial", state: "off", levels: [1, 2], heads: [0, 2] },
    { branch: "spatial", state: "uniform", levels: [4], heads: null },
    { branch: "channel", state: "uniform", levels: null, heads: [1] },
  ];
  const grid = toGrid(cuts, info);
  assert.deepEqual(grid.spatial, { 1: ["off", "on", "off"], 2: ["off", "on", "off"], 4: Array(3).fill("uniform") });
  assert.deepEqual(toCuts(grid, info), cuts);
});

test("what is left out keeps its default; the same intervention has the same key", () => {
  const state = adopt({ lesions: [{ image: "target", row: 1, column: 2 }] }, info);
  assert.deepEqual(state.lesions[0], { image: "target", row: 1, column: 2, radius: 4, strength: 0.5, remove: false });
  assert.equal(keyOf(adopt(asked(state, info), info)), keyOf(state));
  assert.equal(keyOf(adopt({ seed: 7 }, info)), keyOf(adopt({}, info))); // a seed is for noise alone
  assert.notEqual(keyOf(adopt({ seed: 7, reference: "noise" }, info)), keyOf(adopt({ reference: "noise" }, info)));
});
