// How a page is for people with other needs: what axe calls serious, in both themes, and a phone's width.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A phone. */
export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

interface Axe {
  run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
}

/** Looks at the page as it is now, in both themes and at a phone's width. */
export async function look(page: Page, name: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    if (!(await page.evaluate(() => "axe" in globalThis))) await page.addScriptTag({ content: axe });
    const found = await page.evaluate(async () => {
      // A change of the theme is told, drawn, and only then in transition.
      for (let n = 0; n < 3; n++) await new Promise((drawn) => requestAnimationFrame(drawn));
      await Promise.allSettled(document.getAnimations().filter((a) => a instanceof CSSTransition).map((a) => a.finished));
      const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run();
      return violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes[0]?.html}`);
    });
    assert.deepEqual(found, [], `${name}, ${colorScheme}`);
  }
  await fits(page, name);
}

export async function fits(page: Page, name: string): Promise<void> {
  const before = page.viewportSize()!;
  await page.setViewportSize(PHONE.viewport);
  const wide = await page.evaluate(async () => {
    // The new width is drawn before it is looked at: until then what depends on it need not have changed.
    for (let n = 0; n < 2; n++) await new Promise((drawn) => requestAnimationFrame(drawn));
    return [document.documentElement.scrollWidth, innerWidth] as const;
  });
  assert.ok(wide[0] <= wide[1], `${name} is ${wide[0]} pixels wide on a phone of ${wide[1]}`);
  await page.setViewportSize(before);
}
