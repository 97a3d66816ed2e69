// The signal equations of phantom/sequences.py: times in ms, signals relative to fully relaxed water.

/**
 * @typedef {{ sequence: string, TR: number, TE: number, TI: number }} Timing
 * @typedef {Record<string, number[]>} Train by sequence: echoes of a train, and the flip angle in degrees
 */

/** exp(-time / constant); a time below zero is none. */
const decay = (time, constant) => Math.exp(-Math.max(0, time) / constant);

/**
 * Signed signal of a tissue [PD, T1, T2].
 * @param {number[]} tissue
 * @param {Timing} timing
 * @param {Train} trains
 */
export function signal([pd, t1, t2], { sequence, TR, TE, TI }, trains) {
  if (sequence === "spin echo") return pd * (1 - 2 * decay(TR - TE / 2, t1) + decay(TR, t1)) * decay(TE, t2);
  const [echoes, flip] = trains[sequence];
  const length = (2 * TE * echoes) / (echoes + 1);
  const across = Math.sin((flip * Math.PI) / 360) ** 2;
  const echo = decay(TE * across, t2) * decay(TE * (1 - across), t1);
  const inverted = sequence === "inversion recovery" ? decay(TI, t1) : decay(TR - length, t1);
  return pd * (1 - 2 * inverted + decay(TR - length, t1)) * echo;
}
