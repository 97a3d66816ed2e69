// A run of a method in the kernel. No thread anywhere: the next chunk is asked for when the last one is answered, so
// to stop is to ask no more.

import { make } from "../shared/elements.js";

/** "about 14 s", "about 3 min". */
const roughly = (seconds) =>
  seconds < 90 ? `about ${Math.max(1, Math.round(seconds))} s` : `about ${Math.round(seconds / 60)} min`;
const sinceS = (began) => (performance.now() - began) / 1000;

/**
 * @typedef {object} Job
 * @property {string} id
 * @property {object} where patch, method and target
 * @property {string} place the same as text
 * @property {string} title of the method
 * @property {number} first steps that were done before
 * @property {number} began
 * @property {number} [asked]
 * @property {number} [chunk] s that a chunk takes
 * @property {number} [done]
 * @property {number} [total]
 */
/**
 * @param {import("./view.js").View} view
 * @param {HTMLElement} live says start and end, not each step
 * @param {() => void} save
 */
export function runPanel({ model, info, state }, live, save) {
  const [start, stop] = ["Run", "Stop"].map((label) => make("button", { type: "button" }, label));
  const bar = make("progress", { "aria-label": "progress of the run", max: 1, value: 0 });
  const status = make("span", { class: "da-status" });
  /** @type {Job | null} */
  let job = null;
  /** @type {{ place: string, done: number, total?: number } | null} */
  let paused = null; // where the last run was stopped
  const asked = () => ({ patch: state.patch, method: state.method, target: state.target });
  const place = () => JSON.stringify(Object.values(asked()));
  /** @param {Job} job */
  function ask(job) {
    job.asked = performance.now();
    model.send({ ask: "chunk", id: job.id, ...job.where });
  }
  function run() {
    if (model.alone || job) return;
    save();
    const first = paused && paused.place === place() ? paused.done : 0;
    job = {
      id: `${Math.random()}`,
      where: asked(),
      place: place(),
      title: info.methods[state.method],
      began: performance.now(),
      first,
    };
    if (!first) bar.value = 0;
    status.textContent = live.textContent = "running";
    sync();
    ask(job);
  }
  /** Why a run ended; without words, because it was stopped. */
  function halt(words) {
    paused = job && !words ? { place: job.place, done: job.done ?? job.first, total: job.total } : null;
    // the page stops at once; a step of the network cannot be cut short
    status.textContent =
      words ??
      `stopped after ${paused?.done} of ${paused?.total ?? "?"} steps; the kernel is free when its step ends${job?.chunk ? `, within ${job.chunk.toFixed(1)} s` : ""}`;
    live.textContent = status.textContent;
    job = null;
    sync();
  }
  function answered(content) {
    if (!job || content.id !== job.id) return;
    if (content.error) return halt(`the run failed: ${content.error}`);
    const { done, total, finished } = content;
    const took = sinceS(job.began);
    Object.assign(job, { done, total, chunk: Math.max(job.chunk ?? 0.1, sinceS(job.asked)) });
    bar.value = finished ? 1 : done / total;
    if (finished) return halt(`${job.title} done in ${took.toFixed(0)} s`);
    status.textContent = `step ${done} of ${total}, ${roughly((took / Math.max(1, done - job.first)) * (total - done))} left`;
    ask(job);
  }
  function sync() {
    state.running = !!job;
    start.disabled = model.alone || !!job;
    stop.disabled = !job;
    start.textContent = !job && paused?.place === place() ? "Continue" : "Run";
    for (const part of [start, stop, bar]) part.hidden = !!model.alone;
    if (model.alone)
      status.textContent = `This page keeps the results of ${
        Object.keys(model.get("results"))
          .map((name) => info.methods[name])
          .join(" and ") || "no method"
      }. New runs need a kernel: dl.explore_attribution(model, pair) in a notebook. What is dashed, and any other patch, has no result here.`;
  }
  start.addEventListener("click", run);
  stop.addEventListener("click", () => halt());
  model.on("msg:custom", answered);
  return {
    element: make("div", { class: "da-run" }, start, stop, bar, status),
    sync,
    run,
    halt,
    stop() {
      job = null; // no one left to show it to: ask no more
      model.off("msg:custom", answered);
    },
  };
}
