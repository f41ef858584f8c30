// Links that start a session and deploy a stack in it, from the page to the app; and a lesson whose command joins a swarm.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { leave, prompt, screen, shows, until } from "./deeds";
import { Yard } from "./yard";

const LESSON = `---
title: A swarm of two
summary: Two nodes become a swarm.
minutes: 5
level: intermediate
---

Two machines are better than one.

## Make a swarm {#init}

\`\`\`sh run
docker swarm init
\`\`\`

\`\`\`sh run node=node2
{{swarm.join}}
\`\`\`

\`\`\`sh
docker node ls --format '{{.Hostname}}'
\`\`\`
`;

const FILES: Record<string, string> = {
  "/shop/compose.yaml": "services: {web: {image: nginx, ports: ['8081:80']}}",
  "/broken.yaml": "services: {db: {image: mongo}}",
};

let yard: Yard;
let courses: string;
const files = createServer((request, response) => {
  const text = FILES[request.url ?? ""];
  response.writeHead(text ? 200 : 404).end(text);
});

before(async () => {
  courses = mkdtempSync("/var/tmp/boatyard-courses-");
  mkdirSync(join(courses, "docker/stacks/visits"), { recursive: true });
  writeFileSync(join(courses, "docker/course.yaml"), "title: Docker\nsummary: Docker.\nlessons: [swarm]\n");
  writeFileSync(join(courses, "docker/swarm.md"), LESSON);
  writeFileSync(join(courses, "docker/stacks/visits/index.html"), "<h1>Ahoy from a link</h1>");
  writeFileSync(
    join(courses, "docker/stacks/visits/compose.yaml"),
    `x-boatyard: {title: Visits, summary: A page.}
services:
  web:
    image: nginx
    configs: [{source: page, target: /usr/share/nginx/html/index.html}]
    ports: [{target: 80, published: 8080, mode: host}]
configs: {page: {file: ./index.html}}
`,
  );
  await new Promise<void>((listening) => files.listen(0, "127.0.0.1", listening));
  const origin = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
  yard = await Yard.open({ SESSIONS__PER_CLIENT: "1", TRY__HOSTS: `["${origin}"]` }, courses);
});
after(async () => {
  await yard?.close();
  files.close();
  rmSync(courses, { recursive: true, force: true });
});

test("from the list of stacks to the app in a second tab", { timeout: 240_000 }, async () => {
  const page = await yard.page();
  await page.goto(yard.url);
  await page.getByRole("link", { name: "Stacks" }).click();
  await page.getByRole("link", { name: "Look at it first: Visits" }).click();
  await page.getByRole("heading", { name: "Visits" }).waitFor();
  assert.ok((await page.locator(".try").innerText()).includes("cd ~/visits && docker compose up -d"));
  // The badge leads back to this page.
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Copy Markdown badge" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const markdown = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(markdown, `[![Try in Boatyard](${yard.url}/try/badge.svg)](${yard.url}/try?stack=visits)`);
  assert.equal(await page.locator(".badge img").evaluate((img: HTMLImageElement) => img.complete && img.naturalWidth), 152);

  await page.getByRole("button", { name: "Start and deploy" }).click();
  await page.waitForURL(/\/s\//);
  const bar = page.locator(".deployment");
  await bar.getByText(/visits (is being deployed|is starting|: |runs)/).waitFor();
  await shows(page, "docker compose up -d");
  assert.equal(await page.locator(".tab", { hasText: "main" }).count(), 1);
  await bar.getByText("visits runs, and answers on port 8080").waitFor({ timeout: 120_000 });
  const [app] = await Promise.all([page.waitForEvent("popup"), bar.getByRole("link", { name: "Open port 8080" }).click()]);
  await app.getByRole("heading", { name: "Ahoy from a link" }).waitFor();
  await app.close();
  // It is still known after a reload, and can be put away.
  await page.reload();
  await bar.getByText("visits runs, and answers on port 8080").waitFor();
  await bar.getByRole("button", { name: "Show the services" }).click();
  await bar.locator("li[data-state=running]").waitFor();
  await bar.getByRole("button", { name: "Dismiss" }).click();
  await bar.waitFor({ state: "hidden" });
  await leave(page);
});

test("a file at an address; what fails says why, and can be tried again", { timeout: 240_000 }, async () => {
  const page = await yard.page();
  const origin = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
  await page.goto(`${yard.url}/try`);
  await page.getByLabel("Address of a Compose file").fill(`${origin}/gone.yaml`);
  await page.getByRole("button", { name: "Look at it" }).click();
  await page.getByText("404 Not Found").waitFor();
  await page.goto(`${yard.url}/try?stack=${origin}/broken.yaml`);
  await page.getByText("this Boatyard is offline").waitFor();
  await page.getByRole("button", { name: "Start and deploy" }).click();
  const bar = page.locator(".deployment");
  await bar.getByText("there is no internet here").waitFor({ timeout: 120_000 });
  // Mended by hand, it goes on by a click.
  const session = page.url().match(/\/s\/([^/]+)/)![1];
  const wrote = await page.evaluate(
    async ([id, text]) => (await fetch(`/api/v1/sessions/${id}/nodes/node1/files?path=/root/broken/compose.yaml`, { method: "PUT", body: text })).status,
    [session, "services: {db: {image: redis}}"] as const,
  );
  assert.equal(wrote, 200);
  await bar.getByRole("button", { name: "Try again" }).click();
  await bar.getByText("broken runs").waitFor({ timeout: 120_000 });
  await leave(page);
});

test("a command of a lesson joins the swarm with the real token, once there is one", { timeout: 240_000 }, async () => {
  const page = await yard.page();
  await page.goto(yard.url);
  await page.getByRole("button", { name: "Start the lesson" }).click();
  await page.waitForURL(/\/s\/.+\/swarm/);
  await shows(page, "root@node1");
  await page.locator("[data-next]").click();
  const join = page.locator("figure.cmd[data-variables]");
  const run = join.getByRole("button", { name: "Run in main on node2: join the swarm as a worker" });
  await join.getByText("No swarm yet").waitFor();
  assert.equal(await run.getAttribute("aria-disabled"), "true");
  assert.ok(!(await join.innerText()).includes("SWMTKN"));
  // Other braces are left alone.
  assert.ok((await page.locator("figure.cmd").nth(2).innerText()).includes("{{.Hostname}}"));

  await page.locator("figure.cmd").first().getByRole("button", { name: /^Run/ }).click();
  await prompt(page);
  await join.getByText("There is no node2 yet").waitFor();
  await page.click("[data-add-node]");
  await shows(page, "root@node2");
  await join.getByText("A click types it on node2").waitFor();
  assert.equal(await run.getAttribute("aria-disabled"), "false");
  await run.click();
  await until(page, () => screen(page), (all) => all.includes("docker swarm join --token SWMTKN-1-"), "the command is not typed");
  await shows(page, "This node joined a swarm as a worker.");
  await join.getByText("node2 is in the swarm, as a worker.").waitFor();
  await leave(page);
});
