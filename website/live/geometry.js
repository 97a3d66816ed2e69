// Where volumes lie, as dcamsr_lite/data/geometry.py and nifti_headers.py have it: axes turned into another volume's order,
// grids compared. An affine is 4 x 4, from (column, row, slice) of what is stored to mm. Runs in Node.

/** @typedef {number[][]} Affine */
/** @typedef {{ space: number, affine: Affine }} Place the space is a scanner's (2) or a template's */
/** @typedef {[to: number, way: number][]} Axes of each axis, which of the other's it is, and whether it runs there (1) or back (-1) */

const TOLERANCE = 0.5; // of a voxel
const SCANNER = 2;
const THICK = 2; // times: a voxel so much longer along one axis than along both others is of a thick slice
const FLAT = 3; // times: an axis so much shorter than both others is that of slices
const ENDS = [
  ["L", "R"],
  ["P", "A"],
  ["I", "S"],
];

/** @type {(a: Affine, b: Affine) => Affine} */
export const multiply = (a, b) => a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));
const columnOf = (affine, axis) => [0, 1, 2].map((row) => affine[row][axis]);
const lengths = (affine) => [0, 1, 2].map((axis) => Math.hypot(...columnOf(affine, axis)));

/** @param {Affine} m */
function determinant([a, b, c]) {
  return a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0]);
}
/**
 * @param {Affine} m
 * @returns {Affine}
 */
export function invert(m) {
  const scale = determinant(m);
  const turned = [0, 1, 2].map((i) =>
    [0, 1, 2].map((j) => {
      const [r, s] = [0, 1, 2].filter((x) => x !== j);
      const [c, d] = [0, 1, 2].filter((x) => x !== i);
      return ((-1) ** (i + j) * (m[r][c] * m[s][d] - m[r][d] * m[s][c])) / scale;
    }),
  );
  return [...turned.map((row) => [...row, -row.reduce((sum, x, k) => sum + x * m[k][3], 0)]), [0, 0, 0, 1]];
}
const isSound = (affine) => {
  const sizes = lengths(affine);
  return affine.flat().every(Number.isFinite) && Math.abs(determinant(affine)) > 1e-9 * sizes[0] * sizes[1] * sizes[2];
};

/** The rotation of a NIfTI file's quaternion, whose voxels have these sizes. */
function fromQuaternion([b, c, d], offset, [x, y, z]) {
  const a = Math.sqrt(Math.max(0, 1 - (b * b + c * c + d * d)));
  const turn = [
    [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
    [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
    [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
  ];
  return [...turn.map((row, i) => [row[0] * x, row[1] * y, row[2] * z, offset[i]]), [0, 0, 0, 1]];
}

/**
 * The places that a NIfTI header says, the one that counts first, and the affine that there is in any case.
 * @param {any} header of nifti-reader-js
 * @param {number[][]} rows of its sform, three of four numbers
 * @returns {{ places: Place[], best: Affine }}
 */
export function listPlaces(header, rows) {
  const { pixDims, xyzt_units, quatern_b: b, quatern_c: c, quatern_d: d } = header;
  const unit = { 1: 1e3, 3: 1e-3 }[xyzt_units & 7] ?? 1;
  const known = pixDims.slice(1, 4).map((x) => Math.abs(x) > 0 && Number.isFinite(x));
  const sizes = pixDims.slice(1, 4).map((x, i) => (known[i] ? Math.abs(x) : 1));
  const hand = pixDims[0] === -1 ? -1 : 1;
  const codeOf = (code) => (code > 0 && code < 6 ? code : 0);
  const { qoffset_x, qoffset_y, qoffset_z } = header;
  const forms = [
    { code: codeOf(header.sform_code), affine: [...rows, [0, 0, 0, 1]] },
    {
      code: known[0] && known[1] && b * b + c * c + d * d < 1 + 1e-6 ? codeOf(header.qform_code) : 0,
      affine: fromQuaternion([b, c, d], [qoffset_x, qoffset_y, qoffset_z], [sizes[0], sizes[1], hand * sizes[2]]),
    },
  ].filter(({ code }) => code);
  const scaled = (affine) => affine.map((row, i) => (i < 3 ? row.map((x) => x * unit) : row));
  const plain = sizes.map((size, i) => [0, 1, 2, 3].map((j) => (i === j ? size : 0)));
  const best = scaled(forms[0]?.affine ?? [...plain, [0, 0, 0, 1]]);
  const places = forms
    .map(({ code, affine }) => ({ space: Math.max(code, SCANNER), affine: scaled(affine) }))
    .filter(({ affine }) => isSound(affine));
  return { places: isSound(best) ? places : [], best };
}

/**
 * The axis of a stored volume that its slices lie along: the last, or a clear other one.
 * @param {Affine} affine
 * @param {number[]} shape columns, rows, slices as they are stored
 * @param {boolean} placed
 */
export function findSliceAxis(affine, shape, placed) {
  const sizes = lengths(affine);
  for (const axis of sizes.every(Number.isFinite) ? [0, 1] : []) {
    const others = [0, 1, 2].filter((other) => other !== axis);
    const longest = Math.max(...others.map((other) => sizes[other]));
    const fewest = Math.min(...others.map((other) => shape[other]));
    const thick = sizes[axis] >= THICK * longest && shape[axis] <= fewest;
    const flat = sizes[axis] >= 0.99 * longest && FLAT * shape[axis] <= fewest;
    if (thick || (flat && placed)) return axis;
  }
  return 2;
}

/** The two places by which volumes are compared: the first of one space, else the first; nothing unless both have one. */
function choosePlaces(one, other) {
  const both = one.flatMap((a) => other.map((b) => [a, b]));
  return both.find(([a, b]) => a.space === b.space) ?? both[0] ?? null;
}

/**
 * Which axis of the result each axis of a matrix runs along, and which way.
 * @param {Affine} matrix
 * @returns {Axes}
 */
export function findAxes(matrix) {
  const sizes = lengths(matrix);
  const shares = [0, 1, 2].map((axis) => columnOf(matrix, axis).map((x) => x / (sizes[axis] || 1)));
  const order = [0, 1, 2].sort((a, b) => Math.max(...shares[b].map(Math.abs)) - Math.max(...shares[a].map(Math.abs)));
  /** @type {Axes} */
  const axes = [];
  const free = new Set([0, 1, 2]);
  for (const axis of order) {
    const to = [...free].reduce((best, row) =>
      Math.abs(shares[axis][row]) > Math.abs(shares[axis][best]) ? row : best,
    );
    free.delete(to);
    axes[axis] = [to, shares[axis][to] < 0 ? -1 : 1];
  }
  return axes;
}
export const STAY = /** @type {Axes} */ ([
  [0, 1],
  [1, 1],
  [2, 1],
]);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const nameAxes = (affine) =>
  findAxes(affine)
    .map(([to, way]) => ENDS[to][+(way > 0)])
    .join("");

/** Whether rows are stored from the lowest up, by the affine: then they are drawn the other way. */
export function runsUp(affine) {
  const [to, way] = findAxes(affine)[1];
  return to === 0 || way > 0;
}

/**
 * From turned voxels to those before.
 * @param {Axes} axes
 * @param {number[]} shape before
 * @returns {Affine}
 */
export function undo(axes, shape) {
  const matrix = [0, 1, 2, 3].map(() => [0, 0, 0, 0]);
  axes.forEach(([to, way], axis) => {
    matrix[axis][to] = way;
    matrix[axis][3] = way < 0 ? shape[axis] - 1 : 0;
  });
  matrix[3][3] = 1;
  return matrix;
}

/**
 * How a volume has to be turned to run as another does, and what is said of it; nothing where that is not known.
 * @param {Place[]} one
 * @param {Place[]} other
 * @returns {{ axes: Axes, words: string } | null}
 */
export function turnOnto(one, other) {
  const chosen = choosePlaces(one, other);
  if (!chosen) return null;
  const [a, b] = chosen.map(({ affine }) => affine);
  const axes = findAxes(multiply(invert(b), a));
  return { axes, words: same(axes, STAY) ? "" : `axes turned, ${nameAxes(a)} to ${nameAxes(b)}` };
}

/**
 * Why two volumes of one shape do not lie on each other, in words; nothing where they do, or where that is not known.
 * @param {Place[]} places of the one
 * @param {{ places: Place[], shape: number[] }} other columns, rows, slices
 * @param {string} name of the other
 */
export function findDistance(places, { places: others, shape }, name) {
  const chosen = choosePlaces(places, others);
  if (!chosen) return "";
  const [a, b] = chosen.map(({ affine }) => affine);
  const matrix = multiply(invert(b), a);
  let far = 0;
  for (let corner = 0; corner < 8; corner++) {
    const at = shape.map((n, axis) => [(corner >> axis) & 1 ? n - 1 : 0]);
    const moved = multiply(matrix, [...at, [1]]);
    far = Math.max(far, ...at.map(([x], axis) => Math.abs(moved[axis][0] - x)));
  }
  if (far <= TOLERANCE) return "";
  if (chosen[0].space !== chosen[1].space) return "a place in another space, which cannot be compared";
  const [tell, beside] = [a, b].map((affine) => {
    const first = columnOf(affine, 3).map((x) => +x.toPrecision(4));
    return `${lengths(affine).map((x) => +x.toPrecision(3)).join(" x ")} mm voxels, ${nameAxes(affine)}, the first at (${first.join(", ")})`; // prettier-ignore
  });
  return `${tell}, beside ${beside} of ${name}, up to ${+far.toPrecision(3)} voxels apart`;
}
