// live/index.html?selftest: the demo head through the network in this browser, beside what torch gave.

/**
 * Sets the page's title to `selftest ok 1.2e-04`, the largest difference over the range of torch's output, or to
 * `selftest failed: <reason>`.
 * @param {(intervention: any, wanted: string[]) => Promise<{ sr: Float32Array }>} run
 * @param {any} blank the intervention that changes nothing
 * @param {Float32Array} right
 */
export async function selftest(run, blank, right) {
  try {
    const far = await compare(run, blank, right);
    document.title = `selftest ok ${far.toExponential(1).replace(/e([+-])(\d)$/, "e$10$2")}`;
  } catch (error) {
    document.title = `selftest failed: ${String(error instanceof Error ? error.message : error)}`;
  }
  return document.title;
}

/**
 * How far the network's output is from torch's, over its range; more than a thousandth is refused.
 * @param {(intervention: any, wanted: string[]) => Promise<{ sr: Float32Array }>} run
 * @param {any} blank
 * @param {Float32Array} right
 */
export async function compare(run, blank, right) {
  const { sr } = await run(blank, []);
  const far = difference(sr, right);
  if (!(far < 1e-3)) throw new Error(`the output is ${far.toExponential(1)} of its range from torch's`);
  return far;
}

/**
 * @param {Float32Array} found
 * @param {Float32Array} right
 */
export function difference(found, right) {
  if (found.length !== right.length) return NaN;
  let [far, low, high] = [0, Infinity, -Infinity];
  for (let i = 0; i < right.length; i++) {
    if (!Number.isFinite(found[i])) return NaN;
    far = Math.max(far, Math.abs(found[i] - right[i]));
    low = Math.min(low, right[i]);
    high = Math.max(high, right[i]);
  }
  return far / (high - low);
}
