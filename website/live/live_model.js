// What stands in for the kernel on a live page: the network in this tab answers the lab, a question at a time.

import { unpack } from "../../dcamsr_lite/widgets/shared/numbers.js";
import { edit, quantile } from "./imaging.js";
import { rowOf, switchesOf } from "./outcome.js";

/** @typedef {import("../../dcamsr_lite/widgets/shared/page.js").Model} Model */
/** @typedef {import("./imaging.js").Head} Head */

const IMAGES = ["low", "reference", "target"];

/** Numbers as the lab unpacks them. */
export function pack(values, shape) {
  const data = Float32Array.from(values);
  return { data: new DataView(data.buffer), dtype: "float32", shape, scale: 1 };
}

/** The images that the lab shows. */
const picture = (head, given) => ({ low: given.filled, reference: given.reference, target: given.target });

/**
 * @param {Head} head
 * @param {Pick<import("./engine.js").Engine, "run">} engine
 * @param {any} info
 */
export function makeRunner(head, engine, info) {
  const [rows, columns] = head.size;
  const low = [1, 1, Math.floor(rows / head.scale), Math.floor(columns / head.scale)];
  const table = [info.levels.length, info.heads];
  /**
   * The network on this head with this intervention: its output in the target's units, and what else is wanted.
   * @param {any} intervention
   * @param {string[]} wanted
   */
  return async function run(intervention, wanted) {
    const given = edit(head, intervention);
    const switches = Object.entries(switchesOf(intervention.cuts, info));
    const inputs = {
      lr: { values: given.lr, shape: low },
      ref: { values: given.ref, shape: [1, 1, rows, columns] },
      ...Object.fromEntries(switches.map(([name, values]) => [name, { values, shape: table }])),
    };
    const { outputs, seconds } = await engine.run(inputs, ["sr", ...wanted]);
    const { sr, ...maps } = outputs;
    return { given, sr: sr.values, output: given.restore(sr.values), maps, seconds };
  };
}

/**
 * @param {any} state what a page of the lab holds, its bytes unpacked
 * @param {Head} head
 * @param {ReturnType<typeof makeRunner>} run
 * @param {string[]} wanted the maps that `shown` gets with each answer
 * @param {(answer: Awaited<ReturnType<ReturnType<typeof makeRunner>>>, intervention: any) => void} shown
 * @returns {Model}
 */
export function liveModel(state, head, run, wanted, shown) {
  const values = { ...state };
  const listeners = {};
  const answers = new Map();
  // the network left alone, which ran on this head before
  const output = Float64Array.from(unpack(state.images.output).values);
  const untouched = { low: head.filled, reference: head.reference, target: head.target };
  const base = { row: state.rows[0], output, images: untouched };
  let count = 0;
  const fire = (name) => {
    for (const listener of listeners[`change:${name}`] ?? []) listener();
  };

  async function ask(intervention) {
    const key = JSON.stringify(intervention);
    if (!answers.has(key)) {
      const answer = await run(intervention, wanted);
      const row = rowOf(answer.given.target, answer.output, head.size, head.scale, intervention, base.row);
      answers.set(key, { ...answer, row });
      if (answers.size > 40) answers.delete(answers.keys().next().value);
    }
    return answers.get(key);
  }
  async function respond() {
    const { intervention, draft } = values;
    const asked = { intervention, count: ++count, seconds: 0 };
    try {
      const answer = await ask(intervention);
      const images = picture(head, answer.given);
      const other = IMAGES.filter((name) => images[name] && images[name] !== base.images[name]);
      const change = answer.output.map((x, i) => x - base.output[i]);
      values.result = {
        ...answer.row,
        ...asked,
        seconds: answer.seconds,
        images: Object.fromEntries(other.map((name) => [name, pack(images[name], head.size)])),
        change: pack(change, head.size),
      };
      if (!draft && !values.rows.some((row) => JSON.stringify(row.intervention) === JSON.stringify(intervention))) {
        values.rows = [...values.rows, { ...answer.row, intervention }];
        fire("rows");
      }
      shown(answer, intervention);
    } catch (error) {
      values.result = { ...asked, refused: String(error instanceof Error ? error.message : error).replace(/\.$/, "") };
    }
    fire("result");
  }
  return {
    late: "The network is still on its way, or busy: the picture follows.",
    get: (name) => values[name],
    set: (name, value) => {
      if (JSON.stringify(values[name]) === JSON.stringify(value)) return;
      values[name] = value;
      fire(name);
    },
    on: (event, listener) => {
      (listeners[event] ??= []).push(listener);
    },
    off: (event, listener) => {
      listeners[event] = listeners[event]?.filter((l) => l !== listener);
    },
    save_changes: () => void respond(),
    send: () => {},
  };
}

/**
 * What a page of the lab holds, for a reader's own pair: the network has run on it once.
 * @param {any} state that of the demo head
 * @param {Head} head
 * @param {Awaited<ReturnType<ReturnType<typeof makeRunner>>>} answer
 * @param {{ reference: any, target: any, slice: number }} files
 */
export function ownState(state, head, { given, output, seconds }, { reference, target, slice }) {
  const { blank, windows, references } = state.info;
  const images = { ...picture(head, given), output };
  const row = { ...rowOf(given.target, output, head.size, head.scale, blank, null), intervention: blank };
  const floor = rowOf(given.target, given.filled, head.size, head.scale, blank, null).psnr_db;
  const white = (image) => quantile(image, 0.995) || 1;
  const common = white(given.target ?? given.filled);
  const info = {
    ...state.info,
    files: [`${reference.name} guides ${target.name}`],
    notes: ["brought to 128 x 128"],
    slice,
    slices: target.slices,
    references: references.filter((name) => name !== "other"),
    floors: floor === null ? {} : { "zero-fill": floor },
    windows: Object.fromEntries(
      Object.keys(windows).map((n) => [n, n === "reference" ? white(given.reference) : common]),
    ),
  };
  return {
    ...state,
    info,
    tour: [],
    intervention: blank,
    rows: [row],
    result: { ...row, count: 0, seconds, images: {} },
    images: Object.fromEntries(Object.entries(images).map(([name, image]) => [name, pack(image, head.size)])),
  };
}
