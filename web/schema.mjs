// Writes src/api/schema.ts, the TypeScript of what `boatyard openapi` prints.
//   node schema.mjs [--check]    with --check only says whether it is as it would be written
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const file = fileURLToPath(new URL("src/api/schema.ts", import.meta.url));
const project = fileURLToPath(new URL("..", import.meta.url));

const document = JSON.parse(
  execFileSync("cargo", ["run", "-q", "--bin", "boatyard", "--", "openapi"], { cwd: project, encoding: "utf8", maxBuffer: 1 << 24 }),
);
const schema = `// Made by \`npm run types\` from what \`boatyard openapi\` prints. Change the server's types, not these.\n\n${astToString(
  await openapiTS(document),
)}`;

if (!process.argv.includes("--check")) {
  await writeFile(file, schema);
} else if ((await readFile(file, "utf8").catch(() => "")) !== schema) {
  console.error("web/src/api/schema.ts is not what the server's API says: run `npm run types` in web/ and commit the result.");
  process.exitCode = 1;
}
