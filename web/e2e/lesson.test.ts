// The whole first lesson by clicks only, to the page of the student's own container in a second tab; and its first step
// by keyboard only.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { prompt, start } from "./deeds";
import { Yard } from "./yard";

let yard: Yard;
before(async () => (yard = await Yard.open()));
after(async () => yard?.close());

async function answer(quiz: Locator, option: number): Promise<void> {
  await quiz.locator("label").nth(option).click();
  await quiz.getByRole("button", { name: "Answer" }).click();
  await quiz.locator(".quiz-verdict p").waitFor();
}

test("the first lesson by clicks only", { timeout: 400_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url, "lesson");
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
    if (await list.count()) await step.getByText("All done. On to the next step.").waitFor();
    if (i < count - 1) await page.locator("[data-next]").click();
  }
  // The quizzes: wrong, then right. Only then is their step done, and with it the lesson.
  const quizzes = page.locator("form.quiz:visible");
  assert.equal(await quizzes.count(), 2);
  for (const [quiz, wrong, right] of [[quizzes.nth(0), 0, 1], [quizzes.nth(1), 0, 1]] as const) {
    assert.equal(await page.locator(".fairway a.done").count(), count - 2);
    assert.equal(await page.getByText("Lesson complete").isVisible(), false);
    await answer(quiz, wrong);
    assert.equal(await quiz.getAttribute("data-state"), "wrong");
    await quiz.getByRole("button", { name: "Try again" }).click();
    await answer(quiz, right);
    assert.equal(await quiz.getAttribute("data-state"), "correct");
  }
  await page.getByText(/^Lesson complete in \d+ (minutes?|seconds)\. Well done!$/).waitFor();
  // It is the last lesson of its course: the way on leads back to all of them.
  assert.equal(await page.locator("[data-next]").isVisible(), false);
  const onward = page.getByRole("link", { name: "To the lessons" }).first();
  assert.equal(await onward.getAttribute("href"), "/#lessons");
  assert.match((await onward.getAttribute("class"))!, /primary/);
  // Progress is kept.
  const hash = new URL(page.url()).hash;
  await page.reload();
  await page.locator("form.quiz[data-state='correct']:visible").first().waitFor();
  assert.equal(new URL(page.url()).hash, hash);
  // The introduction has nothing to do.
  assert.equal(await page.locator(".fairway a.done").count(), count - 1);
  const said = await page.locator(".finished").innerText();
  assert.match(said, /^Lesson complete in /);
  await onward.click();
  await page.waitForURL(`${yard.url}/#lessons`);
});

test("a lesson leads on to the next of its course, in the same session", { timeout: 120_000 }, async () => {
  const courses = mkdtempSync("/var/tmp/boatyard-e2e-courses-");
  const folder = join(courses, "knots");
  mkdirSync(folder);
  writeFileSync(join(folder, "course.yaml"), "title: Knots\nsummary: Two small lessons.\nlessons: [bowline, sheet-bend]\n");
  const lesson = (title: string): string => `---\ntitle: ${title}\nsummary: A quiz.\nminutes: 1\nlevel: beginner\n---\n\nRead.\n\n## Answer\n\n\`\`\`yaml quiz\nquestion: Which?\noptions:\n  - {text: This, correct: true}\n  - {text: That}\n\`\`\`\n`;
  writeFileSync(join(folder, "bowline.md"), lesson("The bowline"));
  writeFileSync(join(folder, "sheet-bend.md"), lesson("The sheet bend"));
  const own = await Yard.open({}, courses);
  try {
    const page = await own.page();
    await page.goto(own.url);
    await page.locator('form[data-start]:has(input[value="bowline"])').first().getByRole("button").click();
    await page.waitForURL(/\/knots\/bowline/);
    const session = page.url().replace(/\/knots\/.*/, "");
    await page.locator(".fairway a").last().click();
    const onward = page.getByRole("link", { name: "Next lesson: The sheet bend" });
    await onward.waitFor();
    assert.equal(await page.getByText("Lesson complete").isVisible(), false);
    await answer(page.locator("form.quiz:visible"), 0);
    await page.getByText("Lesson complete").waitFor();
    await onward.click();
    await page.waitForURL(`${session}/knots/sheet-bend`);
    await page.locator(".fairway a").last().click();
    await page.getByRole("link", { name: "To the lessons" }).first().waitFor();
  } finally {
    await own.close();
    rmSync(courses, { recursive: true });
  }
});

/** Presses Tab until what has the focus matches `selector`; every stop on the way must be seen. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let n = 0; n < 80; n++) {
    await page.keyboard.press("Tab");
    const [there, seen, what] = await page.evaluate((wanted) => {
      const focused = document.activeElement!;
      const style = getComputedStyle(focused);
      const ring = style.outlineStyle !== "none" && style.outlineWidth !== "0px";
      return [focused.matches(wanted), ring || focused === document.body, focused.outerHTML.slice(0, 120)] as const;
    }, selector);
    assert.ok(seen, `the focus is seen on ${what}`);
    if (there) return;
  }
  assert.fail(`Tab does not lead to ${selector}`);
}

test("the first step by keyboard only", { timeout: 180_000 }, async () => {
  const page = await yard.page();
  await page.goto(yard.url);
  await tabTo(page, "#lessons form[data-start] button");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/s\/.+\/pull-build-ship-run/);
  await page.locator(".xterm-helper-textarea").waitFor({ state: "attached" });
  await tabTo(page, "a.skip");
  await page.keyboard.press("Enter");
  await tabTo(page, "[data-next]");
  await page.keyboard.press("Enter");
  const step = page.locator("section.step:visible");
  await step.locator("h2:focus").waitFor();
  await tabTo(page, "figure.cmd .run");
  await page.keyboard.press("Enter");
  await prompt(page);
  // The terminal keeps Tab for the shell; its own key leads back.
  await page.locator(".xterm-helper-textarea:focus").waitFor({ state: "attached" });
  await page.keyboard.press("Control+Shift+L");
  await step.locator("h2:focus").waitFor();
  await step.locator("ul.checks li[data-state='pass']").waitFor();
  await tabTo(page, "[data-next]");
  await page.keyboard.press("Enter");
  await page.locator("section.step:visible h2:focus").waitFor();
  await page.locator("[data-goto][aria-current]", { hasText: "2" }).first().waitFor();
});
