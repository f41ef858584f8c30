import type { SessionApi } from "../api/client";
import type { NodeView, SessionEvent } from "../api/types";
import { setUpDivider } from "../ui/divider";
import { h, icon, need } from "../ui/dom";
import { recall, remember } from "../ui/memory";
import { toast } from "../ui/toast";
import { may, type Right } from "./rights";

/** What a panel gets to know and may do. */
export interface PanelContext {
  api: SessionApi;
  /** The name by which the session is known where anyone may look. */
  publicName: string;
  /** The session's nodes as they are now; a `session` event tells of changes. */
  nodes(): NodeView[];
  /** The node whose terminal is in front. */
  currentNode(): string;
  /** The terminal in front. */
  currentTerminal(): { node: string; terminal: string } | null;
  /** The working folder of the terminal in front, where that is the node's, else of the node's first. */
  workingFolder(node: string): Promise<string>;
  /** Hears the session's events from now on; answers how to stop. */
  onEvent(handler: (event: SessionEvent) => void): () => void;
  /** Hears from now on when a terminal has put something out and is silent again: something may have been done. */
  onQuiet(handler: () => void): () => void;
  /** Types a command into a terminal of the node and, with `enter`, runs it. */
  run(node: string, command: string, enter: boolean): Promise<void>;
  /** Opens another panel, or this one if it is closed, and hands it what it is to show. */
  open(panel: string, request?: unknown): Promise<void>;
}

/** A panel that was opened once. It is kept while it is out of sight. */
export interface Panel {
  readonly element: HTMLElement;
  /** It comes into sight or goes out of it: what is out of sight keeps nothing running. */
  shown(on: boolean): void;
  /** What another part of the page asks it to show, such as a file. */
  take?(request: unknown): void;
}

/** A panel of the page, with its code behind an import of its own. */
interface PanelKind {
  id: string;
  label: string;
  icon: string;
  /** What the reader must be allowed for it. */
  needs?: Right;
  load(): Promise<(context: PanelContext) => Panel>;
}

/** In the order of their buttons. */
const KINDS: PanelKind[] = [
  { id: "xray", label: "X-ray", icon: "xray", load: async () => (await import("../xray/panel")).makeXray },
  { id: "files", label: "Files", icon: "folder", needs: "type", load: () => import("../files/panel").then(({ make }) => make) },
  {
    id: "registry",
    label: "Registry",
    icon: "registry",
    load: async () => {
      const { RegistryPanel } = await import("../registry/panel");
      return (context) => new RegistryPanel(context);
    },
  },
  {
    id: "outside",
    label: "Outside",
    icon: "key",
    load: async () => {
      const { OutsidePanel } = await import("../outside/panel");
      return (context) => new OutsidePanel(context);
    },
  },
];

/** The drawer with the session's panels, below the terminals, or beside them where there is room; one is open at a time. */
export class Panels {
  private readonly section = need(".terminals");
  private readonly drawer = need(".drawer");
  private readonly title = need(".drawer-title");
  private readonly body = need(".drawer-body");
  private readonly divider = need(".drawer-divider");
  private readonly buttons = new Map<string, HTMLButtonElement>();
  private readonly made = new Map<string, Promise<Panel>>();
  private open: string | null = null;
  private beside = false;

  /** `absent` are panels that this server has no use for. */
  constructor(
    private readonly context: Omit<PanelContext, "open">,
    absent: string[] = [],
  ) {
    const toggles = need(".panel-toggles");
    for (const kind of KINDS.filter(({ id, needs = "watch" }) => may(needs) && !absent.includes(id))) {
      const button = h(
        "button",
        { type: "button", class: "panel-toggle", "aria-expanded": "false", "aria-controls": "drawer", title: kind.label },
        icon(kind.icon),
        h("span", { class: "panel-label" }, kind.label),
      );
      button.addEventListener("click", () => void (this.open === kind.id ? this.close() : this.show(kind.id)));
      this.buttons.set(kind.id, button);
      toggles.append(button);
    }
    need("[data-close-drawer]").addEventListener("click", () => this.close());
    this.drawer.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      this.buttons.get(this.open ?? "")?.focus();
      this.close();
    });
    setUpDivider(this.divider, this.section, {
      key: "drawer",
      property: "--drawer",
      initial: 45,
      vertical: () => !this.beside,
      fromEnd: true,
    });
    new ResizeObserver(() => this.place()).observe(this.section);
    this.place();
    const last = recall("panel");
    // On a narrow page the drawer would hide the terminal that the student comes for.
    if (last && this.buttons.has(last) && wide()) void this.show(last);
  }

  /** Opens a panel and hands it what it is to show. */
  async show(id: string, request?: unknown): Promise<void> {
    const kind = KINDS.find((k) => k.id === id);
    if (!kind) throw new Error(`there is no panel ${id}`);
    const before = this.open;
    this.open = id;
    remember("panel", id);
    for (const [name, button] of this.buttons) button.setAttribute("aria-expanded", String(name === id));
    this.drawer.hidden = this.divider.hidden = false;
    this.title.textContent = kind.label;
    this.section.dataset.drawer = "open";
    try {
      if (before && before !== id) (await this.made.get(before))?.shown(false);
      let panel = this.made.get(id);
      if (!panel) {
        this.body.replaceChildren(h("p", { class: "drawer-wait", role: "status" }, "Opening…"));
        panel = kind.load().then((make) => make(this.contextOf()));
        this.made.set(id, panel);
      }
      const ready = await panel;
      if (this.open !== id) return;
      if (this.body.firstElementChild !== ready.element) this.body.replaceChildren(ready.element);
      ready.shown(true);
      if (request !== undefined) ready.take?.(request);
    } catch (error) {
      this.made.delete(id);
      this.close();
      toast(`${kind.label} did not open: ${(error as Error).message}`, "alert");
    }
  }

  private contextOf(): PanelContext {
    return {
      ...this.context,
      open: (panel, request) => this.show(panel, request),
      run: (node, command, enter) => {
        // Where the drawer takes the terminal's place, what runs would not be seen.
        if (!wide()) this.close();
        return this.context.run(node, command, enter);
      },
    };
  }

  private close(): void {
    const before = this.open;
    this.open = null;
    remember("panel", null);
    for (const button of this.buttons.values()) button.setAttribute("aria-expanded", "false");
    this.drawer.hidden = this.divider.hidden = true;
    delete this.section.dataset.drawer;
    if (before) void this.made.get(before)?.then((panel) => panel.shown(false), () => {});
  }

  private place(): void {
    this.beside = this.section.clientWidth >= 1100;
    this.section.dataset.place = this.beside ? "beside" : "below";
    this.divider.setAttribute("aria-orientation", this.beside ? "vertical" : "horizontal");
  }
}

function wide(): boolean {
  return matchMedia("(min-width: 801px)").matches;
}
