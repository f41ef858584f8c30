// The SDK on a site of its own: another host name, another port, and no cookie of the server's.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { look } from "./axe";
import { until } from "./deeds";
import { Tutorial } from "./tutorial";
import { Yard } from "./yard";

let yard: Yard;
let tutorial: Tutorial;
before(async () => {
  tutorial = await Tutorial.open();
  yard = await Yard.open({ SDK__ORIGINS: JSON.stringify([tutorial.origin()]), SESSIONS__PER_CLIENT: "1" });
  tutorial.server = yard.url;
});
after(async () => {
  tutorial?.close();
  await yard?.close();
});

const element = (page: Page, number: number): Locator => page.locator("boatyard-terminal").nth(number - 1);

/** What a terminal of the page shows. */
async function screen(page: Page, number: number): Promise<string> {
  const rows = await element(page, number).locator(".xterm-rows > div").allInnerTexts();
  return rows.map((row) => row.replaceAll("\u00a0", " ").trimEnd()).join("\n");
}

async function shows(page: Page, number: number, text: string | RegExp, timeout = 60_000): Promise<string> {
  const wanted = text instanceof RegExp ? text : { test: (all: string) => all.includes(text) };
  return until(page, () => screen(page, number), (all) => wanted.test(all), `terminal ${number} does not show ${text}`, timeout);
}

const block = (page: Page, text: string): Locator => page.getByRole("button", { name: text }).or(page.locator("[data-boatyard-block]", { hasText: text })).first();

async function end(page: Page, number = 1): Promise<void> {
  await element(page, number).locator("summary").click();
  await element(page, number).getByRole("button", { name: "End the session" }).click();
  await element(page, number).getByRole("button", { name: "Delete everything in it?" }).click();
  await element(page, number).getByText("The session has ended").waitFor();
}

test("a tutorial of another origin, from the first click to the last", { timeout: 240_000 }, async () => {
  const page = await yard.page();
  await page.goto(tutorial.origin());
  await element(page, 1).getByRole("button", { name: "Start" }).waitFor();
  assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), [], "who only reads takes no place");
  await look(page, "the tutorial before a session");

  // The click starts the session, and what was clicked is typed when the shell is ready.
  await block(page, "docker run -d --name web").click();
  await shows(page, 1, /# docker run -d --name web [^]*\n[0-9a-f]{64}\n/, 120_000);
  await shows(page, 2, "root@node2");
  assert.ok(!(await screen(page, 2)).includes("docker run -d"), "only the terminal of that number");
  const [opened] = await Promise.all([page.context().waitForEvent("page"), page.getByRole("link", { name: "open the page" }).click()]);
  await opened.getByText("nginx").first().waitFor();
  assert.match(new URL(opened.url()).hostname, /^8080-node1-\w+\.localhost$/);
  assert.equal(await opened.evaluate(() => window.opener), null);
  await opened.close();
  // By keyboard too, and the focus stays in the text.
  const next = block(page, "curl -s http://node1:8080/ | head");
  await next.focus();
  await page.keyboard.press("Enter");
  await shows(page, 2, "<title>");
  assert.equal(await next.evaluate((e) => document.activeElement === e), true);
  assert.ok(!(await screen(page, 1)).includes("curl"));
  // Several lines are one paste, from a block as a highlighter makes it.
  await block(page, "cat > index.html").click();
  await shows(page, 1, "Successfully copied");
  await page.locator("code.term2").click();
  await shows(page, 2, "<h1>Ahoy from node1</h1>");

  // The port came into the bar by itself; its chip leads to the same.
  const chip = element(page, 1).getByRole("button", { name: "Open port 8080 of node1" });
  const [again] = await Promise.all([page.context().waitForEvent("page"), chip.click()]);
  await again.waitForURL(/8080-node1-/);
  // nginx lets browsers keep its pages; what was changed shows after a reload, as everywhere.
  await again.reload();
  await again.getByRole("heading", { name: "Ahoy from node1" }).waitFor();
  await again.close();

  await page.getByRole("button", { name: "Send count.sh" }).click();
  await page.getByRole("status").filter({ hasText: "/root/count.sh written" }).waitFor();
  await block(page, "sh count.sh").click();
  await shows(page, 2, "visit 5: 200");

  // A reload goes on with the same shells: what was set in one is still there.
  await element(page, 1).locator(".xterm-helper-textarea").focus();
  await page.keyboard.type("MOORED=fast; clear\n");
  await page.waitForTimeout(300);
  await page.reload();
  await shows(page, 1, "root@node1");
  await element(page, 1).locator(".xterm-helper-textarea").focus();
  await page.keyboard.type("echo still-$MOORED\n");
  await shows(page, 1, "\nstill-fast");
  // The keys that leave the terminal lead on in the page.
  await page.keyboard.press("Control+Shift+L");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("node")), "node2");

  await look(page, "the tutorial with one");
  const cookies = await page.context().cookies(yard.url);
  assert.deepEqual(cookies.filter(({ name }) => name === "boatyard"), [], "no cookie of the server's came to be");
  await end(page);
  await element(page, 2).getByRole("button", { name: "Start a new one" }).waitFor();
});

test("an origin that is not listed is told so", { timeout: 60_000 }, async () => {
  const page = await yard.page();
  const strange = tutorial.origin("stranger");
  await page.goto(strange);
  await element(page, 1).getByRole("button", { name: "Start" }).click();
  await element(page, 1).getByText("This page may not embed terminals").waitFor();
  await element(page, 1).getByText(`add "${strange}" to`).waitFor();
  await block(page, "docker ps").click();
  await page.getByRole("status").filter({ hasText: "Not typed" }).waitFor();
});

test("a second tab goes on in the first one's session", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await page.goto(tutorial.origin());
  await element(page, 1).getByRole("button", { name: "Start" }).click();
  await shows(page, 1, "root@node1");
  // Whoever pressed the button can type at once.
  await page.keyboard.type("echo first-$((1+1))\n");
  await shows(page, 1, "\nfirst-2");
  const second = await page.context().newPage();
  await second.goto(tutorial.origin());
  await element(second, 1).getByRole("button", { name: "Start" }).click();
  await element(second, 1).getByText("You have a session already").waitFor();
  await element(second, 1).getByRole("button", { name: "Go on in the earlier one" }).click();
  await shows(second, 1, "first-2");
  await end(second);
  await element(page, 1).getByText("It was closed.").waitFor();
});

test("a full server, and a place that becomes free", { timeout: 120_000 }, async () => {
  const small = await Yard.open({ SDK__ORIGINS: JSON.stringify([tutorial.origin()]), SESSIONS__MAX: "1" });
  tutorial.server = small.url;
  try {
    const page = await small.page();
    await page.goto(tutorial.origin());
    await element(page, 1).getByRole("button", { name: "Start" }).click();
    await shows(page, 1, "root@node1");
    const late = await small.page();
    await late.goto(tutorial.origin());
    await block(late, "docker ps").click();
    await element(late, 2).getByText("1 of 1 places are in use").waitFor();
    await late.getByRole("status").filter({ hasText: "Not typed" }).waitFor();
    await end(page);
    // Nobody presses anything: it goes on by itself.
    await shows(late, 1, "root@node1");
  } finally {
    tutorial.server = yard.url;
    await small.close();
  }
});

test("a server that goes away and comes back", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await page.goto(tutorial.origin());
  await block(page, "docker ps").click();
  await shows(page, 1, "# docker ps");
  await yard.kill();
  await element(page, 1).getByText("Reconnecting").waitFor();
  await page.reload();
  await yard.start();
  // The script came from the server too, so the page waits for a reload.
  await page.reload();
  await shows(page, 1, "# docker ps");
  await yard.kill();
  await element(page, 1).getByText("Reconnecting").waitFor();
  await element(page, 1).locator(".xterm-helper-textarea").focus();
  await page.keyboard.type("echo kept-$((1+1))\n");
  await yard.start();
  await shows(page, 1, "\nkept-2");
  await end(page);
});
