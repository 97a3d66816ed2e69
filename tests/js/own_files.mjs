// Pairs of files as the live page reads them, for tests/website/test_own_files.py: slices and notes, or what was refused.
import { readFileSync } from "node:fs";
import { basename } from "node:path";

import { makePair, readNifti, readNpy } from "../../website/live/files.js";

function read(path) {
  const { buffer, byteOffset, length } = readFileSync(path);
  const bytes = buffer.slice(byteOffset, byteOffset + length);
  return (path.endsWith(".npy") ? readNpy : readNifti)(basename(path), bytes);
}
const slicesOf = (stack) => Array.from({ length: stack.slices }, (_, i) => [...stack.take(i)]);
const told = JSON.parse(readFileSync(0, "utf8")).map(([reference, target]) => {
  try {
    const pair = makePair(read(reference), read(target));
    const images = [pair.reference, pair.target].map((stack) => ({ size: stack.size, slices: slicesOf(stack) }));
    return { images, notes: [...pair.reference.notes, ...pair.target.notes] };
  } catch (error) {
    return { refused: error.message };
  }
});
process.stdout.write(JSON.stringify(told));
