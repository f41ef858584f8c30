// The panel "Outside": keys, a one-time password, and commands that work when they are typed on another machine.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { leave, start } from "./deeds";
import { Yard } from "./yard";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let yard: Yard;
let home: string;
before(async () => {
  home = mkdtempSync(join(tmpdir(), "boatyard-laptop-"));
  yard = await Yard.open({ SSH__LISTEN: "127.0.0.1:0" });
});
after(async () => {
  await yard?.close();
  rmSync(home, { recursive: true, force: true });
});

interface Axe {
  run(where: string): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
}

async function accessible(page: Page, what: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    if (!(await page.evaluate(() => "axe" in globalThis))) await page.addScriptTag({ content: axe });
    await page.waitForFunction((theme) => document.documentElement.dataset.theme === theme, colorScheme);
    await page.waitForTimeout(300);
    const shots = process.env.BOATYARD_TEST_SHOTS;
    if (shots) await page.screenshot({ path: join(shots, `outside-${what.replaceAll(" ", "-")}-${colorScheme}.png`) });
    const found = await page.evaluate(async () => {
      const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run(".drawer");
      return violations.map((v) => `${v.id}: ${v.nodes[0]?.html}`);
    });
    assert.deepEqual(found, [], `${what}, ${colorScheme}`);
  }
}

/** What a copy button puts on the clipboard. */
async function copied(page: Page, button: Locator): Promise<string> {
  await button.click();
  await button.and(page.locator("[data-result=done]")).waitFor();
  return page.evaluate(() => navigator.clipboard.readText());
}

/** Types a command on the student's own machine, with what it needs to know of hosts. */
function onLaptop(command: string, known: string, env: NodeJS.ProcessEnv = {}): string {
  writeFileSync(join(home, "known_hosts"), known);
  const options = `-i ${home}/key -o IdentitiesOnly=yes -o IdentityAgent=none -o UserKnownHostsFile=${home}/known_hosts -o GlobalKnownHostsFile=none -o StrictHostKeyChecking=yes`;
  return execFileSync("sh", ["-c", command.replace(/^ssh/, `ssh ${options}`)], { env: { ...process.env, ...env }, encoding: "utf8", timeout: 60_000 });
}

test("a key, a password and the commands of the page open the session from outside", { timeout: 240_000 }, async () => {
  const page = await yard.page({ bypassCSP: true, permissions: ["clipboard-read", "clipboard-write"] });
  await start(page, yard.url);
  await page.getByRole("button", { name: "Outside" }).click();
  const panel = page.getByRole("region", { name: "Outside" });
  await panel.getByText("No key opens this session yet.").waitFor();
  await accessible(page, "empty");

  // What is no key is refused where it was pasted.
  const field = panel.getByLabel("Public key");
  await field.fill("-----BEGIN OPENSSH PRIVATE KEY-----");
  await panel.getByRole("button", { name: "Add the key" }).click();
  await panel.getByText("That is the private key").waitFor();
  assert.equal(await field.inputValue(), "", "it does not stay on the screen");
  await field.fill("nonsense");
  await panel.getByRole("button", { name: "Add the key" }).click();
  await panel.getByText("this is no public key").waitFor();

  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "my laptop", "-f", join(home, "key")]);
  await field.fill(readFileSync(join(home, "key.pub"), "utf8"));
  await panel.getByRole("button", { name: "Add the key" }).click();
  await panel.getByRole("listitem").filter({ hasText: "my laptop" }).getByText("SHA256:").waitFor();
  await accessible(page, "with a key");

  // The commands as they are copied.
  await panel.getByText("As a line for ~/.ssh/known_hosts").click();
  const known = await copied(page, panel.getByRole("button", { name: "Copy: the line for known_hosts" }));
  const shell = await copied(page, panel.getByRole("button", { name: /^Copy: ssh -p \d+ \w+-node1@localhost$/ }));
  assert.equal(onLaptop(`${shell} hostname`, known), "node1\n");
  const docker = await copied(page, panel.getByRole("button", { name: /^Copy: export DOCKER_HOST=ssh:/ }));
  assert.match(docker, /^export DOCKER_HOST=ssh:\/\/\w+-node1@localhost:\d+$/);
  assert.match(await copied(page, panel.getByRole("button", { name: /^Copy: docker context create/ })), /--docker host=ssh:/);

  // A password is good once.
  await panel.getByRole("button", { name: "Make a one-time password" }).click();
  const password = await copied(page, panel.getByRole("button", { name: "Copy: the one-time password" }));
  assert.match(password, /^(\w{4}-){3}\w{4}$/);
  await panel.getByText("Good for one sign-in").waitFor();
  writeFileSync(join(home, "ask"), `#!/bin/sh\necho ${password}\n`, { mode: 0o755 });
  const ask = { SSH_ASKPASS: join(home, "ask"), SSH_ASKPASS_REQUIRE: "force" };
  const by = `${shell} -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 hostname`;
  assert.equal(onLaptop(by, known, ask), "node1\n");
  assert.throws(() => onLaptop(by, known, ask), /Permission denied/);

  // Raw TCP without ssh.
  await panel.getByRole("button", { name: "Make a token" }).click();
  const forward = await copied(page, panel.getByRole("button", { name: "Copy: the command of boatyard forward" }));
  assert.match(forward, new RegExp(`^BOATYARD_SESSION=[0-9a-f-]{36}\\.[a-z0-9-]+ boatyard forward --server ${yard.url} node1:5432$`));

  // A further node has commands of its own.
  await page.getByRole("button", { name: "Add a node" }).click();
  await panel.getByRole("combobox", { name: "Node" }).selectOption("node2");
  const second = await copied(page, panel.getByRole("button", { name: /^Copy: ssh -p \d+ \w+-node2@localhost$/ }));
  assert.equal(onLaptop(`${second} hostname`, known), "node2\n");
  await accessible(page, "with everything");
  await page.setViewportSize({ width: 390, height: 844 });
  await accessible(page, "phone");
  const wide = await page.evaluate(() => document.querySelector(".outside")!.scrollWidth - document.querySelector(".outside")!.clientWidth);
  assert.equal(wide, 0, "nothing sticks out on a phone");
  await page.setViewportSize({ width: 1400, height: 900 });

  await panel.getByRole("button", { name: "Remove the key my laptop" }).click();
  await page.getByRole("button", { name: "Remove the key", exact: true }).click();
  await panel.getByText("No key opens this session yet.").waitFor();
  assert.throws(() => onLaptop(`${shell} -o BatchMode=yes hostname`, known), /Permission denied/);
  await leave(page);
});

test("without ssh there is no such panel", { timeout: 120_000 }, async () => {
  const plain = await Yard.open();
  try {
    const page = await plain.page();
    await start(page, plain.url);
    await page.getByRole("button", { name: "Registry" }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Outside" }).count(), 0);
    await leave(page);
  } finally {
    await plain.close();
  }
});
