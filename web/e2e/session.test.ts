// A session's beginning and end: the limits, the full yard, and its own port's waiting page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { leave, shows, start, type } from "./deeds";
import { Yard } from "./yard";

let yard: Yard;
before(async () => (yard = await Yard.open({ SESSIONS__PER_CLIENT: "1", SESSIONS__MAX: "2" })));
after(async () => yard?.close());

test("one session for each browser, and the yard full", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  const second = await page.context().newPage();
  await second.goto(yard.url);
  await second.getByRole("button", { name: "Start a session" }).click();
  await second.getByRole("heading", { name: "all the sessions that one person may have" }).waitFor();
  await second.getByRole("link", { name: "Rejoin" }).click();
  await second.waitForURL(page.url());
  await second.close();
  const other = await yard.page();
  await start(other, yard.url);
  const late = await yard.page();
  await late.goto(yard.url);
  await late.getByRole("button", { name: "Start a session" }).click();
  await late.getByText("2 of 2").waitFor();
  // It goes on by itself when a place is free.
  await leave(other);
  await late.waitForURL(/\/s\//, { timeout: 60_000 });
  await shows(late, "root@node1");
  await leave(late);
  await leave(page);
});

test("closing asks first, and then says so", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  await page.locator("[data-close]").click();
  await page.getByRole("button", { name: "Keep it" }).click();
  await type(page, "echo alive-$((1+1))");
  await shows(page, "\nalive-2");
  await leave(page);
  const answer = await page.reload();
  assert.equal(answer?.status(), 410);
  await page.getByRole("heading", { name: "This session has ended" }).waitFor();
  await page.getByText("You closed it.").waitFor();
  await page.getByRole("button", { name: "Start again" }).click();
  await shows(page, "root@node1");
  await leave(page);
});

test("the waiting page of a port goes on by itself", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  const port = await page.context().newPage();
  await port.goto(`${page.url()}/ports/node1/8080`);
  await port.getByText("Nothing listens on port 8080 of node1 yet").waitFor();
  await type(page, "mkdir w; echo Ahoy there > w/index.html; python3 -m http.server -d w 8080");
  await port.getByText("Ahoy there").waitFor();
  // The port shows in the session's bar too, and leads to the same page.
  const chip = page.getByRole("link", { name: "8080" });
  const [opened] = await Promise.all([page.context().waitForEvent("page"), chip.click()]);
  await opened.getByText("Ahoy there").waitFor();
  assert.equal(new URL(opened.url()).host, new URL(port.url()).host);
  await leave(page);
  await port.reload();
  await port.getByText("The session of this port has ended").waitFor();
});
