// The SDK's npm package as a page's author gets it: packed, unpacked, imported and compiled against.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const web = process.cwd();

const USE = `
import { attach, Boatyard, BoatyardError, type BoatyardTerminal, type Session } from "@boatyard/sdk";

const yard = new Boatyard("https://lab.example.org", { template: "two" });
const stop = yard.on("session", (session: Session) => console.log(session.nodes.map(({ ports }) => ports.length)));
yard.on("status", (status) => {
  if (status.state === "failed" && status.error.kind === "full") console.log(status.error.problem.next_end);
});
export async function go(): Promise<number> {
  try {
    await yard.start();
    await yard.upload("node1", "/root/x", "text", { replace: false });
    return (await yard.exec("node1", ["true"], { timeout_s: 5 })).exit_code;
  } catch (error) {
    if (error instanceof BoatyardError) console.log(error.status, error.code);
    throw error;
  } finally {
    stop();
  }
}
const terminal: BoatyardTerminal | null = document.querySelector("boatyard-terminal");
void terminal?.type("ls");
attach(document);
// @ts-expect-error there is no such option
new Boatyard("https://lab.example.org", { templat: "two" });
// @ts-expect-error what is private stays so
yard.key;
// @ts-expect-error what the elements use among themselves is not declared
yard.terminal("node1", "main");
`;

test("the package packs, imports without a page, and compiles under both ways of finding modules", { timeout: 240_000 }, () => {
  const folder = mkdtempSync("/var/tmp/boatyard-sdk-");
  try {
    const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: join(web, "sdk"), encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const [{ filename, files, size }] = JSON.parse(packed.slice(packed.indexOf("["))) as [{ filename: string; size: number; files: { path: string }[] }];
    const names = files.map(({ path }) => path);
    for (const name of ["package.json", "README.md", "dist/boatyard.js", "dist/boatyard.mjs", "dist/types/index.d.ts"]) assert.ok(names.includes(name), name);
    assert.ok(names.every((name) => /^(dist\/|package\.json$|README\.md$)/.test(name)), names.join("\n"));
    assert.ok(size < 400_000, `${size} bytes packed`);

    const at = join(folder, "node_modules/@boatyard/sdk");
    mkdirSync(at, { recursive: true });
    execFileSync("tar", ["-xzf", join(folder, filename), "-C", at, "--strip-components=1"]);
    // As a program does that renders pages ahead of time.
    const script = 'const sdk = await import("@boatyard/sdk"); console.log(Object.keys(sdk).sort().join(" "));';
    writeFileSync(join(folder, "use.mjs"), script);
    const said = execFileSync(process.execPath, ["use.mjs"], { cwd: folder, encoding: "utf8" });
    assert.equal(said.trim(), "Boatyard BoatyardError BoatyardTerminal attach terminal");

    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    writeFileSync(join(folder, "use.ts"), USE);
    for (const [module, resolution] of [
      ["NodeNext", "NodeNext"],
      ["ESNext", "Bundler"],
    ]) {
      const options = { strict: true, noEmit: true, target: "ES2022", lib: ["ES2022", "DOM", "DOM.Iterable"], types: [], module, moduleResolution: resolution };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["use.ts"] }));
      const tsc = join(web, "node_modules/typescript/bin/tsc");
      try {
        execFileSync(process.execPath, [tsc, "--project", folder], { encoding: "utf8" });
      } catch (error) {
        assert.fail(`${resolution}: ${(error as { stdout: string }).stdout}`);
      }
    }
    const declared = readFileSync(join(at, "dist/types/boatyard.d.ts"), "utf8");
    assert.ok(declared.includes("Goes on with the kept session"), "the declarations say what things are for");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
