// An intervention in words, as dcamsr_lite/interpret/interventions.py prints it. Runs in Node.

const REFERENCES = {
  blank: "reference blank",
  noise: "reference replaced by noise",
  other: "reference of another subject",
  target: "reference replaced by the target itself",
};
/** Python's :g */
const g = (x) => String(+x.toPrecision(6));

function cutWords({ branch, state, levels, heads }) {
  const some = (word, numbers) =>
    numbers?.length ? ` ${word}${numbers.length > 1 ? "s" : ""} ${numbers.join(", ")}` : "";
  return `${branch} attention ${state}${some("at level", levels)}${some("in head", heads)}`;
}
function lesionWords({ image, row, column, radius, strength, remove }) {
  const place = `at row ${g(row)}, column ${g(column)}, radius ${g(radius)} px`;
  if (remove) return `disc removed from the ${image} ${place}`;
  return `lesion painted into the ${image} ${place}, ${strength < 0 ? "" : "+"}${g(strength)} of white`;
}

/** @param {any} intervention as Intervention.as_dict */
export function describe({ reference, shift, rotate, blur, lesions, cuts }) {
  const moves = [];
  const ways = [
    ["up", "down"],
    ["left", "right"],
  ];
  const way = shift.flatMap((x, axis) => (x ? [`${g(Math.abs(x))} px ${ways[axis][+(x > 0)]}`] : []));
  if (way.length) moves.push(`shifted ${way.join(" and ")}`);
  if (rotate) moves.push(`turned by ${g(rotate)} degrees`);
  if (blur) moves.push(`blurred by ${g(blur)} px`);
  const choice = REFERENCES[reference] ?? "";
  const first = moves.length
    ? [choice || `reference ${moves[0]}`, ...(choice ? moves : moves.slice(1))].join(", ")
    : choice;
  return [first, ...lesions.map(lesionWords), ...cuts.map(cutWords)].filter(Boolean).join("; ") || "nothing changed";
}
