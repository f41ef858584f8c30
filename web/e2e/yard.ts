// The true server with a data folder of its own, and a real browser.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { type Browser, type BrowserContext, type Page, chromium } from "playwright-core";

const project = resolve(process.cwd(), "..");
const made = process.env.BOATYARD_TEST_DATA ?? join(project, ".boatyard");
const boatyard = join(project, "target/debug/boatyard");

const CHROMIUM = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A server and a browser for one test file; `close` removes every trace of both. */
export class Yard {
  url = "";
  private server: ChildProcess | undefined;
  private readonly data = mkdtempSync("/var/tmp/boatyard-e2e-");
  private readonly env: NodeJS.ProcessEnv;

  private constructor(
    readonly browser: Browser,
    settings: Record<string, string>,
  ) {
    this.env = { ...process.env, RUST_LOG: "warn" };
    for (const [key, value] of Object.entries(settings)) this.env[`BOATYARD_${key}`] = value;
  }

  /** `settings` are environment variables without their prefix, such as `SESSIONS__MAX`. */
  static async open(settings: Record<string, string> = {}): Promise<Yard> {
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: CHROMIUM });
    const yard = new Yard(browser, settings);
    symlinkSync(join(made, "images"), join(yard.data, "images"));
    for (const folder of ["registry", "catalogue"]) execFileSync("cp", ["-al", join(made, folder), yard.data]);
    await yard.start();
    return yard;
  }

  /** Starts the server, or starts it again on the same port. */
  async start(): Promise<void> {
    const port = this.url ? new URL(this.url).port : "0";
    const args = ["--data", this.data, "serve", "--listen", `127.0.0.1:${port}`, "--courses", join(project, "courses")];
    const server = spawn(boatyard, args, { env: this.env, stdio: ["ignore", "pipe", "inherit"] });
    this.server = server;
    for await (const line of createInterface({ input: server.stdout })) {
      this.url = line.replace("Boatyard is at ", "");
      return;
    }
    throw new Error("the server did not start");
  }

  /** Ends the server as a crash does. */
  async kill(): Promise<void> {
    const server = this.server!;
    const ended = new Promise((done) => server.once("exit", done));
    server.kill("SIGKILL");
    await ended;
  }

  /** A browser of its own, with a page. */
  async page(options: Parameters<Browser["newContext"]>[0] = {}): Promise<Page> {
    const context: BrowserContext = await this.browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
    await context.addInitScript(() => localStorage.setItem("boatyard.screen-reader", "on"));
    const page = await context.newPage();
    page.on("pageerror", (error) => console.error("page:", error.message));
    return page;
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.kill();
    execFileSync(boatyard, ["--data", this.data, "gc", "--all"], { env: this.env, stdio: ["ignore", "ignore", "inherit"] });
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** What the terminal in front shows: read as a screen reader reads it, since WebGL draws no text. */
export async function screen(page: Page): Promise<string> {
  const rows = await page.locator(".xterm-accessibility-tree:visible > div").allInnerTexts();
  return rows.map((row) => row.replaceAll("\u00a0", " ").trimEnd()).join("\n");
}

/** Waits until the terminal in front shows `text`. */
export async function shows(page: Page, text: string, timeout = 60_000): Promise<void> {
  const end = Date.now() + timeout;
  while (!(await screen(page)).includes(text)) {
    if (Date.now() > end) throw new Error(`the terminal does not show ${JSON.stringify(text)}:\n${await screen(page)}`);
    await page.waitForTimeout(50);
  }
}
