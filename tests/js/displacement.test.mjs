// Run by Node's own test runner: node --test tests/js
import assert from "node:assert/strict";
import test from "node:test";

import {
  ZERO,
  adopt,
  curve,
  move,
  sayBack,
  sayCurve,
  sayFound,
  sayWorth,
  sliderText,
} from "../../dcamsr_lite/widgets/displacement/words.js";
import { head, line } from "../../dcamsr_lite/widgets/shared/arrow_field.js";
import { arrows } from "../../dcamsr_lite/widgets/shared/offsets.js";

const found = (right, off, turn = 0) => ({ down: 0, right, turn, off });
const moved = (given) => adopt(given);

test("a slider says which way, never a sign", () => {
  assert.equal(sliderText("right", -2), "2 px left");
  assert.equal(sliderText("down", 0.25), "0.25 px down");
  assert.equal(sliderText("down", -1), "1 px up");
  assert.equal(sliderText("turn", -1.5), "1.5° clockwise");
  assert.equal(sliderText("turn", 3), "3° counter-clockwise");
  assert.deepEqual([sliderText("turn", 0), sliderText("right", 0)], ["0°", "0 px"]);
});

test("planted and found are in the same words", () => {
  assert.match(
    sayFound("a", moved({ right: 2, down: -0.25, turn: -3 }), found(0, 2, 2.04)),
    /^Planted: 0\.25 up and 2\.0 to the right, turned 3\.0° clockwise\. Found by a: turned 2\.0° counter-clockwise;/,
  );
  assert.match(sayFound("a", moved({ right: 0.1 }), found(0.1, 0)), /^Planted: 0\.1 to the right\. .*: in place;/);
  assert.match(sayFound("a", ZERO, found(0, 0)), /^Planted: nothing, the reference lies in place\./);
  assert.equal(
    sayFound("aligned", moved({ right: 2 }), found(1.9, 0.12)),
    "Planted: 2.0 to the right. Found by aligned: 1.9 to the right; 0.1 pixels off (medians over the head).",
  );
  assert.match(sayFound("a", moved({ right: 2 }), found(0.1, 1.9)), /Found by a: in place; 1\.9 pixels off/);
  assert.match(
    sayFound("a", moved({ right: 2 }), found(1.7, 0.3), 0.3),
    /0\.3 pixels off .*In place it is 0\.3 off, too/,
  );
  assert.doesNotMatch(sayFound("a", moved({ right: 2 }), found(1.9, 0.1), 0.1), /off, too/);
  assert.match(sayFound("corrected", moved({ down: -1 }), null), /Planted: 1\.0 up\. There are no arrows: corrected/);
});

test("you see, therefore: by what is kept and what is found", () => {
  const say = (now, what, given = { right: 2 }) =>
    sayWorth({ name: "n", moved: moved(given), found: what, now, inPlace: 29, floor: 25 });
  assert.match(say(28.9, found(1.9, 0.1)), /^You see n keep its PSNR: 28\.9 dB, in place 29\.0; therefore it reads/);
  assert.match(say(26, found(1.9, 0.1)), /lose 3\.0 dB .* 1\.0 dB above zero-fill; therefore finding the place is not/);
  assert.match(say(26, found(0, 2)), /therefore it reads the reference beside/);
  assert.match(say(24, null), /1\.0 dB below zero-fill; therefore it takes the reference as if it lay in place/);
  assert.match(say(29, null), /therefore this move does not matter to it/);
  assert.match(say(29, found(0, 0), {}), /with the reference in place: 29\.0 dB, 4\.0 dB above zero-fill/);
  assert.match(say(null, found(0, 0)), /no target/);
});

test("a curve has the rows where nothing but its slider moved, from left to right", () => {
  const row = (given, psnr) => ({ moved: moved(given), psnr: { n: psnr }, off: { n: null } });
  const rows = [
    row({}, 29),
    row({ right: 4 }, 27),
    row({ right: -4 }, 26),
    row({ right: 2, down: 1 }, 1),
    row({ turn: 1 }, 2),
  ];
  assert.deepEqual(curve(rows, "right", "n", ZERO), [[-4, 26], [0, 29], [4, 27]]); // prettier-ignore
  assert.deepEqual(curve(rows, "turn", "n", ZERO), [[0, 29], [1, 2]]); // prettier-ignore
  assert.deepEqual(curve(rows, "down", "n", moved({ right: 2, down: 4 })), [[1, 1]]);
  assert.deepEqual(curve([row({}, null)], "right", "n", ZERO), []);
});

test("what is off says which way", () => {
  assert.match(sayFound("a", moved({ right: 2 }), found(0, 2)), /: that is 2\.0 to the left\.$/);
  assert.match(sayFound("a", moved({ down: 1 }), { ...found(0, 1.5), down: 2.5 }), /: that is 1\.5 down\.$/);
  assert.match(sayFound("a", moved({ turn: -3 }), found(0, 2.04, 2)), /: that is turned 5\.0° counter-clockwise\.$/);
  assert.match(sayFound("a", moved({ right: 2 }), found(2, 0.6)), /0\.6 pixels off \(.*\), not all places one way\.$/);
});

test("a curve says what goes along it, and what stays where it is", () => {
  assert.match(sayCurve("right", moved({ right: 3.5, down: 1.5 })), /shift right goes .*, 1\.5 px down stays\./);
  assert.match(sayCurve("turn", moved({ turn: 1 })), /the turn goes from end to end, nothing else moves\./);
});

test("in a saved page one slider moves alone; beside a kernel the others stay", () => {
  const at = moved({ right: 2, turn: 1 });
  assert.deepEqual(
    move(at, "down", -2, () => false),
    { right: 0, down: -2, turn: 0 },
  );
  assert.deepEqual(
    move(at, "down", -2, () => true),
    { right: 2, down: -2, turn: 1 },
  );
  assert.equal(
    sayBack(at, moved({ down: -2 }), "down"),
    "This page holds one slider at a time: 2 px right, 1° counter-clockwise went back to 0.",
  );
  assert.equal(sayBack(at, moved({ right: 3, turn: 1 }), "right"), "");
});

test("an arrow's head ends where its line does, and is no longer than it", () => {
  const arrow = { row: 4, column: 12, offset: [0, 2] };
  assert.equal(line(arrow), "M12.5 4.5l6 0");
  assert.equal(head(arrow), "M18.5 4.5L15.9 3.2L15.9 5.8Z");
  assert.match(head({ row: 4, column: 12, offset: [-0.5, 0] }), /^M12\.5 3L12 4L13 4Z$/);
});

test("arrows stand every eight pixels of the head", () => {
  const image = Array.from({ length: 16 * 24 }, (_, i) => (i % 24 < 8 ? 0.1 : 1)); // air on the left
  const drawn = arrows({ size: [16, 24], image, white: 1 }, (row, column) => [row, column]);
  assert.deepEqual(
    drawn.map(({ offset }) => offset),
    [[4, 12], [4, 20], [12, 12], [12, 20]], // prettier-ignore
  );
});
