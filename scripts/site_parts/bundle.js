// The live page's scripts, each one file with all that it needs: node scripts/site_parts/bundle.js FOLDER

import { build } from "esbuild";
import { copyFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const [folder] = process.argv.slice(2);
const engine = `${root}node_modules/onnxruntime-web/dist`;

await build({
  absWorkingDir: root,
  entryPoints: [
    { in: "website/live/main.js", out: "live" },
    { in: "website/live/worker.js", out: "worker" },
  ],
  outdir: folder,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "eof",
});
await copyFile(`${engine}/ort-wasm-simd-threaded.wasm`, `${folder}/ort-wasm-simd-threaded.wasm`);
