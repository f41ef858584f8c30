// The terminal under a student's hands: focus, keys, clipboard, search, tabs, sizes, and a server that is killed.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { leave, lines, prompt, screen, shows, start, type, until } from "./deeds";
import { Yard } from "./yard";

let yard: Yard;
before(async () => (yard = await Yard.open()));
after(async () => yard?.close());

async function clipboardPage(): Promise<Page> {
  const page = await yard.page();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: yard.url });
  await start(page, yard.url);
  return page;
}

const fill = (page: Page, text: string): Promise<void> => page.evaluate((t) => navigator.clipboard.writeText(t), text);

/** A point within the first word of the last line that is `text`. */
async function wordOf(page: Page, text: string): Promise<{ x: number; y: number }> {
  const all = await lines(page);
  const row = all.lastIndexOf(text);
  assert.ok(row >= 0, `a line ${text} in\n${all.join("\n")}`);
  const box = (await page.locator(".pane.shown .xterm-screen").boundingBox())!;
  return { x: box.x + 20, y: box.y + ((row + 0.5) * box.height) / all.length };
}

test("a new session takes keys at once, copies, pastes and finds", { timeout: 120_000 }, async () => {
  const page = await clipboardPage();
  // Nothing was clicked: the terminal has the focus by itself.
  await page.keyboard.type("echo rope-$((6*7))\n");
  await shows(page, "\nrope-42");
  const word = await wordOf(page, "rope-42");
  await page.mouse.dblclick(word.x, word.y);
  await page.keyboard.press("Control+C");
  await until(page, () => page.evaluate(() => navigator.clipboard.readText()), (text) => text === "rope-42", "Ctrl-C does not copy");
  // With nothing selected, Ctrl-C is the program's.
  await type(page, "sleep 1000");
  await page.keyboard.press("Control+C");
  await shows(page, "^C");
  await prompt(page);

  await fill(page, "echo key-$((1+1))");
  await page.keyboard.press("Control+Shift+V");
  await shows(page, "# echo key-");
  await page.keyboard.press("Enter");
  await shows(page, "\nkey-2");
  await fill(page, "echo plain-$((1+1))");
  await page.keyboard.press("Control+V");
  await shows(page, "# echo plain-");
  await page.keyboard.press("Enter");
  await shows(page, "\nplain-2");
  // A program that fills the screen has the key to itself.
  await type(page, "vim");
  await shows(page, "VIM - Vi IMproved");
  await page.keyboard.press("Control+V");
  await shows(page, "-- VISUAL BLOCK --");
  await page.keyboard.press("Escape");
  await page.keyboard.type(":q!\n");
  await prompt(page);
  await fill(page, "echo mouse-$((1+1))");
  await page.mouse.click(word.x, word.y, { button: "right" });
  await shows(page, "# echo mouse-");
  await page.keyboard.press("Enter");
  await shows(page, "\nmouse-2");

  await page.keyboard.press("Control+Shift+F");
  await page.keyboard.type("rope-42");
  await page.locator(".term-search:visible .count", { hasText: "1 of 1" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".term-search:visible").waitFor({ state: "detached" });
  await type(page, "echo back-$((1+1))");
  await shows(page, "\nback-2");
  await leave(page);
});

test("a megabyte is pasted byte for byte", { timeout: 120_000 }, async () => {
  const page = await clipboardPage();
  let text = "";
  for (let n = 0; text.length < 1_000_000; n++) text += `${n} the quick brown fox jumps over the lazy dog, naïvely ⚓\n`;
  await fill(page, text);
  // Once it says so, the shell no longer asks for bracketed paste.
  await type(page, "echo go-$((1+1)); cat > /tmp/pasted");
  await shows(page, "\ngo-2");
  await page.keyboard.press("Control+Shift+V");
  // A kernel's terminal may drop echoes of so much, but no input. What ends it waits in line behind it, once the
  // browser has pasted.
  await shows(page, "the quick brown fox");
  await page.keyboard.press("Control+D");
  // The prompt need not stand at the beginning of a line.
  await shows(page, /root@node1:~#\s*$/);
  await type(page, "clear; sha256sum < /tmp/pasted");
  await shows(page, createHash("sha256").update(text).digest("hex"));
  await leave(page);
});

test("the shells outlive a reload and a killed server", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  await type(page, "kept=treasure; echo first-$((40+2))");
  await shows(page, "\nfirst-42");
  await page.locator("[data-new-terminal]").click();
  await page.getByRole("tab", { name: "shell-2", selected: true }).waitFor();
  await shows(page, "root@node1");
  await type(page, "kept=other; echo other-$((1+1))");
  await shows(page, "\nother-2");

  await page.reload();
  await shows(page, "\nfirst-42");
  await page.getByRole("tab", { name: "shell-2" }).click();
  await shows(page, "\nother-2");

  await yard.kill();
  await page.locator(".term-notice:visible", { hasText: "Connection lost." }).waitFor();
  // What is typed meanwhile is kept.
  await type(page, "echo again-$kept");
  await yard.start();
  await shows(page, "\nagain-other");
  await page.getByText("Reconnecting").first().waitFor({ state: "hidden" });
  // The same tab is still in front, with all that it showed.
  assert.equal(await page.getByRole("tab", { selected: true }).innerText(), "shell-2");
  assert.match(await screen(page), /\nother-2/);
  await page.getByRole("tab", { name: "main" }).click();
  await type(page, "echo second-$kept");
  assert.match(await shows(page, "\nsecond-treasure"), /\nfirst-42/);
  await leave(page);
});

test("a shell that ends says so once, and Enter brings a new one", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  let attached = 0;
  page.on("websocket", (socket) => {
    if (socket.url().includes("/terminals/")) attached += 1;
  });
  await start(page, yard.url);
  // A connection that did not come about at once is tried again; what counts is what comes after the end.
  const before = attached;
  await type(page, "exit 3");
  await shows(page, "[ended with exit code 3");
  await page.waitForTimeout(1_500);
  assert.equal((await screen(page)).split("[ended").length, 2);
  assert.equal(attached, before);
  await page.keyboard.press("Enter");
  await until(page, () => screen(page), (all) => !all.includes("[ended") && all.includes("root@node1"), "no new shell");
  await type(page, "echo new-$((1+1))");
  await shows(page, "\nnew-2");
  assert.equal(attached, before + 1);
  await leave(page);
});

test("a page that was busy for long keeps its connection", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  let sockets = 0;
  page.on("websocket", () => (sockets += 1));
  await page.evaluate(() => {
    for (const end = Date.now() + 14_000; Date.now() < end; );
  });
  await page.waitForTimeout(3_000);
  await type(page, "echo here-$((1+1))");
  await shows(page, "\nhere-2");
  assert.equal(sockets, 0);
  await leave(page);
});

test("a playground says how to begin, in its first terminal only", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  const said = await screen(page);
  for (const words of ["docker run hello-world", "/catalogue", "registry.lab:5000"]) assert.ok(said.includes(words), said);
  await page.locator("[data-new-terminal]").click();
  await page.getByRole("tab", { name: "shell-2", selected: true }).waitFor();
  await shows(page, "root@node1");
  assert.ok(!(await screen(page)).includes("hello-world"));
  await leave(page);
});

test("columns follow the window", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  const columns = async (mark: string): Promise<number> => {
    await type(page, `tput cols; echo ${mark}-$((1+1))`);
    const shown = await shows(page, `\n${mark}-2`);
    return Number(shown.match(new RegExp(`\\n(\\d+)\\n${mark}-2`))?.[1]);
  };
  const before = await columns("wide");
  await page.setViewportSize({ width: 900, height: 700 });
  let n = 0;
  await until(page, () => columns(`narrow${(n += 1)}`), (now) => now < before * 0.7, `it stays at ${before} columns`);
  await leave(page);
});
