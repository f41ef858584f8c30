// Bundles the SDK into dist/: an ES module whose terminal is loaded when one is shown, and one script for a script tag.
//   node build.mjs [--types]    with --types the declarations too, as the npm package has them
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = join(here, "dist");

/** Most bytes of the one script, so that it stays one that a tutorial can afford. */
const MOST = 480_000;

/** Builds the scripts; gives the folder that they are in and their names. */
export async function buildSdk() {
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  const common = {
    absWorkingDir: here,
    outdir: dist,
    bundle: true,
    target: ["chrome110", "firefox115", "safari16.4"],
    minify: true,
    loader: { ".css": "text" },
    // xterm.js is in it, and its licence wants to be named.
    legalComments: "eof",
    logLevel: "warning",
  };
  await build({
    ...common,
    entryPoints: { boatyard: "src/index.ts" },
    format: "esm",
    splitting: true,
    outExtension: { ".js": ".mjs" },
    chunkNames: "[name]-[hash]",
  });
  await build({ ...common, entryPoints: { boatyard: "src/script.ts" }, format: "iife" });
  const { length } = await readFile(join(dist, "boatyard.js"));
  if (length > MOST) throw new Error(`boatyard.js has ${length} bytes; at most ${MOST} are allowed`);
  return { dist, names: await readdir(dist) };
}

async function declare() {
  const out = await mkdtemp(join(here, ".types-"));
  try {
    const tsc = join(here, "../node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, "--project", here, "--outDir", out], { stdio: "inherit" });
    // What the public declarations name is all in the SDK's own sources; a test compiles against the packed package.
    await cp(join(out, "sdk/src"), join(dist, "types"), { recursive: true });
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildSdk();
  if (process.argv.includes("--types")) await declare();
}
