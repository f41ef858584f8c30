// A session shared by links: a second browser watches, then types; who is there; and the end of a link.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { leave, screen, shows, start, type, until } from "./deeds";
import { Yard } from "./yard";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let yard: Yard;
before(async () => (yard = await Yard.open()));
after(async () => yard?.close());

/** Makes a link by the dialog, and leaves it open. */
async function share(page: Page, kind: "Watch" | "Type", label: string): Promise<string> {
  if (!(await page.locator("dialog[open]").count())) await page.click(".bar > [data-share]");
  await page.locator(".share-kind", { hasText: kind }).click();
  await page.fill("#share-label", label);
  await page.press("#share-label", "Enter");
  const field = page.getByLabel(`Link to ${kind.toLowerCase()}`);
  await field.waitFor();
  return field.inputValue();
}

/** Nothing that axe calls serious. */
async function accessible(page: Page, where: string): Promise<void> {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.addScriptTag({ content: axe });
  // Colours that are on their way are no colours to judge.
  await page.waitForTimeout(400);
  const serious = await page.evaluate(async (on) => {
    type Found = { violations: { id: string; impact: string; nodes: { html: string }[] }[] };
    const { violations } = await (globalThis as unknown as { axe: { run(on: string): Promise<Found> } }).axe.run(on);
    return violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes[0]?.html}`);
  }, where);
  assert.deepEqual(serious, [], where);
}

test("a guest watches, and types nothing", { timeout: 180_000 }, async () => {
  const page = await yard.page({ bypassCSP: true });
  await start(page, yard.url);
  const url = await share(page, "Watch", "Class");
  await page.locator(".share-list", { hasText: "Nobody came through it yet" }).waitFor();
  await accessible(page, "dialog[open]");

  const guest = await yard.page({ viewport: { width: 900, height: 480 }, bypassCSP: true });
  await guest.goto(url);
  assert.ok(guest.url().startsWith(`${yard.url}/s/`) && !guest.url().includes("join"), guest.url());
  await guest.getByRole("button", { name: "Watching as Guest 1" }).waitFor();
  await shows(guest, "root@node1");
  for (const away of ["[data-share]", "[data-extend]", "[data-close]", "[data-add-node]", "[data-new-terminal]"]) {
    assert.equal(await guest.locator(`${away}:visible`).count(), 0, away);
  }
  assert.deepEqual(await guest.locator(".panel-toggle .panel-label").allInnerTexts(), ["X-ray", "Registry"]);

  // The dialog tells who came, and the bar who is there.
  await page.locator(".share-guest.here", { hasText: "Guest 1" }).waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Also here: Guest 1, watching, in node1 · main" }).waitFor();

  await type(page, "echo seen-$((6*7)) $(tput cols)");
  const columns = /seen-42 (\d+)/.exec(await shows(page, /\nseen-42 \d+/))![1]!;
  await shows(guest, `\nseen-42 ${columns}`);
  // The smaller window changes nothing, and follows what happens.
  await type(page, "seq 100; echo end-$((1+1))");
  await shows(guest, "\nend-2");
  const inSight = async (): Promise<boolean> => {
    const frame = (await guest.locator(".pane.shown .term-frame").boundingBox())!;
    const line = await guest.locator(".xterm-accessibility-tree:visible > div", { hasText: /^end-2/ }).boundingBox();
    return line !== null && line.x >= frame.x && line.y >= frame.y && line.y + line.height <= frame.y + frame.height + 1;
  };
  await until(guest, inSight, (is) => is, "what happens is out of sight");
  await guest.locator(".xterm-helper-textarea:visible").focus();
  await guest.keyboard.type("echo not-mine\n");
  await guest.getByText("You are watching: what you type goes nowhere.").waitFor();
  await type(page, "echo last-$((1+1)) $(tput cols)");
  await shows(guest, `\nlast-2 ${columns}`);
  assert.ok(!(await screen(page)).includes("not-mine"));

  // A name, told to the other.
  await guest.locator(".guest-mark").click();
  await guest.fill("#people-name", "Ada Lovelace");
  await accessible(guest, ".people");
  await guest.getByRole("button", { name: "Use it" }).click();
  await page.getByRole("button", { name: "Also here: Ada Lovelace" }).waitFor();
  await guest.reload();
  await shows(guest, "last-2");
  await page.locator(".people-button .person", { hasText: "AL" }).waitFor();

  // Revoked, and over at once.
  await page.click(".bar > [data-share]");
  await page.getByRole("button", { name: "Revoke the link Watch, Class" }).click();
  await guest.getByRole("heading", { name: "The owner has ended this share" }).waitFor();
  await guest.getByRole("button", { name: "Stay here" }).click();
  await guest.getByText("The owner has ended this share.", { exact: true }).waitFor();
  await page.getByText("The link is revoked").waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByText("Ada Lovelace has left.").waitFor();
  await page.locator(".people").waitFor({ state: "hidden" });
  await type(page, "echo after-$((1+1))");
  await shows(page, "\nafter-2");
  assert.ok(!(await screen(guest)).includes("after-2"));
  assert.equal((await guest.reload())?.status(), 403);
  await guest.getByRole("heading", { name: "The owner has ended this share" }).waitFor();
  assert.equal((await guest.goto(url))?.status(), 403);
  await guest.getByRole("heading", { name: "This link is no longer valid" }).waitFor();
  await leave(page);
});

test("two type in one terminal and see the same", { timeout: 180_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  const url = await share(page, "Type", "");
  await page.getByRole("button", { name: "Done" }).click();
  const guest = await yard.page({ viewport: { width: 1000, height: 700 } });
  await guest.goto(url);
  await guest.getByRole("button", { name: "Typing as Guest 1" }).waitFor();
  await shows(guest, "root@node1");

  await type(guest, "echo guest-$((6*7))");
  await shows(page, "\nguest-42");
  // Whose key it was is shown.
  await page.locator(".people-button .person.types").waitFor();
  await type(page, "echo owner-$((6*7))");
  await shows(guest, "\nowner-42");
  // Both on one line, in turns.
  await page.locator(".xterm-helper-textarea:visible").focus();
  await page.keyboard.type("echo one");
  await shows(guest, "# echo one");
  await guest.locator(".xterm-helper-textarea:visible").focus();
  await guest.keyboard.type("-two");
  await shows(page, "# echo one-two");
  await page.keyboard.press("Enter");
  await shows(page, "\none-two");
  await shows(guest, "\none-two");
  // A program that asks its terminal gets one answer, not two.
  await type(guest, "printf '\\033[c'; read -rsn 64 -t 2 a; echo answers-$(printf %s \"$a\" | tr -dc c | wc -c)");
  await shows(page, "\nanswers-1");
  await type(page, "clear");
  await until(page, () => screen(page), (all) => !all.includes("answers"), "it was not cleared");
  await page.waitForTimeout(300);
  assert.equal(await screen(page), await screen(guest));

  // A shell of the guest's own shows in the owner's page too, with who is there.
  await guest.click("[data-new-terminal]");
  await page.locator(".tab-slot", { hasText: "shell-2" }).locator(".tab-people .person").waitFor();
  await page.locator(".people-button").click();
  await page.getByTitle("Show this terminal").filter({ hasText: "node1 · shell-2" }).click();
  await type(guest, "echo mine-$((1+1))");
  await shows(page, "\nmine-2");
  // What is the owner's stays the owner's.
  await guest.locator(".node-button").click();
  await guest.getByRole("button", { name: "New terminal here" }).waitFor();
  assert.equal(await guest.getByText("Remove this node").filter({ visible: true }).count(), 0);

  await page.locator("[data-close]").first().click();
  await page.getByRole("button", { name: "Close the session" }).click();
  await guest.getByText("Its owner closed it.").waitFor();
  const answer = await guest.reload();
  assert.equal(answer?.status(), 410);
});

test("a guest follows a lesson on a phone", { timeout: 180_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url, "lesson");
  const url = await share(page, "Watch", "");
  await page.getByRole("button", { name: "Done" }).click();
  const guest = await yard.page({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, colorScheme: "dark" });
  await guest.goto(url);
  await guest.waitForURL(/pull-build-ship-run/);
  await shows(guest, "root@node1");
  const wide = await guest.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 360, `${wide} px`);
  assert.equal(await guest.locator(".tool.run:visible, .key-bar:visible").count(), 0);
  // With people and a port in it, the owner's bar still fits a phone.
  await type(page, "python3 -m http.server 8080 >/dev/null 2>&1 &");
  await page.locator(".port-chip", { hasText: "8080" }).waitFor();
  assert.equal(await guest.locator("a.port-chip").count(), 0);
  await page.setViewportSize({ width: 360, height: 740 });
  await page.waitForTimeout(200);
  const close = (await page.locator("[data-close]").boundingBox())!;
  assert.ok(close.x + close.width <= 360, `ends at ${close.x + close.width}`);
  await page.getByRole("button", { name: "Share this session" }).click();
  await page.getByRole("heading", { name: "Share this session" }).waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await leave(page);
});
