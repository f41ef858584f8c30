// Every page as people with other needs meet it: nothing that axe calls serious, light or dark, and no page wider than a
// phone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { fits, look, PHONE } from "./axe";
import { leave, lines, screen, shows, start, type, until } from "./deeds";
import { Yard } from "./yard";

let yard: Yard;
before(async () => (yard = await Yard.open({ SESSIONS__PER_CLIENT: "1", SESSIONS__MAX: "2" })));
after(async () => yard?.close());

test("axe finds nothing serious on any page, and all fit a phone", { timeout: 300_000 }, async () => {
  // Only so can axe be put into a page.
  const open = (): Promise<Page> => yard.page({ bypassCSP: true });
  const page = await open();
  const visit = async (on: Page, url: string, name: string): Promise<void> => {
    await on.goto(url);
    await look(on, name);
  };
  await visit(page, yard.url, "home");
  await visit(page, `${yard.url}/catalogue`, "catalogue");
  // What a lab image holds, by its own record.
  await page.locator(".labs tr", { hasText: "default" }).getByText(/docker \d+\.\d+/).first().waitFor();
  await visit(page, `${yard.url}/nothing`, "not found");
  await visit(page, `${yard.url}/try`, "stacks");
  await visit(page, `${yard.url}/try?stack=counter&swarm=1`, "a stack");
  await visit(page, `${yard.url}/try?stack=nothing`, "no such stack");

  await start(page, yard.url, "lesson");
  const session = page.url().match(/.*\/s\/[^/]+/)![0];
  await look(page, "introduction");
  await page.locator("[data-next]").click();
  await page.getByRole("button", { name: "Check now" }).click();
  await page.locator("ul.checks li[data-state='fail']").first().waitFor();
  await look(page, "a check that fails");
  await page.locator(".fairway a").last().click();
  const quiz = page.locator("form.quiz:visible").first();
  await quiz.locator("label").first().click();
  await quiz.getByRole("button", { name: "Answer" }).click();
  await quiz.locator("[data-state='wrong']").waitFor();
  await look(page, "a wrong answer");

  const second = await page.context().newPage();
  await second.goto(yard.url);
  await look(second, "home with a session");
  await second.getByRole("button", { name: "Start a session" }).click();
  await second.getByRole("link", { name: "Rejoin" }).waitFor();
  await look(second, "limit");
  await second.goto(`${session}/ports/node1/8080`);
  await second.getByText("Nothing listens").waitFor();
  await look(second, "waiting port");
  await second.goto(session);
  await shows(second, "root@node1");
  const babble = `import socket; s = socket.create_server(("", 7000))\\nwhile 1: c = s.accept()[0]; c.sendall(b"hm\\\\n"); c.close()`;
  await type(second, `printf '%b' '${babble}' > b.py; python3 b.py &`);
  await second.getByRole("link", { name: "7000" }).waitFor();
  await look(second, "playground");
  await page.goto(`${session}/ports/node1/7000`);
  await page.getByText("does not answer in HTTP").waitFor();
  await look(page, "port that speaks no HTTP");

  const other = await open();
  await visit(other, session, "someone else's session");
  await start(other, yard.url);
  await other.locator("[data-search]").click();
  await look(other, "search");
  await other.keyboard.press("Escape");
  await other.locator("[data-shortcuts]").click();
  await look(other, "shortcuts");
  await other.keyboard.press("Escape");
  await other.locator("[data-close]").click();
  await look(other, "closing");
  await other.keyboard.press("Escape");
  const late = await open();
  await late.goto(yard.url);
  await late.getByRole("button", { name: "Start a session" }).click();
  await late.getByText("2 of 2").waitFor();
  await look(late, "full");
  await late.close();

  await yard.kill();
  await other.getByText("Connection lost.").first().waitFor();
  await look(other, "reconnecting");
  await yard.start();
  await other.getByText("Reconnecting").first().waitFor({ state: "hidden" });
  await leave(other);
  await look(other, "ended, with the page open");
  await other.reload();
  await look(other, "ended");
  await leave(second);
});

test("a lesson on a phone", { timeout: 180_000 }, async () => {
  const page = await yard.page(PHONE);
  await start(page, yard.url, "lesson");
  const lesson = page.locator(".lesson");
  const terminals = page.locator(".terminals");
  const [above, below] = [(await lesson.boundingBox())!, (await terminals.boundingBox())!];
  assert.ok(above.y + above.height <= below.y + 1, "the lesson stands above the terminal");
  assert.ok(above.width === 390 && below.width === 390 && above.height > 250 && below.height > 200);
  await page.locator("section.step:visible figure.cmd .run").first().tap();
  await shows(page, /docker-init:/);
  // The terminal alone has all the height, and its columns are those that fit.
  await page.getByRole("button", { name: "Terminal", exact: true }).tap();
  await lesson.waitFor({ state: "hidden" });
  assert.ok((await terminals.boundingBox())!.height > below.height * 1.7);
  await type(page, "clear; tput cols; echo phone-$((1+1))");
  const columns = Number((await shows(page, "\nphone-2")).match(/(\d+)\nphone-2/)?.[1]);
  assert.ok(columns >= 36 && columns <= 60, `${columns} columns`);
  await until(page, async () => (await lines(page)).length, (rows) => rows > 30, "the terminal does not grow");
  await page.getByRole("button", { name: "Lesson", exact: true }).tap();
  await terminals.waitFor({ state: "hidden" });
  // A command brings the terminal back.
  await page.locator("section.step:visible figure.cmd .run").first().tap();
  await terminals.waitFor({ state: "visible" });
  await leave(page);
});

test("a phone's keys, tabs and ports", { timeout: 180_000 }, async () => {
  const page = await yard.page({ ...PHONE, bypassCSP: true });
  await start(page, yard.url);
  await look(page, "playground on a phone");
  const bar = page.getByRole("toolbar", { name: "Keys of the terminal" });
  for (const key of await bar.getByRole("button").all()) {
    const box = (await key.boundingBox())!;
    assert.ok(box.width >= 44 && box.height >= 44, `${await key.getAttribute("aria-label")}: ${box.width} × ${box.height}`);
  }
  const tap = (name: string): Promise<void> => bar.getByRole("button", { name, exact: true }).tap();
  await type(page, "echo one-$((1+1))");
  await shows(page, "\none-2");
  await page.keyboard.type("echo p");
  await tap("Vertical bar");
  await page.keyboard.type("cat");
  await shows(page, "# echo p|cat");
  // The terminal has kept the focus; Ctrl holds for one key.
  const ctrl = bar.getByRole("button", { name: "Ctrl, held for the next key" });
  await ctrl.tap();
  assert.equal(await ctrl.getAttribute("aria-pressed"), "true");
  await page.keyboard.type("c");
  await shows(page, "^C");
  assert.equal(await ctrl.getAttribute("aria-pressed"), "false");
  await tap("Arrow up");
  await page.keyboard.press("Enter");
  await until(page, () => screen(page), (all) => all.split("\none-2").length === 3, "Arrow up does not bring the line back");
  await type(page, "clear; cat -v");
  await tap("Tab");
  await tap("Esc");
  await page.keyboard.press("Enter");
  await shows(page, "\t^[".replace("\t", "        "));
  await ctrl.tap();
  await page.keyboard.type("c");

  // Several ports in a list that is not cut off.
  await type(page, "clear; for p in 8080 8443 9000; do python3 -m http.server $p >/dev/null 2>&1 & done");
  const several = page.getByRole("button", { name: "3 ports" });
  await several.waitFor();
  await several.tap();
  await look(page, "the list of ports");
  for (const port of ["8080", "8443", "9000"]) {
    const box = (await page.getByRole("link", { name: port }).boundingBox())!;
    assert.ok(box.x >= 0 && box.x + box.width <= 390 && box.height >= 44, `${port} at ${box.x}, ${box.width} × ${box.height}`);
  }
  await several.tap();
  await page.getByRole("link", { name: "8443" }).waitFor({ state: "hidden" });

  // The tab in front stays in sight when the page gets narrower.
  await page.setViewportSize({ width: 844, height: 390 });
  for (let n = 2; n < 6; n++) {
    await page.locator("[data-new-terminal]").click();
    await page.getByRole("tab", { name: `shell-${n}`, selected: true }).waitFor();
  }
  await page.setViewportSize(PHONE.viewport);
  const inSight = (): Promise<boolean> =>
    page.locator(".tab-slot.current").evaluate((tab) => {
      const [own, row] = [tab.getBoundingClientRect(), tab.parentElement!.getBoundingClientRect()];
      return own.left >= row.left - 1 && own.right <= row.right + 1;
    });
  await until(page, inSight, (seen) => seen, "the tab in front is out of sight");
  await fits(page, "a session on a phone");
  await leave(page);
});

test("a mouse needs no bar of keys", { timeout: 60_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  assert.equal(await page.locator(".key-bar").isVisible(), false);
  await leave(page);
});
