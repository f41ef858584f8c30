// Files of a node on the page: the tree, the editor, what two people save, and uploads.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { leave, shows, start, type, until } from "./deeds";
import { Yard } from "./yard";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let yard: Yard;
before(async () => (yard = await Yard.open({ LIMITS__UPLOAD: "8 MiB" })));
after(async () => yard?.close());

const item = (page: Page, name: string): Locator => page.getByRole("treeitem", { name, exact: false }).first();
const editor = (page: Page): Locator => page.locator(".doc-host .cm-content");

/** Opens the panel, at the terminal's working folder. */
async function files(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Files" }).click();
  await page.getByRole("tree").waitFor();
}

let runs = 0;

/** Runs a command to its end; gives what it put out. */
async function run(page: Page, command: string): Promise<string> {
  const mark = `run-${(runs += 1)}`;
  await type(page, `clear; echo ${mark}-$((0)); ${command}; echo ${mark}-$((1))`);
  const shown = await shows(page, `\n${mark}-1`);
  return shown.slice(shown.indexOf(`\n${mark}-0\n`) + mark.length + 3, shown.lastIndexOf(`${mark}-1`));
}

/** Drops files and folders of this machine on an element, as the browser does. */
async function drop(page: Page, on: Locator, paths: string[]): Promise<void> {
  const box = (await on.boundingBox())!;
  const cdp = await page.context().newCDPSession(page);
  const at = { x: box.x + box.width / 2, y: box.y + box.height / 2, data: { items: [], files: paths, dragOperationsMask: 1 } };
  for (const kind of ["dragEnter", "dragOver", "drop"] as const) await cdp.send("Input.dispatchDragEvent", { type: kind, ...at });
  await cdp.detach();
}

async function serious(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.addScriptTag({ content: axe });
  return page.evaluate(async () => {
    for (let n = 0; n < 3; n++) await new Promise((drawn) => requestAnimationFrame(drawn));
    await Promise.allSettled(document.getAnimations().filter((a) => a instanceof CSSTransition).map((a) => a.finished));
    const { violations } = await (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> } }).axe.run();
    return violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes[0]?.html}`);
  });
}

test("a Dockerfile is written in the editor and built in the terminal", { timeout: 180_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  await run(page, "mkdir app && cd app");
  await files(page);
  // It is where the terminal is.
  await page.getByText("Nothing is in this folder.").waitFor();
  await page.getByRole("button", { name: "New file" }).click();
  await page.getByRole("textbox", { name: /Name, in \/root\/app/ }).fill("Dockerfile");
  await page.keyboard.press("Enter");
  await editor(page).click();
  await page.keyboard.type("FROM busybox\nRUN echo built-$((40+2)) > /made\n");
  await page.getByRole("tab", { name: "Dockerfile, not saved" }).waitFor();
  await page.keyboard.press("Control+s");
  await page.getByRole("tab", { name: "Dockerfile", exact: true }).waitFor();
  assert.match(await run(page, "docker build -qt mine . && docker run --rm mine cat /made"), /\nbuilt-42\n/);
  // What a command made comes into the tree by itself.
  await run(page, "echo x > by-command.txt");
  await item(page, "by-command.txt").waitFor();
  await leave(page);
});

test("a file that someone else changed is not overwritten", { timeout: 180_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  await run(page, "mkdir w; cd w; printf 'one\\ntwo\\n' > notes.txt");
  await files(page);
  await item(page, "notes.txt").click();
  await editor(page).getByText("two").waitFor();
  // Unchanged here, so the other's change is simply shown.
  await run(page, "printf 'one\\ntwo\\nthree\\n' > notes.txt");
  await editor(page).getByText("three").waitFor();

  await editor(page).click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("mine ");
  await run(page, "printf 'one\\ntwo\\nthree\\ntheirs\\n' > notes.txt");
  await page.getByText("notes.txt was changed by someone else meanwhile.").waitFor();
  await editor(page).click();
  await page.keyboard.press("Control+s");
  const dialog = page.getByRole("dialog", { name: "Two versions of notes.txt" });
  await dialog.getByRole("button", { name: "Show both" }).click();
  await page.getByLabel("The file as it is now").getByText("theirs").waitFor();
  // Part of theirs is taken into mine.
  await page.getByRole("button", { name: "Take this part of the file as it is now" }).last().click();
  await page.getByRole("button", { name: "Save the right side" }).click();
  await page.getByRole("tab", { name: "notes.txt", exact: true }).waitFor();
  assert.match(await run(page, "cat notes.txt"), /\nmine one\ntwo\nthree\ntheirs\n/);

  await editor(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("kept");
  await run(page, "echo other > notes.txt");
  await editor(page).click();
  await page.keyboard.press("Control+s");
  await page.getByRole("button", { name: "Keep mine" }).click();
  await page.getByRole("tab", { name: "notes.txt", exact: true }).waitFor();
  assert.match(await run(page, "cat notes.txt; echo"), /\ntheirs\nkept\n/);

  await editor(page).click();
  await page.keyboard.type(" lost");
  await run(page, "echo other > notes.txt");
  await editor(page).click();
  await page.keyboard.press("Control+s");
  await page.getByRole("button", { name: "Take theirs" }).click();
  await editor(page).getByText("other").waitFor();
  assert.equal((await editor(page).innerText()).trim(), "other");

  // What is not saved is not lost by the way.
  await page.keyboard.type("x");
  await page.getByRole("tab", { name: "notes.txt, not saved" }).focus();
  await page.keyboard.press("Delete");
  await page.getByRole("dialog", { name: "Close notes.txt without saving?" }).getByRole("button", { name: "Cancel" }).click();
  const asked = page.waitForEvent("dialog");
  await page.evaluate(() => setTimeout(() => location.reload()));
  const question = await asked;
  assert.equal(question.type(), "beforeunload");
  await question.dismiss();
  await leave(page);
});

test("what cannot be edited is told in words", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  await run(page, "mkdir w; cd w; head -c 900 /dev/urandom > data.bin; head -c 9M /dev/zero > huge.log; mkfifo pipe; ln -s none lost; printf 'a\\r\\nb\\r\\n' > dos.txt");
  await files(page);
  await item(page, "data.bin").click();
  await page.getByText("data.bin is not text").waitFor();
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download it" }).click();
  assert.equal((await saved).suggestedFilename(), "data.bin");
  await item(page, "huge.log").click();
  await page.getByText("huge.log has 9.4 MB").waitFor();
  await item(page, "pipe").click();
  await page.getByText("pipe was not opened").waitFor();
  await item(page, "lost").click();
  await page.getByText("lost was not opened").waitFor();
  // Line ends stay as they are.
  await item(page, "dos.txt").click();
  await editor(page).click();
  await page.keyboard.type("c");
  await page.keyboard.press("Control+s");
  await page.getByRole("tab", { name: "dos.txt", exact: true }).waitFor();
  assert.match(await run(page, "od -c dos.txt"), /\\r {2}\\n {3}b {2}\\r {2}\\n/);

  await page.getByRole("button", { name: "/", exact: true }).click();
  await item(page, "proc").click();
  await item(page, "cpuinfo").click();
  await page.getByText("Text · read only").waitFor();
  await editor(page).getByText("processor").first().waitFor();
  await leave(page);
});

test("a tree by keyboard", { timeout: 120_000 }, async () => {
  const page = await yard.page({ bypassCSP: true });
  await start(page, yard.url);
  await run(page, "mkdir -p w/alpha/inner w/beta; cd w; echo 1 > alpha/one.py; echo 2 > file2.yaml; echo 10 > file10.yaml");
  await files(page);
  await item(page, "alpha").focus();
  const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.querySelector(".tree-name")?.textContent ?? "");
  const press = async (key: string, name: string): Promise<void> => {
    await page.keyboard.press(key);
    await until(page, focused, (now) => now === name, `${key} does not lead to ${name}`, 10_000);
  };
  await press("ArrowDown", "beta");
  await press("ArrowDown", "file2.yaml");
  await press("End", "file10.yaml");
  await press("a", "alpha");
  await page.keyboard.press("ArrowRight");
  await item(page, "one.py").waitFor();
  await press("ArrowRight", "inner");
  await press("ArrowDown", "one.py");
  await press("ArrowLeft", "alpha");
  await page.keyboard.press("ArrowLeft");
  await item(page, "one.py").waitFor({ state: "hidden" });
  await press("b", "beta");
  await page.keyboard.press("F2");
  await page.getByRole("textbox", { name: /New name/ }).fill("..");
  await page.keyboard.press("Enter");
  await page.getByText("A name cannot be").waitFor();
  await page.getByRole("textbox", { name: /New name/ }).fill("-gamma δ");
  await page.keyboard.press("Enter");
  await until(page, focused, (now) => now === "-gamma δ", "the new name has no focus");
  await page.keyboard.press("Delete");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await item(page, "-gamma").waitFor({ state: "hidden" });
  assert.match(await run(page, "ls -A"), /\nalpha +file10.yaml +file2.yaml\n/);

  // The editor keeps Tab, and gives it away after Escape.
  await item(page, "file2.yaml").click();
  await editor(page).click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("Tab");
  assert.match(await editor(page).innerText(), /^ {2}2/);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  assert.equal(await editor(page).evaluate((e) => e.contains(document.activeElement)), false);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.locator(`:root[data-theme="${colorScheme}"]`).waitFor();
    assert.deepEqual(await serious(page), [], colorScheme);
  }
  await leave(page);
});

test("folders and files are dropped", { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "boatyard-drop-"));
  try {
    const project = join(folder, "pro ject");
    mkdirSync(join(project, "src", "ünder"), { recursive: true });
    mkdirSync(join(project, "empty"));
    for (let n = 0; n < 120; n++) writeFileSync(join(project, "src", `file-${n}.txt`), `content ${n}\n`);
    writeFileSync(join(project, "src", "ünder", "-rf *"), "careful\n");
    writeFileSync(join(folder, "large.bin"), Buffer.alloc(9 << 20));
    writeFileSync(join(folder, "single.txt"), "first\n");

    const page = await yard.page({ bypassCSP: true });
    await start(page, yard.url);
    await run(page, "mkdir -p 'in here'; cd 'in here'");
    await drop(page, page.locator(".screens"), [project]);
    await page.getByText("121 files are in /root/in here on node1.").waitFor({ state: "hidden" });
    await page.getByText(/files are in \/root\/in here on node1/).waitFor();
    const shown = await run(page, "find . -type f | wc -l; ls -d pro*/*; cat pro*/src/ü*/-*; cat pro*/src/file-77.txt");
    assert.match(shown, /\n121\n.*empty.*src.*\ncareful\ncontent 77\n/s);

    // On a folder of the tree: into that. What is there already is replaced only when that is wanted.
    await files(page);
    await item(page, "pro ject").click();
    await drop(page, item(page, "empty").locator(".tree-line"), [join(folder, "single.txt"), join(folder, "large.bin")]);
    await page.getByText("larger than 8 MiB").waitFor();
    assert.deepEqual(await serious(page), []);
    await page.getByRole("button", { name: "Close", exact: true }).last().click();
    await item(page, "empty").click();
    await item(page, "single.txt").waitFor();
    writeFileSync(join(folder, "single.txt"), "second\n");
    await drop(page, item(page, "empty").locator(".tree-line").first(), [join(folder, "single.txt")]);
    await page.getByText("is there already").waitFor();
    assert.match(await run(page, "cat pro*/empty/single.txt"), /\nfirst\n/);
    await page.getByRole("button", { name: "Replace what is there" }).click();
    await page.getByText("1 file is in /root/in here/pro ject/empty on node1.").waitFor();
    assert.match(await run(page, "cat pro*/empty/single.txt"), /\nsecond\n/);

    const saved = page.waitForEvent("download");
    await item(page, "pro ject").locator(".tree-line").first().click();
    await page.getByRole("button", { name: "Download" }).click();
    assert.equal((await saved).suggestedFilename(), "pro ject.tar");

    const input = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Upload files" }).click();
    await (await input).setFiles({ name: "chosen.txt", mimeType: "text/plain", buffer: Buffer.from("chosen\n") });
    await page.getByText("1 file is in").last().waitFor();
    await leave(page);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("each node has its files, and the panel follows the terminal", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  const added = await page.evaluate(async () => (await fetch(`/api/v1/sessions/${location.pathname.split("/")[2]}/nodes`, { method: "POST" })).status);
  assert.ok(added < 300, `a node is added: ${added}`);
  await page.getByRole("tab", { name: "node2" }).click();
  await shows(page, "root@node2");
  await run(page, "mkdir two; cd two; echo second > of-two.txt");
  await files(page);
  await item(page, "of-two.txt").click();
  await page.getByRole("tab", { name: "of-two.txt" }).waitFor();
  const node = page.getByRole("combobox", { name: "Node" });
  assert.equal(await node.inputValue(), "node2");
  // The other node has no such folder, so its terminal's is shown.
  await node.selectOption("node1");
  await item(page, ".bashrc").waitFor();
  await item(page, "of-two.txt").waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "To the terminal's working folder" }).click();
  await item(page, "of-two.txt").waitFor();
  await leave(page);
});

test("an upload is cancelled, and one that broke off is tried again", { timeout: 120_000 }, async () => {
  const page = await yard.page();
  await start(page, yard.url);
  await files(page);
  let broken = 1;
  await page.route("**/files?path=*broken*", (route) => (broken-- > 0 ? route.abort() : route.continue()));
  const pick = async (names: string[]): Promise<void> => {
    const input = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Upload files" }).click();
    await (await input).setFiles(names.map((name) => ({ name, mimeType: "text/plain", buffer: Buffer.from(`${name}\n`) })));
  };
  await pick(["fine.txt", "broken.txt"]);
  await page.getByText("1 of 2 done · 1 failed").waitFor();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("2 files are in /root on node1.").waitFor();
  assert.match(await run(page, "cat broken.txt"), /\nbroken.txt\n/);

  let held: (() => void) | undefined;
  await page.route("**/files?path=*slow*", (route) => new Promise<void>((go) => (held = go)).then(() => route.abort().catch(() => {})));
  await pick(["slow.txt"]);
  await page.getByText("Uploading 1 file to /root on node1").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("cancelled").waitFor();
  held?.();
  await leave(page);
});

test("a phone shows the tree or the editor", { timeout: 120_000 }, async () => {
  const page = await yard.page({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await start(page, yard.url);
  await run(page, "mkdir w; cd w; echo hello > a-file-with-a-name-that-is-longer-than-a-phone-is-wide.txt");
  await files(page);
  await item(page, "a-file").tap();
  await editor(page).getByText("hello").waitFor();
  await page.getByRole("tree").waitFor({ state: "hidden" });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await page.getByRole("button", { name: "Back to the files" }).tap();
  await page.getByRole("tree").waitFor();
  await editor(page).waitFor({ state: "hidden" });
  await leave(page);
});
