import type { SessionApi } from "../api/client";
import type { PersonView, TerminalInfo } from "../api/types";
import { badge } from "../session/people";
import { h, icon } from "../ui/dom";
import { toast } from "../ui/toast";
import { followKeyboard, KeyBar } from "./keybar";
import { OWN, Pane, type PaneRights } from "./pane";

interface Berth {
  pane: Pane;
  tab: HTMLElement;
  button: HTMLButtonElement;
}

const key = (node: string, id: string): string => `${node}/${id}`;

/** The terminals of a session as tabs; all nodes' terminals side by side. */
export class Dock {
  private readonly berths = new Map<string, Berth>();
  private current: Berth | null = null;
  private readonly keys = new KeyBar(() => this.current?.pane);
  /** Called when a terminal has put something out. */
  onOutput: () => void = () => {};
  /** Called when another terminal comes to the front. */
  onFront: (at: { node: string; terminal: string }) => void = () => {};

  constructor(
    private readonly api: SessionApi,
    private readonly tabs: HTMLElement,
    private readonly screens: HTMLElement,
    private nodes: string[],
    private readonly leave: () => void,
    private readonly rights: PaneRights = OWN,
  ) {
    tabs.addEventListener("keydown", (event) => this.arrows(event));
    // A narrower page may have left the tab in front out of sight.
    new ResizeObserver(() => this.reveal()).observe(tabs);
    screens.parentElement?.after(this.keys.element);
    followKeyboard();
  }

  /** The nodes of the session, as they are now. */
  setNodes(nodes: string[]): void {
    this.nodes = nodes;
    for (const berth of this.berths.values()) if (!nodes.includes(berth.pane.node)) this.remove(berth);
    for (const berth of this.berths.values()) berth.button.querySelector(".tab-label")!.textContent = this.label(berth.pane.node, berth.pane.id);
  }

  /** What the server says of a node's terminals: new ones get a tab, those that are gone lose theirs. */
  reconcile(node: string, terminals: TerminalInfo[]): void {
    for (const { id } of terminals) this.berth(node, id);
    const there = new Set(terminals.map(({ id }) => key(node, id)));
    for (const [name, berth] of this.berths) if (berth.pane.node === node && !there.has(name)) this.remove(berth);
  }

  /** Attaches to a terminal that is known to be there. */
  add(node: string, id: string): void {
    this.berth(node, id);
  }

  /** Brings a terminal to the front, opening it where there is none of that name. */
  async show(node: string, id: string, focus = true): Promise<Pane> {
    let berth = this.berths.get(key(node, id));
    if (!berth) {
      if (!this.rights.write) throw new Error(`there is no ${id} on ${node}`);
      const { cols, rows } = this.size();
      await this.api.openTerminal(node, id, cols, rows);
      berth = this.berth(node, id);
    }
    this.select(berth, focus);
    return berth.pane;
  }

  /** Opens one more shell on a node, by default on that in front. */
  async open(node = this.current?.pane.node ?? this.nodes[0]): Promise<void> {
    if (!node || !this.rights.write) return;
    let n = 2;
    while (this.berths.has(key(node, `shell-${n}`))) n += 1;
    try {
      await this.show(node, `shell-${n}`);
    } catch (error) {
      toast(`No further terminal: ${(error as Error).message}`, "alert");
    }
  }

  /** The terminal in front. */
  get front(): { node: string; terminal: string } | null {
    return this.current && { node: this.current.pane.node, terminal: this.current.pane.id };
  }

  /** Marks on the tabs who else has which terminal in front. */
  setOthers(others: PersonView[]): void {
    for (const { pane, tab } of this.berths.values()) {
      const there = others.filter(({ terminal }) => terminal?.node === pane.node && terminal.terminal === pane.id);
      tab.querySelector(".tab-people")?.remove();
      if (there.length === 0) continue;
      const marks = h("span", { class: "tab-people", title: `Also here: ${there.map(({ name }) => name).join(", ")}` }, ...there.slice(0, 3).map(badge));
      tab.insertBefore(marks, tab.querySelector(".tab-close"));
    }
  }

  focus(): void {
    this.current?.pane.focus();
  }

  search(): void {
    this.current?.pane.openSearch();
  }

  setScreenReader(on: boolean): void {
    for (const { pane } of this.berths.values()) pane.setScreenReader(on);
  }

  private berth(node: string, id: string): Berth {
    const known = this.berths.get(key(node, id));
    if (known) return known;
    const panel = `term-${node}-${id}`;
    const button = h(
      "button",
      { type: "button", role: "tab", class: "tab", id: `tab-${panel}`, "aria-controls": panel, "aria-selected": "false", tabindex: "-1" },
      h("span", { class: "tab-label" }, this.label(node, id)),
    );
    const pane = new Pane(
      this.api,
      node,
      id,
      this.screens,
      {
        newTerminal: () => void this.open(),
        nextTerminal: (step) => this.step(step, true),
        leave: this.leave,
      },
      {
        state: (state) => (button.dataset.state = state),
        typed: (data) => this.keys.typed(data),
        title: (title) => (button.title = title),
        bell: () => {
          if (this.current !== berth) button.classList.add("rang");
        },
        output: () => this.onOutput(),
      },
      !this.current,
      this.rights,
    );
    pane.element.id = panel;
    pane.element.setAttribute("role", "tabpanel");
    pane.element.setAttribute("aria-labelledby", button.id);
    const tab = h("div", { class: "tab-slot", role: "presentation" }, button);
    const berth: Berth = { pane, tab, button };
    button.addEventListener("click", () => this.select(berth, true));
    if (id !== "main" && this.rights.write) {
      // A tab list holds tabs and nothing else, so by keyboard the tab itself closes: with Delete.
      button.setAttribute("aria-keyshortcuts", "Delete");
      const close = h("button", { type: "button", class: "icon-button tab-close", "aria-hidden": "true", tabindex: "-1", title: "Close (Delete, from the tab)" }, icon("close"));
      close.addEventListener("click", () => void this.close(berth));
      tab.append(close);
    }
    this.tabs.append(tab);
    this.berths.set(key(node, id), berth);
    if (!this.current) this.select(berth, false);
    return berth;
  }

  private label(node: string, id: string): string {
    return this.nodes.length > 1 ? `${node} · ${id}` : id;
  }

  private select(berth: Berth, focus: boolean): void {
    if (this.current !== berth) {
      for (const other of this.berths.values()) {
        const on = other === berth;
        other.button.setAttribute("aria-selected", String(on));
        other.button.tabIndex = on ? 0 : -1;
        other.tab.classList.toggle("current", on);
        other.pane.show(on);
      }
      this.current = berth;
      this.onFront({ node: berth.pane.node, terminal: berth.pane.id });
    }
    berth.button.classList.remove("rang");
    this.reveal();
    if (focus) berth.pane.focus();
  }

  private reveal(): void {
    this.current?.tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  private async close(berth: Berth): Promise<void> {
    try {
      await this.api.closeTerminal(berth.pane.node, berth.pane.id);
      this.remove(berth);
      this.focus();
    } catch (error) {
      toast(`The terminal did not close: ${(error as Error).message}`, "alert");
    }
  }

  private remove(berth: Berth): void {
    if (this.current === berth) this.step(-1, false);
    if (this.current === berth) this.current = null;
    berth.pane.dispose();
    berth.tab.remove();
    this.berths.delete(key(berth.pane.node, berth.pane.id));
  }

  private step(step: -1 | 1, focus: boolean): void {
    const all = [...this.berths.values()];
    const at = all.findIndex((berth) => berth === this.current);
    const next = all[(at + step + all.length) % all.length];
    if (next) this.select(next, focus);
  }

  private arrows(event: KeyboardEvent): void {
    if (!(event.target instanceof Element) || event.target.getAttribute("role") !== "tab") return;
    if (event.key === "Delete" && this.rights.write && this.current && this.current.pane.id !== "main") return void this.close(this.current);
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    this.step(step, false);
    this.current?.button.focus();
  }

  private size(): { cols: number; rows: number } {
    const terminal = this.current?.pane.terminal;
    return terminal ? { cols: terminal.cols, rows: terminal.rows } : { cols: 80, rows: 24 };
  }
}
