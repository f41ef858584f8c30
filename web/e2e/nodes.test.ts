// Several nodes: added and removed by clicks, a swarm that forms, a stack over two nodes opened through its port.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { leave, shows, start, type, until } from "./deeds";
import { Yard } from "./yard";

let yard: Yard;
before(async () => (yard = await Yard.open({ SESSIONS__PER_CLIENT: "2" })));
after(async () => yard?.close());

/** Waits until `what` is so. */
async function becomes(page: Page, name: string, what: () => Promise<boolean>): Promise<void> {
  await until(page, what, (is) => is, `not so: ${name}`);
}

const STACK = `services:
  web:
    image: nginx
    ports: [{target: 80, published: 8080, mode: host}]
    deploy: {mode: global, endpoint_mode: dnsrr}
`;

test("a swarm of two nodes by clicks runs a stack that opens in a second tab", { timeout: 240_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  const chips = page.locator(".node-button");
  await becomes(page, "one node", async () => (await chips.count()) === 1);
  await page.click("[data-add-node]");
  await becomes(page, "a second node with a tab of its own", async () => (await chips.count()) === 2 && (await page.locator(".tab", { hasText: "node2 · main" }).count()) === 1);
  await shows(page, "root@node2");

  await chips.nth(0).click();
  await page.click("text=Make a swarm >> visible=true");
  await becomes(page, "node1 is a manager", async () => (await chips.nth(0).innerText()).includes("M"));
  await chips.nth(1).click();
  await page.click("text=Join the swarm as a worker >> visible=true");
  await becomes(page, "node2 is a worker", async () => (await chips.nth(1).innerText()).includes("W"));

  const session = page.url().match(/\/s\/([^/]+)/)![1];
  const wrote = await page.evaluate(
    async ([id, text]) => (await fetch(`/api/v1/sessions/${id}/nodes/node1/files?path=/root/stack.yaml`, { method: "PUT", body: text })).status,
    [session, STACK] as const,
  );
  assert.equal(wrote, 200);
  await page.click(".tab:has-text('node1 · main')");
  await type(page, "docker stack deploy --detach=false -c stack.yaml app");
  // Each node shows the port by itself.
  const ports = page.locator(".port-chip", { hasText: "node2:8080" });
  await becomes(page, "the port of node2 is in the bar", async () => (await ports.count()) === 1);
  const [tab] = await Promise.all([page.waitForEvent("popup"), ports.click()]);
  await becomes(page, "nginx's page", async () => (await tab.locator("body").innerText()).includes("nginx"));
  await tab.close();

  await chips.nth(1).click();
  await page.click("text=Remove this node >> visible=true");
  await page.click("#remove-node-dialog button[value=remove]");
  await becomes(page, "node2 has left with its tab and port", async () => (await chips.count()) === 1 && (await page.locator(".tab").count()) === 1 && (await ports.count()) === 0);
  await leave(page);
});

test("a template's swarm is formed when its page opens", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await page.goto(yard.url);
  await page.click("text=Swarm: one manager, two workers");
  await page.waitForURL(/\/s\//);
  const chips = page.locator(".node-button");
  await becomes(page, "three nodes", async () => (await chips.count()) === 3);
  assert.deepEqual(await chips.locator(".node-role [aria-hidden]").allInnerTexts(), ["M", "W", "W"]);
  await leave(page);
});
