// Run by Node's own test runner: node --test tests/js
import assert from "node:assert/strict";
import test from "node:test";

import { sayTold } from "../../dcamsr_lite/widgets/attribution/agreement_panel.js";

const chance = { early: 0.4, early_range: [0.3, 0.5] };
const told = (attribution, nearness) =>
  sayTold({ attribution: { early: attribution }, chance, nearness: { early: nearness }, edges: { early: 0.2 } });

test("the score tells a map from the rulers only by more than chance differs", () => {
  assert.match(
    told(1.02, 0.98),
    /every chance order: attribution\. .*\(0\.20\): none, so that here the score tells no/,
  );
  assert.match(told(0.9, 0.5), /chance orders differ \(0\.20\): attribution\.$/);
  assert.match(told(0.45, 0.2), /^Above every chance order: none\./);
  assert.equal(sayTold({ chance: { early_range: null }, nearness: {}, edges: {} }), "");
});
