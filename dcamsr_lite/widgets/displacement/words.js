// What is seen, in words, and what is drawn of the rows: pure functions. Runs in Node.

import { inWords } from "../shared/offsets.js";

/** @typedef {{ right: number, down: number, turn: number }} Moved pixels, pixels, degrees counter-clockwise */
/** @typedef {Moved & { off: number }} Found */
/** @typedef {{ moved: Moved, psnr: Record<string, number | null>, off: Record<string, number | null> }} Row */

/** @type {(keyof Moved)[]} */
export const AXES = ["right", "down", "turn"];
export const ZERO = { right: 0, down: 0, turn: 0 };
const KEPT = 0.5; // dB below its PSNR in place: so much a network may lose and still keep it
const LEANS = 0.25; // pixels off: it says which way, and so it does in place
const NEAR = 0.5; // pixels off: so near a place is found

/** What is left out is 0. @returns {Moved} */
export const adopt = (given) => ({ ...ZERO, ...given });
/** @param {Moved} moved */
export const keyOf = (moved) => JSON.stringify(AXES.map((axis) => moved[axis]));

/** The number beside a slider: "2 px left", "1.5° clockwise". */
export function sliderText(axis, x) {
  if (!x) return axis === "turn" ? "0°" : "0 px";
  if (axis === "turn") return `${Math.abs(x)}° ${x > 0 ? "counter-clockwise" : "clockwise"}`;
  const ways = axis === "right" ? ["left", "right"] : ["up", "down"];
  return `${Math.abs(x)} px ${ways[+(x > 0)]}`;
}

const ROUND = { least: 0.25, write: (x) => x.toFixed(1) }; // what is found is no more certain
const EXACT = { least: 1e-6, write: (x) => x.toFixed(Number.isInteger(10 * x) ? 1 : 2) };

/** A shift and a turn: "1.9 to the right, turned 2.1° clockwise"; nothing where there is none. */
function moveInWords({ down, right, turn }, { least, write }) {
  const way = turn > 0 ? "counter-clockwise" : "clockwise";
  const turned = Math.abs(turn) < Math.min(least, 0.05) ? "" : `turned ${write(Math.abs(turn))}° ${way}`;
  return [inWords([down, right], least, write), turned].filter(Boolean).join(", ");
}

/**
 * Planted, found, and how far they are apart; `start` is how far it is off with the reference in place.
 * @param {string} name
 * @param {Moved} moved
 * @param {Found | null} found
 * @param {number | null} start
 */
export function sayFound(name, moved, found, start = null) {
  const planted = `Planted: ${moveInWords(moved, EXACT) || "nothing, the reference lies in place"}`;
  if (!found) return `${planted}. There are no arrows: ${name} does not look at offsets around each place.`;
  return `${planted}. Found by ${name}: ${moveInWords(found, ROUND) || "in place"}; ${found.off.toFixed(1)} pixels off (medians over the head)${sayWay(moved, found)}.${start !== null && start >= LEANS ? ` In place it is ${start.toFixed(1)} off, too: the contrasts may lie so far apart, or it errs by that much.` : ""}`;
}

/** Which way it is off: ": that is 2.0 to the left". */
function sayWay(moved, found) {
  if (found.off < LEANS) return "";
  const [down, right, turn] = ["down", "right", "turn"].map((axis) => found[axis] - moved[axis]);
  const way = moveInWords({ down, right, turn }, ROUND);
  return way ? `: that is ${way}` : ", not all places one way";
}

/**
 * "You see ..., therefore ...": what the PSNR of this slice says, against in place and zero-filling.
 * @param {{ name: string, moved: Moved, found: Found | null, now: number | null, inPlace: number | null, floor: number | null }} seen
 */
export function sayWorth({ name, moved, found, now, inPlace, floor }) {
  if (now === null || inPlace === null || floor === null)
    return "There is no target, or a blank one: nothing to measure the output against.";
  const above = now - floor;
  const gain = `${Math.abs(above).toFixed(1)} dB ${above < 0 ? "below" : "above"} zero-fill`;
  if (keyOf(moved) === keyOf(ZERO))
    return `You see ${name} with the reference in place: ${now.toFixed(1)} dB, ${gain}. Move a slider: how much of that stays?`;
  const loss = inPlace - now;
  const kept = loss <= KEPT;
  const near = found && found.off <= NEAR;
  const seen = kept
    ? `keep its PSNR: ${now.toFixed(1)} dB, in place ${inPlace.toFixed(1)}`
    : `lose ${loss.toFixed(1)} dB of its ${inPlace.toFixed(1)} in place; ${now.toFixed(1)} dB are left, ${gain}`;
  return `You see ${name} ${seen}; therefore ${therefore(kept, found ? near : null)}.`;
}

/** @param {boolean} kept @param {boolean | null} near null: it does not say where it looks */
function therefore(kept, near) {
  if (near === null) return kept ? "this move does not matter to it" : "it takes the reference as if it lay in place";
  if (near) return kept ? "it reads the reference where it lies" : "finding the place is not enough here";
  return kept ? "looking beside the place costs it little here" : "it reads the reference beside where it lies";
}

/** Where the reference is: "3.5 px right, 1.5 px down". @param {Moved} moved @param {keyof Moved} [without] */
export const placeText = (moved, without) =>
  AXES.filter((axis) => axis !== without && moved[axis])
    .map((axis) => sliderText(axis, moved[axis]))
    .join(", ");

/**
 * What a curve is: which slider it is over, and where the others are held.
 * @param {keyof Moved} axis
 * @param {Moved} through
 */
export function sayCurve(axis, through) {
  const name = axis === "turn" ? "the turn" : `the shift ${axis}`;
  const held = placeText(through, axis);
  return `The curve: ${name} goes from end to end, ${held ? `${held} stays` : "nothing else moves"}. Small dots were measured, lines join them.`;
}

/**
 * The points of a curve, from left to right: where nothing but this slider differs from `through`.
 * @param {Row[]} rows
 * @param {keyof Moved} axis
 * @param {string} name of the network
 * @param {Moved} through
 * @returns {[number, number][]}
 */
export function curve(rows, axis, name, through) {
  const on = (moved) => AXES.every((other) => other === axis || moved[other] === through[other]);
  const points = rows
    .filter(({ moved, psnr }) => psnr[name] != null && on(moved))
    .map(({ moved, psnr }) => /** @type {[number, number]} */ ([moved[axis], psnr[name]]));
  return points.sort((a, b) => a[0] - b[0]);
}

/**
 * Where one slider leads: the others stay where that is answered, and else go back to 0, as in a saved page, for which
 * answers are prepared for each slider alone.
 * @param {Moved} moved
 * @param {keyof Moved} axis
 * @param {number} value
 * @param {(moved: Moved) => boolean} has
 * @returns {Moved}
 */
export function move(moved, axis, value, has) {
  const kept = { ...moved, [axis]: value };
  return has(kept) ? kept : { ...ZERO, [axis]: value };
}

/** What of `before` went back to 0 as one slider moved: nothing where none did. @param {Moved} before @param {Moved} after */
export function sayBack(before, after, axis) {
  const back = { ...before, [axis]: 0 };
  for (const other of AXES) if (after[other]) back[other] = 0;
  const words = placeText(back);
  return words && `This page holds one slider at a time: ${words} went back to 0.`;
}
