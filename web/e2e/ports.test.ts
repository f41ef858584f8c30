// Ports beyond those that show by themselves: one that is typed, one that is shared with someone else and taken back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { leave, prompt, start, type, until } from "./deeds";
import { Yard } from "./yard";

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

let yard: Yard;
before(async () => (yard = await Yard.open({ SESSIONS__PER_CLIENT: "1" })));
after(async () => yard?.close());

/** Opens a port of which nobody knows, by the field in the bar. */
async function typePort(page: Page, port: string): Promise<Page> {
  const field = page.getByLabel("Another port");
  await field.fill(port);
  const [opened] = await Promise.all([page.context().waitForEvent("page"), field.press("Enter")]);
  return opened;
}

test("any port is opened by its number, and shared by a link that can be revoked", { timeout: 180_000 }, async () => {
  const page = await yard.page({ permissions: ["clipboard-read", "clipboard-write"] });
  await start(page, yard.url);
  // By keyboard alone: what is no port is told.
  const button = page.getByRole("button", { name: "Ports", exact: true });
  await button.focus();
  await page.keyboard.press("Enter");
  const field = page.getByLabel("Another port");
  await until(page, () => field.evaluate((f) => f === document.activeElement), (is) => is, "the field has no focus");
  await page.keyboard.type("70000");
  await page.keyboard.press("Enter");
  await page.getByText("A port is a number from 1 to 65535.").waitFor();
  const port = await typePort(page, "8080");
  await port.getByText("Nothing listens on port 8080 of node1 yet").waitFor();
  await port.getByText("Boatyard says this").waitFor();
  await type(page, "mkdir w; echo Ahoy there > w/index.html; python3 -m http.server -d w 8080 >/dev/null 2>&1 &");
  await port.getByText("Ahoy there").waitFor();

  await page.getByRole("button", { name: "1 port" }).click();
  await page.getByRole("button", { name: "Share port 8080…" }).click();
  await page.getByRole("button", { name: "Make a link" }).click();
  await page.getByRole("button", { name: "Copy the link to port 8080" }).click();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(link.startsWith(`${yard.url}/p/`) && !link.includes(page.url().split("/s/")[1]!), link);

  const stranger = await yard.page();
  await stranger.goto(port.url());
  await stranger.getByText("This port belongs to a session").waitFor();
  await stranger.goto(link);
  await stranger.getByText("Ahoy there").waitFor();
  assert.equal(stranger.url(), port.url(), "the key is in no address");
  assert.equal((await stranger.goto(page.url()))?.status(), 403, "it opens the port, not the session");
  await stranger.goto(port.url().replace("8080-", "8081-"));
  await stranger.getByText("This port belongs to a session").waitFor();

  await page.getByRole("button", { name: "Revoke the link to port 8080" }).click();
  await page.getByText("opens nothing any more").waitFor();
  await stranger.goto(port.url());
  await stranger.getByText("The link to this port was revoked").waitFor();
  await stranger.goto(link);
  await stranger.getByText("This link opens nothing any more").waitFor();
  await port.reload();
  await port.getByText("Ahoy there").waitFor();
  await leave(page);
});

test("an application sees the host name that was chosen for it", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  const app = `import http.server as s; C = type("C", (s.BaseHTTPRequestHandler,), {"do_GET": lambda c: (c.send_response(200), c.end_headers(), c.wfile.write(b"I am " + c.headers["host"].encode()))}); s.ThreadingHTTPServer(("", 9000), C).serve_forever()`;
  await type(page, `python3 -c '${app}' >/dev/null 2>&1 &`);
  await prompt(page);
  const chip = page.getByRole("link", { name: "9000" });
  const [opened] = await Promise.all([page.context().waitForEvent("page"), chip.click()]);
  await opened.getByText(/I am 9000-node1-/).waitFor();
  await page.getByRole("button", { name: "1 port" }).click();
  const kept = page.waitForResponse((answer) => answer.request().method() === "PUT");
  await page.getByLabel("Host name that port 9000 sees").selectOption("sees localhost:9000");
  assert.equal((await kept).status(), 204);
  await opened.reload();
  await opened.getByText("I am localhost:9000").waitFor();
  await page.reload();
  await page.getByRole("button", { name: "1 port" }).click();
  await until(page, () => page.getByLabel("Host name that port 9000 sees").inputValue(), (host) => host === "localhost", "the choice is forgotten");
  await leave(page);
});

test("a port is typed on a phone", { timeout: 120_000 }, async () => {
  const page = await yard.page(PHONE);
  await start(page, yard.url);
  const wide = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth);
  await type(page, "python3 -m http.server 8443 >/dev/null 2>&1 &");
  const button = page.getByRole("button", { name: "1 port" });
  await button.waitFor();
  assert.ok((await wide()) <= 360, "the bar fits");
  await button.tap();
  for (const control of await page.locator(".ports-panel :is(button, select, input, a):visible").all()) {
    const box = (await control.boundingBox())!;
    assert.ok(box.height >= 44 && box.x >= 0 && box.x + box.width <= 360, `${await control.evaluate((e) => e.outerHTML)}: ${JSON.stringify(box)}`);
  }
  const opened = await typePort(page, "8080");
  await opened.getByText("Nothing listens on port 8080 of node1 yet").waitFor();
  await leave(page);
});
