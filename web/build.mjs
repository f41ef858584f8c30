// Bundles the front end into dist/: content-hashed names, a manifest of the entries, and a gzip and a brotli copy of
// each file, so that the server neither compresses nor guesses.
import { build } from "esbuild";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { buildSdk } from "./sdk/build.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });

const result = await build({
  absWorkingDir: here,
  entryPoints: { site: "src/site.ts", session: "src/session.ts", app: "src/styles/app.css", mark: "src/mark.svg" },
  outdir: dist,
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["chrome110", "firefox115", "safari16.4"],
  minify: true,
  sourcemap: false,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".svg": "copy" },
  metafile: true,
  legalComments: "none",
  logLevel: "warning",
});

const manifest = {};
for (const [path, output] of Object.entries(result.metafile.outputs)) {
  if (!output.entryPoint) continue;
  const name = basename(output.entryPoint).replace(/\.ts$/, ".js");
  manifest[name] = basename(path);
}
await writeFile(join(dist, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);

// The server serves the SDK too, so that a page elsewhere needs one script tag and no registry.
const sdk = await buildSdk();
await mkdir(join(dist, "sdk"));
for (const name of sdk.names) await copyFile(join(sdk.dist, name), join(dist, "sdk", name));

const squeeze = { gz: promisify(gzip), br: promisify(brotliCompress) };
let shown = [];
for (const name of [...(await readdir(dist)), ...sdk.names.map((each) => `sdk/${each}`)]) {
  if (name === "manifest.json" || name === "sdk") continue;
  const bytes = await readFile(join(dist, name));
  const gz = await squeeze.gz(bytes, { level: 9 });
  const br = await squeeze.br(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  await writeFile(join(dist, `${name}.gz`), gz);
  await writeFile(join(dist, `${name}.br`), br);
  shown.push(`${name}  ${kib(bytes)} (${kib(br)} brotli)`);
}
console.log(shown.join("\n"));

// The promise: what a lesson page needs before its terminal stays under 250 KB of script.
const before = scripts("src/session.ts") / 1000;
if (before > 250) {
  console.error(`The session page loads ${before.toFixed(0)} KB of script before its terminal; at most 250 KB are allowed.`);
  process.exitCode = 1;
}

function scripts(entry) {
  const outputs = result.metafile.outputs;
  const seen = new Set();
  const visit = (path) => {
    if (seen.has(path)) return 0;
    seen.add(path);
    const { bytes, imports } = outputs[path];
    return imports.filter((i) => i.kind === "import-statement").reduce((sum, i) => sum + visit(i.path), bytes);
  };
  const start = Object.keys(outputs).find((path) => outputs[path].entryPoint === entry);
  return visit(start);
}

function kib(bytes) {
  return `${(bytes.length / 1024).toFixed(1)} KiB`;
}
