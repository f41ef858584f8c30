// The true server with a data folder of its own, and a real browser.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { type Browser, type Page, chromium } from "playwright-core";

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
  private browser: Browser | undefined;
  private server: ChildProcess | undefined;
  private readonly data = mkdtempSync("/var/tmp/boatyard-e2e-");
  private readonly env: NodeJS.ProcessEnv;
  private readonly errors: string[] = [];

  private constructor(
    settings: Record<string, string>,
    private readonly courses: string,
  ) {
    this.env = { ...process.env, RUST_LOG: "warn" };
    for (const [key, value] of Object.entries(settings)) this.env[`BOATYARD_${key}`] = value;
  }

  /** `settings` are environment variables without their prefix, such as `SESSIONS__MAX`. */
  static async open(settings: Record<string, string> = {}, courses = join(project, "courses")): Promise<Yard> {
    const yard = new Yard(settings, courses);
    try {
      symlinkSync(join(made, "images"), join(yard.data, "images"));
      for (const folder of ["registry", "catalogue"]) execFileSync("cp", ["-al", join(made, folder), yard.data]);
      await yard.start();
      yard.browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: CHROMIUM });
    } catch (error) {
      await yard.close();
      throw error;
    }
    return yard;
  }

  /** Starts the server, or starts it again on the same port. */
  async start(): Promise<void> {
    const port = this.url ? new URL(this.url).port : "0";
    const args = ["--data", this.data, "serve", "--listen", `127.0.0.1:${port}`, "--courses", this.courses];
    const server = spawn(boatyard, args, { env: this.env, stdio: ["ignore", "pipe", "inherit"] });
    this.server = server;
    const failed = new Promise<never>((_, reject) => server.once("error", reject));
    const line = await Promise.race([firstLine(server), failed]);
    if (!line) throw new Error("the server did not start");
    this.url = line.replace("Boatyard is at ", "");
  }

  /** Ends the server as a crash does. */
  async kill(): Promise<void> {
    const server = this.server;
    if (!server?.pid || server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((done) => server.once("exit", done));
    server.kill("SIGKILL");
    await ended;
  }

  /** A browser of its own, with a page. */
  async page(options: Parameters<Browser["newContext"]>[0] = {}): Promise<Page> {
    const context = await this.browser!.newContext({ viewport: { width: 1400, height: 900 }, ...options });
    // Only pages of a server have storage, not the empty one that a tab begins with.
    await context.addInitScript(() => location.protocol.startsWith("http") && localStorage.setItem("boatyard.screen-reader", "on"));
    context.on("weberror", (error) => this.errors.push(error.error().message));
    return context.newPage();
  }

  /** Removes everything, then fails where a script of some page has failed. */
  async close(): Promise<void> {
    try {
      await this.browser?.close();
    } finally {
      await this.kill();
      try {
        execFileSync(boatyard, ["--data", this.data, "gc", "--all"], { env: this.env, stdio: ["ignore", "ignore", "inherit"] });
      } finally {
        rmSync(this.data, { recursive: true, force: true });
      }
    }
    if (this.errors.length > 0) throw new Error(`scripts of the pages failed:\n${this.errors.join("\n")}`);
  }
}

async function firstLine(server: ChildProcess): Promise<string | undefined> {
  for await (const line of createInterface({ input: server.stdout! })) return line;
  return undefined;
}
