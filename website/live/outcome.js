// From an intervention to what the network is fed, and from what it gives to a row of the table. Runs in Node.

import { Quality } from "../../dcamsr_lite/widgets/kspace/quality.js";
import { cropBox } from "./imaging.js";
import { describe } from "./words.js";

/**
 * The inputs of the exported graph for these cuts: (level, head) each, levels fine to coarse. Of two cuts the later counts.
 * @param {any[]} cuts as Intervention.as_dict
 * @param {{ branches: string[], levels: number[], heads: number }} info
 */
export function switchesOf(cuts, { branches, levels, heads }) {
  const count = levels.length * heads;
  const made = Object.fromEntries(
    branches.flatMap((branch) => [
      [`${branch}_gate`, new Float32Array(count).fill(1)],
      [`${branch}_uniform`, new Float32Array(count)],
    ]),
  );
  for (const { branch, state, levels: some, heads: chosen } of cuts)
    for (const level of some ?? levels)
      for (const head of chosen ?? Array(heads).keys()) {
        const at = levels.indexOf(level) * heads + head;
        made[`${branch}_gate`][at] = +(state !== "off");
        made[`${branch}_uniform`][at] = +(state === "uniform");
      }
  return made;
}

/**
 * As Outcome.row.
 * @param {Float64Array | null} target
 * @param {Float64Array} output
 * @param {number[]} size
 * @param {number} scale
 * @param {any} intervention
 * @param {{ psnr_db: number | null } | null} base the row of the network left alone
 */
export function rowOf(target, output, size, scale, intervention, base) {
  const none = { psnr_db: null, delta_psnr_db: null, ssim: null, error_measured: null, error_removed: null };
  const row = { tried: describe(intervention), ...none };
  if (!target || !target.some((x) => x > 0)) return row;
  const quality = new Quality(target, size);
  const box = /** @type {any} */ ({ box: cropBox(size, scale), shape: "box", window: "none", taper: 0, noise: 0 });
  const psnr = quality.psnr(output);
  const { measured, removed } = quality.bands(output, box);
  return {
    ...row,
    psnr_db: psnr,
    delta_psnr_db: base?.psnr_db === null || base === null ? 0 : psnr - base.psnr_db,
    ssim: quality.ssim(output),
    error_measured: measured,
    error_removed: removed,
  };
}
