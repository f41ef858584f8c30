// The registry's panel: from empty through pushes that arrive live to deleting, by mouse, keyboard and screen reader.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { leave, prompt, screen, shows, start, type, until } from "./deeds";
import { Yard } from "./yard";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let yard: Yard;
before(async () => (yard = await Yard.open()));
after(async () => yard?.close());

interface Axe {
  run(where: string): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
}

async function accessible(page: Page, what: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    if (!(await page.evaluate(() => "axe" in globalThis))) await page.addScriptTag({ content: axe });
    // The page hears of the change, takes the theme, and draws it.
    await page.waitForFunction((theme) => document.documentElement.dataset.theme === theme, colorScheme);
    await page.waitForTimeout(300);
    const found = await page.evaluate(async () => {
      const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run(".drawer");
      return violations.map((v) => `${v.id}: ${v.nodes[0]?.html}`);
    });
    assert.deepEqual(found, [], `${what}, ${colorScheme}`);
  }
}

function tag(panel: Locator, name: string): Locator {
  return panel.locator("li.reg-tag").filter({ has: panel.page().getByRole("button", { name, exact: true }) });
}

test("pushes arrive in the registry's panel, are run from it, and deleted", { timeout: 240_000 }, async () => {
  const page = await yard.page({ bypassCSP: true });
  await start(page, yard.url);
  await page.getByRole("button", { name: "Registry" }).click();
  const panel = page.getByRole("region", { name: "Registry" });
  await panel.getByRole("heading", { name: "Nothing has been pushed yet" }).waitFor();
  await accessible(page, "empty");

  // What to do is said, and a click does it. The panel follows by itself.
  const steps: [string, string | RegExp][] = [
    ["docker pull busybox", "docker.io/library/busybox:latest"],
    ["docker tag busybox", /hello:1\.0\s+root@node1:~#\s*$/],
    ["docker push registry.lab:5000/me/hello:1.0", "digest: sha256:"],
  ];
  for (const [command, said] of steps) {
    await panel.getByRole("button", { name: `Run: ${command}` }).click();
    await shows(page, said);
  }
  await prompt(page);
  const hello = tag(panel, "me/hello:1.0");
  await hello.waitFor({ timeout: 10_000 });
  assert.match(await panel.getByRole("status").innerText(), /me\/hello:1\.0 was pushed\./);
  // The digest is the one that Docker printed.
  const digest = await hello.locator(".reg-digest code").getAttribute("title");
  assert.match(digest!, /^sha256:[0-9a-f]{64}$/);
  assert.ok((await screen(page)).replaceAll("\n", "").includes(`digest: ${digest}`), await screen(page));
  assert.match(await hello.locator(".reg-words").innerText(), /^1 layer: 1 from the catalogue$/);
  await panel.getByText(/^[\d.]+ k?B of 2\.15 GB used$/).waitFor();

  // By keyboard: unfold it, and read what is inside.
  const fold = hello.getByRole("button", { name: "me/hello:1.0", exact: true });
  assert.equal(await fold.getAttribute("aria-expanded"), "false");
  await fold.focus();
  await page.keyboard.press("Enter");
  assert.equal(await fold.getAttribute("aria-expanded"), "true");
  await hello.getByText("from the catalogue: busybox").waitFor();
  assert.ok((await hello.getByRole("term").allInnerTexts()).includes("Digest"));
  await hello.getByRole("button", { name: "Run: docker pull registry.lab:5000/me/hello:1.0" }).click();
  await shows(page, `Digest: ${digest!.slice(0, 40)}`);
  await prompt(page);

  // An image that is built on it: one layer is its own, with the instruction that made it. What was unfolded stays so.
  await type(page, "printf 'FROM registry.lab:5000/me/hello:1.0\\nRUN head -c 50000 /dev/urandom >/own\\nEXPOSE 8080\\n' | docker build -q -t registry.lab:5000/me/web:2 - && docker push -q registry.lab:5000/me/web:2");
  const web = tag(panel, "me/web:2");
  await web.waitFor({ timeout: 60_000 });
  assert.equal(await fold.getAttribute("aria-expanded"), "true");
  assert.match(await web.locator(".reg-words").innerText(), /^2 layers: 1 from the catalogue; 1 only here, 50\.\d kB$/);
  await web.getByRole("button", { name: "me/web:2", exact: true }).click();
  const [top] = await web.getByRole("list", { name: "Layers" }).getByRole("listitem").allInnerTexts();
  assert.match(top!, /RUN head -c 50000.*only here/s);
  await web.getByRole("button", { name: "Run: docker run -d -p 8080:8080 registry.lab:5000/me/web:2" }).waitFor();
  await accessible(page, "unfolded");
  await prompt(page);
  await type(page, "docker tag registry.lab:5000/me/web:2 registry.lab:5000/me/web:latest && docker push -q registry.lab:5000/me/web:latest");
  await tag(panel, "me/web:latest").waitFor({ timeout: 60_000 });
  await web.getByText("shared with me/web:latest").waitFor();

  // It fits a phone and a narrow drawer.
  await page.setViewportSize({ width: 390, height: 844 });
  const widths = await panel.evaluate((e) => [e.scrollWidth, e.clientWidth, document.documentElement.scrollWidth, innerWidth]);
  assert.ok(widths[0]! <= widths[1]! && widths[2]! <= widths[3]!, `${widths}`);
  await page.setViewportSize({ width: 1400, height: 900 });

  // Deleting says what goes. A name goes alone; Escape deletes nothing and closes only the question.
  const dialog = page.getByRole("dialog");
  await web.getByRole("button", { name: "Delete this tag" }).click();
  await dialog.getByText("Only the name goes: latest still names the same image.").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.ok(await web.isVisible());
  await web.getByRole("button", { name: "Delete this tag" }).click();
  await dialog.getByRole("button", { name: "Delete the tag" }).click();
  await web.waitFor({ state: "detached" });
  await panel.getByRole("button", { name: "Delete the repository me/web" }).click();
  await dialog.getByText(/1 layer goes with it that nothing else here uses, 50\.\d kB/).waitFor();
  await dialog.getByRole("button", { name: "Delete the repository" }).click();
  await panel.getByRole("heading", { name: "me/web" }).waitFor({ state: "detached" });
  assert.match(await panel.getByRole("status").innerText(), /me\/web:latest was deleted\./);

  // What is deleted elsewhere goes here too.
  await type(page, `curl -s -X DELETE registry.lab:5000/v2/me/hello/manifests/${digest}`);
  await until(page, () => hello.count(), (n) => n === 0, "the tag stays");
  await leave(page);
});

test("what one node pushed runs on the node that is chosen", { timeout: 180_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  const session = page.url().match(/\/s\/([^/]+)/)![1];
  await page.evaluate((id) => fetch(`/api/v1/sessions/${id}/nodes`, { method: "POST" }), session);
  await page.getByRole("button", { name: "Registry" }).click();
  const panel = page.getByRole("region", { name: "Registry" });
  const where = panel.getByRole("combobox", { name: "Run on" });
  await where.waitFor();
  assert.equal(await where.inputValue(), "node1");
  await type(page, "docker pull -q busybox && docker tag busybox registry.lab:5000/me/ship:1 && docker push -q registry.lab:5000/me/ship:1");
  const ship = tag(panel, "me/ship:1");
  await ship.waitFor({ timeout: 60_000 });
  const digest = await ship.locator(".reg-digest code").getAttribute("title");
  await ship.getByRole("button", { name: "me/ship:1", exact: true }).click();
  await where.selectOption("node2");
  await ship.getByRole("button", { name: "Run on node2: docker pull registry.lab:5000/me/ship:1" }).click();
  await shows(page, /root@node2:~# docker pull/);
  await shows(page, `Digest: ${digest!.slice(0, 40)}`);
  await leave(page);
});
