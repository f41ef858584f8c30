// What a student does on the pages, and how a test sees what came of it.
import type { Page } from "playwright-core";

const PROMPT = "root@node1";

/** Starts a session by its button, with the first lesson or without one, and waits for the shell. */
export async function start(page: Page, home: string, what: "lesson" | "playground" = "playground"): Promise<void> {
  await page.goto(home);
  const form = page.locator(what === "lesson" ? 'form[data-start]:has(input[value="pull-build-ship-run"])' : "form[data-start]").first();
  await form.getByRole("button").click();
  await page.waitForURL(what === "lesson" ? /\/s\/.+\/pull-build-ship-run/ : /\/s\/[^/]+$/);
  await shows(page, PROMPT);
}

/** Closes the session with the page's own button. */
export async function leave(page: Page): Promise<void> {
  await page.locator("[data-close]").first().click();
  await page.getByRole("button", { name: "Close the session" }).click();
  await page.getByText("This session has ended").first().waitFor();
}

/** Types a line into the terminal in front. */
export async function type(page: Page, text: string): Promise<void> {
  await page.locator(".xterm-helper-textarea:visible").focus();
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
}

/** What the terminal in front shows, by lines: read as a screen reader reads it, since WebGL draws no text. */
export async function lines(page: Page): Promise<string[]> {
  const rows = await page.locator(".xterm-accessibility-tree:visible > div").allInnerTexts();
  return rows.map((row) => row.replaceAll("\u00a0", " ").trimEnd());
}

/** What the terminal in front shows. */
export async function screen(page: Page): Promise<string> {
  return (await lines(page)).join("\n");
}

/** Waits until the terminal in front shows `text`. */
export async function shows(page: Page, text: string | RegExp, timeout = 60_000): Promise<string> {
  const wanted = text instanceof RegExp ? text : { test: (all: string) => all.includes(text) };
  return until(page, () => screen(page), (all) => wanted.test(all), `the terminal does not show ${text}`, timeout);
}

/** Waits until what was run has ended: the prompt is the last thing in the terminal. */
export async function prompt(page: Page, timeout = 120_000): Promise<void> {
  await page.waitForTimeout(150);
  const last = async (): Promise<string> => (await lines(page)).filter(Boolean).at(-1) ?? "";
  await until(page, last, (line) => /^root@node1:.*#$/.test(line), "no prompt", timeout);
}

/** Asks for `what` again and again until it is `right`. */
export async function until<T>(
  page: Page,
  what: () => Promise<T>,
  right: (value: T) => boolean,
  failure: string,
  timeout = 60_000,
): Promise<T> {
  const end = Date.now() + timeout;
  for (;;) {
    const value = await what();
    if (right(value)) return value;
    if (Date.now() > end) throw new Error(`${failure}:\n${value}`);
    await page.waitForTimeout(50);
  }
}
