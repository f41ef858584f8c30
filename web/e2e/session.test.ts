// The session page: reload, a killed server, tabs, the end of a session; and what axe finds.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { Yard, screen, shows } from "./yard";

let yard: Yard;
before(async () => (yard = await Yard.open({ SESSIONS__PER_CLIENT: "1", SESSIONS__MAX: "3" })));
after(async () => yard.close());

async function start(page: Page): Promise<void> {
  await page.goto(yard.url);
  await page.getByRole("button", { name: "Start a session" }).click();
  await page.waitForURL(/\/s\//);
  await shows(page, "root@node1");
}

async function type(page: Page, text: string): Promise<void> {
  await page.locator(".xterm-helper-textarea:visible").focus();
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
}

async function leave(page: Page): Promise<void> {
  await page.locator("[data-close]").first().click();
  await page.getByRole("button", { name: "Close the session" }).click();
  await page.getByText("This session has ended").first().waitFor();
  await page.context().close();
}

test("the shell outlives a reload and a killed server", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await start(page);
  await type(page, "kept=treasure; echo first-$((40+2))");
  await shows(page, "first-42");
  await page.reload();
  await shows(page, "first-42");
  await yard.kill();
  await yard.start();
  await type(page, "echo second-$kept");
  await shows(page, "second-treasure");
  assert.ok((await screen(page)).includes("first-42"));
  await leave(page);
});

test("tabs, and the window's size", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await start(page);
  await page.locator("[data-new-terminal]").click();
  await page.getByRole("tab").nth(1).waitFor();
  await shows(page, "root@node1");
  await type(page, "tput cols; echo wide-$((1+1))");
  await shows(page, "wide-2");
  const before = (await screen(page)).match(/\n(\d+)\nwide-2/)?.[1];
  await page.setViewportSize({ width: 900, height: 700 });
  await page.waitForTimeout(500);
  await type(page, "tput cols; echo narrow-$((1+1))");
  await shows(page, "narrow-2");
  const now = (await screen(page)).match(/\n(\d+)\nnarrow-2/)?.[1];
  assert.ok(Number(now) < Number(before), `${before} columns, then ${now}`);
  await leave(page);
});

test("one session for each browser, and the yard full", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await start(page);
  const second = await page.context().newPage();
  await second.goto(yard.url);
  await second.getByRole("button", { name: "Start a session" }).click();
  await second.getByRole("link", { name: "Rejoin" }).first().waitFor();
  const others = [await yard.page(), await yard.page()];
  for (const other of others) await start(other);
  const late = await yard.page();
  await late.goto(yard.url);
  await late.getByRole("button", { name: "Start a session" }).click();
  await late.getByText("3 of 3").waitFor();
  // It goes on by itself when a place is free.
  await leave(others[0]!);
  await late.waitForURL(/\/s\//, { timeout: 40_000 });
  await shows(late, "root@node1");
  await leave(late);
  await leave(others[1]!);
  await leave(page);
});

test("axe finds nothing serious", { timeout: 180_000 }, async () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  for (const colorScheme of ["light", "dark"] as const) {
    const page = await yard.page({ colorScheme, bypassCSP: true });
    await page.goto(yard.url);
    await page.locator("form[data-start]").last().getByRole("button").click();
    await page.waitForURL(/\/s\//);
    await shows(page, "root@node1");
    const session = page.url();
    for (const url of [session, yard.url, `${yard.url}/catalogue`, `${yard.url}/nothing`]) {
      await page.goto(url);
      await page.waitForTimeout(300);
      await page.addScriptTag({ content: axe });
      const found = await page.evaluate(async () => {
        const run = (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> } }).axe;
        const { violations } = await run.run();
        return violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes[0]?.html}`);
      });
      assert.deepEqual(found, [], `${url} ${colorScheme}`);
    }
    await page.goto(session);
    await leave(page);
  }
});
