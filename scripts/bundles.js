// One file per explorer, for anywidget and for saved pages: node scripts/bundles.js [folder]
// They are committed, so that a user needs no Node; tests/widgets/test_bundles.py checks that they are fresh.

import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const widgets = "dcamsr_lite/widgets";
const entries = { empty: "shared/empty.js" };
for (const name of ["attention", "attribution", "comparison", "contrast", "displacement", "kspace", "lab"])
  entries[name] = `${name}/explorer.js`;

const { outputFiles } = await build({
  absWorkingDir: fileURLToPath(new URL("..", import.meta.url)),
  entryPoints: Object.entries(entries).map(([out, name]) => ({ in: `${widgets}/${name}`, out })),
  outdir: process.argv[2] ?? `${widgets}/bundles`,
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  banner: { js: "// Built by `make bundles` from the modules named below: change those, not this." },
});
