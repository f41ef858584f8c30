// The last minutes of a session: countdown, warning, extension, and the end of its time.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { leave, start } from "./deeds";
import { Yard } from "./yard";

let yard: Yard;
const settings = { SESSIONS__DURATION: "62s", SESSIONS__EXTENSION: "10m", SESSIONS__EXTENSIONS: "1" };
before(async () => (yard = await Yard.open(settings)));
after(async () => yard?.close());

test("a session is counted down, can be extended, and ends when its time is up", { timeout: 180_000 }, async () => {
  const ends = await yard.page();
  await start(ends, yard.url);
  const page = await yard.page();
  await start(page, yard.url);

  await page.locator(".countdown.soon, .countdown.last").waitFor();
  const warning = page.getByRole("alert").filter({ hasText: "This session ends in" });
  await warning.waitFor();
  await page.locator("[data-extend]").click();
  await page.getByText("Extended.").waitFor();
  await page.locator(".countdown:not(.soon, .last)", { hasText: /^1[01] min$/ }).waitFor();
  // What it warned of holds no longer, and it was the only extension.
  assert.equal(await warning.count(), 0);
  assert.ok(await page.locator("[data-extend]").isDisabled());

  await ends.getByRole("alert").filter({ hasText: "This session ends in" }).first().waitFor();
  const dialog = ends.locator("#ended-dialog");
  await dialog.getByText("Its time was up.").waitFor({ timeout: 120_000 });
  // Nothing behind the dialog still warns of what has come.
  assert.equal(await ends.locator(".toast").count(), 0);
  await dialog.getByRole("button", { name: "Stay here" }).click();
  await ends.reload();
  await ends.getByText("Its time was up.").waitFor();
  await leave(page);
});
