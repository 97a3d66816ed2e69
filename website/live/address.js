// What the page shows, in its own address: ?scale=4&intervention={"shift":[2,-3]}&query=79,64&level=1&head=3&branch=channel.
// What is left out is as the page opens. scripts/links.py spells the same. Runs in Node.

import { LESION, STATES } from "../../dcamsr_lite/widgets/lab/intervention.js";

const BRANCHES = ["spatial", "channel"];
const within = (x, low, high) => Number.isFinite(x) && x >= low && x <= high;
const someOf = (known) => (x) => x === null || (Array.isArray(x) && x.every((one) => known.includes(one)));

/** What an intervention may hold, by name, as dcamsr_lite.Intervention has it. */
function rules({ references, branches, levels, heads, shape: [rows, columns] }) {
  const cut = {
    branch: (x) => branches.includes(x),
    state: (x) => STATES.includes(x),
    levels: someOf(levels),
    heads: someOf([...Array(heads).keys()]),
  };
  const lesion = {
    image: (x) => ["reference", "target"].includes(x),
    row: (x) => within(x, 0, rows - 1),
    column: (x) => within(x, 0, columns - 1),
    radius: (x) => within(x, 0.5, 64),
    strength: (x) => within(x, -10, 10),
    remove: (x) => typeof x === "boolean",
  };
  const list = (known, must) => (x) =>
    Array.isArray(x) && x.every((one) => !oddOf(one, known) && must.every((name) => name in one));
  return {
    reference: (x) => references.includes(x),
    seed: (x) => Number.isInteger(x) && within(x, 0, 100),
    shift: (x) => Array.isArray(x) && x.length === 2 && x.every((one) => within(one, -1e4, 1e4)),
    rotate: (x) => within(x, -360, 360),
    blur: (x) => within(x, 0, 1e3),
    lesions: list(lesion, ["image", "row", "column"]),
    cuts: list(cut, ["branch", "state"]),
  };
}
/** The first part of a value that breaks a rule, or has none; nothing where all is well. */
function oddOf(value, known) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "intervention";
  return Object.keys(value).find((name) => !known[name]?.(value[name])) ?? "";
}
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * What an address asks for; `odd` says what of it the page does not have, and is left out.
 * @param {string} search
 * @param {any} info of the lab: its references, branches, levels, heads and the image's size
 * @returns {{ intervention: any, look: Record<string, any>, odd: string[] }} an intervention of null is the page's own
 */
export function readAddress(search, info) {
  const asked = new URLSearchParams(search);
  const odd = [];
  const take = (name, read, fits) => {
    const text = asked.get(name);
    if (text === null) return undefined;
    const value = read(text);
    if (fits(value)) return value;
    odd.push(name);
  };
  const known = rules(info);
  const [rows, columns] = info.shape;
  const read = {
    query: take(
      "query",
      (x) => x.split(",").map(Number),
      ([r, c, ...more]) => !more.length && within(r, 0, rows - 1) && within(c, 0, columns - 1),
    ),
    level: take("level", String, (x) => info.levels.map(String).includes(x)),
    head: take("head", Number, (x) => Number.isInteger(x) && within(x, 0, info.heads - 1)),
    branch: take("branch", String, (x) => BRANCHES.includes(x)),
  };
  const look = Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined));
  if (look.query) look.query = look.query.map(Math.round);
  const given = take("intervention", parse, (x) => !oddOf(x, known));
  const whole = given && {
    ...info.blank,
    ...given,
    lesions: (given.lesions ?? []).map((one) => ({ ...LESION, ...one })),
    cuts: (given.cuts ?? []).map(({ branch, state, levels = null, heads = null }) => ({
      branch,
      state,
      levels,
      heads,
    })),
  };
  return { intervention: whole ?? null, look, odd };
}

/**
 * The way back: what follows the page's name.
 * @param {number} scale
 * @param {any} intervention
 * @param {any} blank the one that changes nothing
 * @param {Record<string, any>} look
 */
export function writeAddress(scale, intervention, blank, look) {
  const changed = Object.entries(intervention).filter(([k, v]) => JSON.stringify(v) !== JSON.stringify(blank[k]));
  const asked = new URLSearchParams({
    scale: String(scale),
    intervention: JSON.stringify(Object.fromEntries(changed)),
  });
  for (const [name, value] of Object.entries(look)) if (value !== null) asked.set(name, String(value));
  return `?${asked}`;
}
