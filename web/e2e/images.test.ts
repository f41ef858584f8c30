// Sessions of other lab images, chosen on the home page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { leave, shows, type } from "./deeds";
import { Yard } from "./yard";

let yard: Yard;
before(async () => (yard = await Yard.open()));
after(async () => yard?.close());

test("Podman's image is chosen beside the start button, and its page has no lamp for Docker", { timeout: 240_000 }, async () => {
  const page = await yard.page();
  await page.goto(yard.url);
  const choice = page.getByLabel("Lab image");
  assert.equal(await choice.inputValue(), "default");
  await choice.selectOption("alternatives");
  await page.getByRole("button", { name: "Start a session" }).click();
  await page.waitForURL(/\/s\/[^/]+$/);
  await shows(page, "student@node1");
  const node = page.locator('.nodes [data-docker="absent"]');
  await node.waitFor();
  assert.match(await node.innerText(), /node1\s+alternatives/);
  assert.equal(await node.locator(".lamp").isVisible(), false);
  await type(page, "podman run --rm busybox echo shipped-by-$(id -un)");
  await shows(page, "\nshipped-by-student", 120_000);
  await leave(page);
  // Started again, it is the same image.
  const again = page.locator("#ended-dialog").getByRole("button", { name: "Start again" });
  await again.click();
  await page.waitForURL(/\/s\/[^/]+$/);
  await shows(page, "student@node1");
  await leave(page);
});

test("the choice works without scripts", { timeout: 120_000 }, async () => {
  const page = await yard.page({ javaScriptEnabled: false });
  await page.goto(yard.url);
  await page.getByLabel("Lab image").selectOption({ label: "A shell, without container tools" });
  await page.getByRole("button", { name: "Start a session" }).click();
  await page.waitForURL(/\/s\/[^/]+$/);
  const session = page.url().split("/").at(-1)!;
  const answer = await page.request.get(`${yard.url}/api/v1/sessions/${session}`);
  assert.equal((await answer.json()).nodes[0].image, "minimal");
});
