import { h } from "../../src/ui/dom.js";
import type { Boatyard } from "./boatyard.js";
import { isReading, setReading } from "./reading.js";
import type { Session } from "./types.js";
import { left } from "./words.js";

/** How often the time that is left is told anew, in milliseconds. */
const TICK = 15_000;

/** The bar above a terminal: whose it is, the open ports of its node, and the time that the session has left. */
export class Bar {
  readonly element: HTMLElement;
  private readonly name = h("span", { class: "name" });
  private readonly ports = h("span", { class: "ports", role: "group", "aria-label": "Open ports" });
  private readonly time = h("summary", {});
  private readonly extend = h("button", { type: "button", onclick: () => void this.lengthen() }, "Extend");
  private readonly close = h("button", { type: "button", onclick: () => void this.end() }, "End the session");
  private readonly reader = h("button", { type: "button", onclick: () => this.read(!isReading()) }, "For screen readers");
  private readonly menu = h("details", { hidden: true }, this.time, h("div", { class: "menu" }, this.extend, this.reader, this.close));
  private readonly timer = setInterval(() => this.tick(), TICK);
  private session: Session | null = null;
  private shown = "";

  constructor(
    private readonly yard: Boatyard,
    private readonly deeds: { openPort(port: number): void; say(text: string): void },
  ) {
    this.reader.setAttribute("aria-pressed", String(isReading()));
    this.element = h("div", { class: "bar", part: "bar" }, this.name, this.ports, this.menu);
    this.menu.addEventListener("toggle", () => this.calm());
    this.menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.menu.open) return;
      this.menu.open = false;
      this.time.focus();
    });
    this.menu.addEventListener("focusout", (event) => {
      if (!this.menu.contains(event.relatedTarget as Node | null)) this.menu.open = false;
    });
  }

  dispose(): void {
    clearInterval(this.timer);
  }

  /** The session as it is now; null where there is none. */
  show(session: Session | null, node: string, name: string): void {
    this.session = session;
    this.name.textContent = name === "main" ? node : `${node} · ${name}`;
    this.menu.hidden = session === null;
    const ports = session?.nodes.find((each) => each.name === node)?.ports.map(({ port }) => port) ?? [];
    // Chips that stay the same keep the focus.
    if (this.shown !== ports.join()) {
      this.shown = ports.join();
      this.ports.replaceChildren(
        ...ports.map((port) =>
          h("button", { type: "button", title: `Open port ${port} of ${node} in a new tab`, "aria-label": `Open port ${port} of ${node} in a new tab`, onclick: () => this.deeds.openPort(port) }, String(port)),
        ),
      );
    }
    this.tick();
  }

  private tick(): void {
    if (!this.session) return;
    const text = left(this.session.expires_at);
    if (this.time.textContent !== text) this.time.textContent = text;
    this.time.title = "Time left of this session";
    this.time.setAttribute("aria-label", `${text} left of this session`);
    const extensions = this.session.extensions_left;
    this.extend.disabled = extensions <= 0;
    this.extend.textContent = extensions <= 0 ? "No extension is left" : `Extend (${extensions} ${extensions === 1 ? "time" : "times"} more)`;
  }

  private async lengthen(): Promise<void> {
    try {
      await this.yard.extend();
      this.menu.open = false;
    } catch (error) {
      this.deeds.say((error as Error).message);
    }
  }

  private read(on: boolean): void {
    setReading(on);
    this.reader.setAttribute("aria-pressed", String(on));
    this.menu.open = false;
    this.deeds.say(on ? "The terminal tells its output to screen readers." : "The terminal no longer tells its output to screen readers.");
  }

  private async end(): Promise<void> {
    // What is deleted cannot be brought back: it takes a second press.
    if (this.close.dataset.sure === undefined) {
      this.close.dataset.sure = "";
      this.close.textContent = "Delete everything in it?";
      return;
    }
    this.calm();
    try {
      await this.yard.close();
    } catch (error) {
      this.deeds.say(`The session is still there: ${(error as Error).message}`);
    }
  }

  private calm(): void {
    delete this.close.dataset.sure;
    this.close.textContent = "End the session";
  }
}
