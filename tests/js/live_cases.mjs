// What the live page computes of interventions that come as JSON, for tests/website/test_live_numbers.py.
import { readFileSync } from "node:fs";

import { edit, makeHead } from "../../website/live/imaging.js";
import { rowOf, switchesOf } from "../../website/live/outcome.js";

const { reference, target, other, size, scale, interventions, info } = JSON.parse(readFileSync(0, "utf8"));
const [a, b, c] = [reference, target, other].map((values) => Float64Array.from(values));
const head = { ...makeHead(a, b, size, scale), other: c };
const answers = interventions.map((intervention) => {
  const { ref, lr, restore, filled, target: now } = edit(head, intervention);
  const output = restore(ref); // a network that gives its reference
  const row = rowOf(now, output, size, scale, intervention, null);
  const switches = Object.entries(switchesOf(intervention.cuts, info)).map(([name, values]) => [name, [...values]]);
  return {
    row,
    ref: [...ref],
    lr: [...lr],
    filled: [...filled],
    output: [...output],
    switches: Object.fromEntries(switches),
  };
});
process.stdout.write(JSON.stringify(answers));
