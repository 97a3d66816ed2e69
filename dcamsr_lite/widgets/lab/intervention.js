// An intervention as the controls hold it and as the kernel is asked for it. Runs in Node.

/** @typedef {"on" | "off" | "uniform"} Switch */
/** @typedef {{ branches: string[], levels: number[], heads: number, blank: object }} Info */
/** @typedef {{ branch: string, state: Switch, levels?: number[] | null, heads?: number[] | null }} Cut null: all of them */
/** @typedef {Record<string, Record<number, Switch[]>>} Grid by branch, level and head */
/** @typedef {{ image: string, row: number, column: number, radius: number, strength: number, remove: boolean }} Lesion */
/**
 * @typedef {{ reference: string, seed: number, shift: number[], rotate: number, blur: number, lesions: Lesion[],
 *   grid: Grid }} State
 */

/** @type {Switch[]} */
export const STATES = ["on", "off", "uniform"];
export const LESION = { radius: 4, strength: 0.5, remove: false }; // as in image_edits.py

/**
 * Cuts as a list -> grid[branch][level][head], "on" where nothing is cut.
 * @param {Cut[]} cuts
 * @param {Info} info
 * @returns {Grid}
 */
export function toGrid(cuts, { branches, levels, heads }) {
  const grid = Object.fromEntries(
    branches.map((b) => [b, Object.fromEntries(levels.map((l) => [l, Array(heads).fill("on")]))]),
  );
  for (const { branch, state, levels: some, heads: chosen } of cuts)
    for (const level of some ?? levels)
      for (const head of chosen ?? Array(heads).keys()) grid[branch][level][head] = state;
  return grid;
}

/**
 * The way back, in as few cuts as say it: levels with the same heads together, null for all.
 * @param {Grid} grid
 * @param {Info} info
 */
export function toCuts(grid, { branches, levels, heads }) {
  /** @type {Cut[]} */
  const cuts = [];
  for (const branch of branches)
    for (const state of STATES.slice(1)) {
      const together = new Map();
      for (const level of levels) {
        const chosen = [...Array(heads).keys()].filter((h) => grid[branch][level][h] === state);
        const name = chosen.join();
        if (chosen.length) together.set(name, [...(together.get(name) ?? []), level]);
      }
      for (const [name, some] of together) {
        const chosen = name.split(",").map(Number);
        cuts.push({
          branch,
          state,
          levels: some.length < levels.length ? some : null,
          heads: chosen.length < heads ? chosen : null,
        });
      }
    }
  return cuts;
}

/**
 * As the kernel has it -> as the controls hold it; what is left out keeps its default, as in Intervention.from_dict.
 * @param {Info} info
 * @returns {State}
 */
export function adopt(given, info) {
  const { cuts, lesions, ...rest } = { ...info.blank, ...given };
  return structuredClone({ ...rest, lesions: lesions.map((l) => ({ ...LESION, ...l })), grid: toGrid(cuts, info) });
}

/**
 * The way back.
 * @param {State} state
 * @param {Info} info
 */
export const asked = ({ grid, ...rest }, info) => structuredClone({ ...rest, cuts: toCuts(grid, info) });

/**
 * The same for interventions that do the same.
 * @param {State} s
 */
export const keyOf = (s) =>
  JSON.stringify([
    s.reference,
    s.reference === "noise" ? s.seed : 0,
    s.shift,
    s.rotate,
    s.blur,
    s.lesions.map((l) => [l.image, l.row, l.column, l.radius, l.remove || l.strength]),
    s.grid,
  ]);
