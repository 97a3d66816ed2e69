// The live page's scripts, each one file with all that it needs: node scripts/site_parts/bundle.js FOLDER

import { build } from "esbuild";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("../..", import.meta.url));
const [folder] = process.argv.slice(2);
const engine = `${root}node_modules/onnxruntime-web/dist`;

await build({
  absWorkingDir: root,
  entryPoints: [
    { in: "website/live/main.js", out: "live" },
    { in: "website/live/worker.js", out: "worker" },
    { in: "website/live/worker_webgpu.js", out: "worker_webgpu" },
  ],
  outdir: folder,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "eof",
});
// a quarter of its bytes, whatever the server does
for (const name of ["ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.jspi.wasm"])
  await writeFile(`${folder}/${name}.gz`, gzipSync(await readFile(`${engine}/${name}`), { level: 9 }));

// what the page is made of is free to be given on, with its licences
const parts = ["onnxruntime-web", "onnxruntime-common", "nifti-reader-js", "fast-png", "iobuffer", "fflate"];
const told = parts.map(async (name) => {
  const about = JSON.parse(await readFile(`${root}node_modules/${name}/package.json`, "utf8"));
  const text = await readFile(`${root}node_modules/${name}/LICENSE`, "utf8").catch(() => "");
  return [`${name} ${about.version}, licence ${about.license}`, text].join("\n\n");
});
await writeFile(`${folder}/licences.txt`, (await Promise.all(told)).join("\n\n----\n\n"));
