// The whole first lesson by clicks only, to the page of the student's own container in a second tab.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { Yard, shows } from "./yard";

let yard: Yard;
before(async () => (yard = await Yard.open()));
after(async () => yard.close());

async function start(page: Page): Promise<void> {
  await page.goto(yard.url);
  await page.locator("form[data-start]", { has: page.locator('input[value="pull-build-ship-run"]') }).getByRole("button").click();
  await page.waitForURL(/\/s\/.+\/pull-build-ship-run/);
  await shows(page, "root@node1");
}

/** Waits until what was clicked has run: the prompt is the last thing in the terminal again. */
async function prompt(page: Page): Promise<void> {
  const rows = page.locator(".xterm-accessibility-tree:visible > div");
  const end = Date.now() + 120_000;
  for (;;) {
    await page.waitForTimeout(150);
    const lines = (await rows.allInnerTexts()).map((row) => row.replaceAll("\\u00a0", " ").trim()).filter(Boolean);
    if (/^root@node1:.*#$/.test(lines.at(-1) ?? "")) return;
    if (Date.now() > end) throw new Error(`no prompt:\n${lines.join("\n")}`);
  }
}

async function answer(quiz: Locator, option: number): Promise<void> {
  await quiz.locator("label").nth(option).click();
  await quiz.getByRole("button", { name: "Answer" }).click();
  await quiz.locator(".quiz-verdict p").waitFor();
}

test("the first lesson by clicks only", { timeout: 400_000 }, async () => {
  const page = await yard.page();
  await start(page);
  const steps = page.locator("section.step");
  const count = await steps.count();
  assert.ok(count >= 8, `${count} steps`);
  for (let i = 0; i < count; i++) {
    const step = steps.nth(i);
    await step.waitFor({ state: "visible" });
    const list = step.locator("ul.checks li");
    if (await list.count()) {
      assert.ok((await list.locator("xpath=self::*[@data-state!='pass']").count()) > 0, `step ${i} is not done before it is begun`);
    }
    for (const block of await step.locator("figure.cmd, figure.file, a.port").all()) {
      if (!(await block.isVisible())) continue;
      if (await block.evaluate((e) => e.matches("figure.cmd[data-norun], details.solution *"))) continue;
      if (await block.evaluate((e) => e.matches("a.port"))) {
        const [second] = await Promise.all([page.context().waitForEvent("page"), block.click()]);
        await second.getByText("Ahoy!").waitFor({ timeout: 30_000 });
        assert.match(new URL(second.url()).hostname, /^\d+-node1-[a-z0-9]{10}\.localhost$/);
        await second.close();
        continue;
      }
      await block.locator("button").first().click();
      if (await block.evaluate((e) => e.matches("figure.cmd"))) await prompt(page);
    }
    for (let n = 0; n < (await list.count()); n++) {
      await step.locator(`ul.checks li[data-check="${n}"][data-state="pass"]`).waitFor({ timeout: 20_000 });
    }
    if (i < count - 1) await page.locator("[data-next]").click();
  }
  // The quizzes: wrong, then right.
  const quizzes = page.locator("form.quiz:visible");
  assert.equal(await quizzes.count(), 2);
  for (const [quiz, wrong, right] of [[quizzes.nth(0), 0, 1], [quizzes.nth(1), 0, 1]] as const) {
    await answer(quiz, wrong);
    assert.equal(await quiz.getAttribute("data-state"), "wrong");
    await quiz.getByRole("button", { name: "Try again" }).click();
    await answer(quiz, right);
    assert.equal(await quiz.getAttribute("data-state"), "correct");
  }
  // Progress is kept.
  const hash = new URL(page.url()).hash;
  await page.reload();
  await page.locator("form.quiz[data-state='correct']:visible").first().waitFor();
  assert.equal(new URL(page.url()).hash, hash);
  assert.ok((await page.locator(".fairway a.done").count()) >= count - 2);
});
