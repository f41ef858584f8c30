import type { FileEntry } from "../api/types";
import { h, icon } from "../ui/dom";
import { addressable, base, byName, join, parent, size } from "./paths";

/** What the tree asks of those around it. */
export interface TreeDeeds {
  list(path: string): Promise<{ entries: FileEntry[]; truncated: boolean }>;
  open(path: string): void;
  selected(item: TreeItem | null): void;
  rename(item: TreeItem): void;
  remove(item: TreeItem): void;
  failed(what: string): void;
}

/** A file or folder as the tree shows it. */
export interface TreeItem {
  path: string;
  entry: FileEntry;
  folder: boolean;
}

interface Row extends TreeItem {
  element: HTMLElement;
  line: HTMLElement;
  group: HTMLElement | null;
}

/** How long letters typed one after the other are one name. */
const TYPING = 700;

/** The files below one folder, as a tree whose folders are asked for when they are opened (ARIA's tree pattern). */
export class Tree {
  readonly element = h("div", { class: "tree", role: "tree", "aria-label": "Files" });
  private readonly rows = new Map<string, Row>();
  private readonly open = new Set<string>();
  private root = "/";
  private current: string | null = null;
  private typed = "";
  private typedAt = 0;
  private turn = 0;

  constructor(private readonly deeds: TreeDeeds) {
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("click", (event) => this.click(event));
  }

  get selection(): TreeItem | null {
    return this.rows.get(this.current ?? "") ?? null;
  }

  /** The folder that new things go to. */
  get target(): string {
    const item = this.selection;
    if (!item) return this.root;
    return item.folder && this.open.has(item.path) ? item.path : parent(item.path);
  }

  /** Shows the files below `path` from now on. */
  async setRoot(path: string): Promise<void> {
    const turn = (this.turn += 1);
    this.element.setAttribute("aria-busy", "true");
    try {
      const list = await this.deeds.list(path);
      if (turn !== this.turn) return;
      this.root = path;
      this.open.clear();
      this.rows.clear();
      this.element.replaceChildren();
      this.select(null, false);
      this.fill(this.element, path, 1, list);
    } finally {
      if (turn === this.turn) this.element.removeAttribute("aria-busy");
    }
  }

  /** Asks again for every folder that is open. */
  async refresh(): Promise<void> {
    const turn = this.turn;
    for (const path of [this.root, ...[...this.open].sort()]) {
      const row = this.rows.get(path);
      if (path !== this.root && !row) {
        this.open.delete(path);
        continue;
      }
      try {
        const list = await this.deeds.list(path);
        if (turn !== this.turn) return;
        this.fill(row?.group ?? this.element, path, row ? this.level(row) + 1 : 1, list);
      } catch (error) {
        if (path === this.root) throw error;
        if (row) this.close(row);
      }
    }
  }

  /** Opens the folders on the way to a path and selects it, where it lies below the root. */
  async reveal(path: string): Promise<void> {
    if (!path.startsWith(this.root === "/" ? "/" : `${this.root}/`)) return;
    const way: string[] = [];
    for (let at = parent(path); at !== this.root && at !== "/"; at = parent(at)) way.unshift(at);
    for (const folder of way) {
      const row = this.rows.get(folder);
      if (!row?.folder) return;
      await this.expand(row);
    }
    if (this.rows.has(path)) this.select(path, false);
  }

  /** The folder that something dropped on `target` goes to. */
  folderAt(target: EventTarget | null): string {
    const row = this.rowOf(target);
    return row ? (row.folder ? row.path : parent(row.path)) : this.root;
  }

  /** Marks the folder that a drop would go to. */
  mark(folder: string | null): void {
    for (const element of this.element.querySelectorAll(".drop")) element.classList.remove("drop");
    if (folder !== null) this.rows.get(folder)?.element.classList.add("drop");
  }

  /** Marks which files have changes that are not saved, and which one is in the editor. */
  decorate(unsaved: ReadonlySet<string>, shown: string | null): void {
    for (const row of this.rows.values()) {
      row.line.classList.toggle("unsaved", unsaved.has(row.path));
      row.line.classList.toggle("shown", row.path === shown);
    }
  }

  focus(): void {
    const row = this.rows.get(this.current ?? "") ?? this.visible()[0];
    row?.element.focus();
  }

  private level(row: Row): number {
    return Number(row.element.getAttribute("aria-level"));
  }

  /** Brings a folder's rows to what the list says; rows that stay keep their elements, and so the focus. */
  private fill(group: HTMLElement, folder: string, level: number, list: { entries: FileEntry[]; truncated: boolean }): void {
    const items = list.entries
      .filter((entry) => !/^\..+\.\d+-\d+\.part$/.test(entry.name))
      .map((entry) => ({ path: join(folder, entry.name), entry, folder: (entry.leads_to ?? entry.kind) === "folder" }))
      .sort((a, b) => Number(b.folder) - Number(a.folder) || byName(a.entry.name, b.entry.name));
    const rows = items.map((item) => this.row(item, level));
    const stay = new Set(rows.map(({ path }) => path));
    for (const [path] of this.rows) if (parent(path) === folder && !stay.has(path)) this.forget(path);
    const elements: HTMLElement[] = rows.map(({ element }) => element);
    if (items.length === 0) elements.push(h("div", { class: "tree-note", role: "none" }, level === 1 ? "Nothing is in this folder." : "empty"));
    if (list.truncated) elements.push(h("div", { class: "tree-note", role: "none" }, "There is more; the terminal shows all of it."));
    for (const element of elements) element.style.setProperty("--level", String(level));
    // Moving an element takes the focus from it, so what stands where it belongs is not touched.
    elements.forEach((element, at) => {
      if (group.children[at] !== element) group.insertBefore(element, group.children[at] ?? null);
    });
    while (group.children.length > elements.length) group.lastElementChild?.remove();
    this.roving();
  }

  private row(item: TreeItem, level: number): Row {
    const known = this.rows.get(item.path);
    if (known && known.folder === item.folder) {
      known.entry = item.entry;
      this.describe(known);
      return known;
    }
    if (known) this.forget(item.path);
    const line = h("div", { class: "tree-line" });
    const element = h("div", { role: "treeitem", "aria-level": String(level), "aria-selected": "false", tabindex: "-1" }, line);
    element.dataset.path = item.path;
    if (item.folder) element.setAttribute("aria-expanded", "false");
    const row: Row = { ...item, element, line, group: null };
    this.rows.set(item.path, row);
    this.describe(row);
    return row;
  }

  private describe(row: Row): void {
    const { entry, folder, line } = row;
    const key = `${entry.kind} ${entry.size} ${entry.target} ${entry.leads_to}`;
    if (line.dataset.key === key) return;
    line.dataset.key = key;
    const bad = !addressable(entry.name);
    const shape = folder ? "folder" : entry.kind === "other" ? "plug" : "page";
    const parts: (Node | string)[] = [icon(shape), h("span", { class: "tree-name" }, entry.name)];
    if (entry.kind === "link") parts.push(h("span", { class: "tree-more" }, ` → ${entry.target ?? "?"}`));
    if (entry.kind === "file") parts.push(h("span", { class: "tree-size" }, size(entry.size)));
    line.replaceChildren(h("span", { class: "tree-arrow", "aria-hidden": "true" }, ...(folder ? [icon("right")] : [])), ...parts);
    line.classList.toggle("lost", bad || entry.kind === "other" || (entry.kind === "link" && entry.leads_to === null));
    row.element.title = bad ? "This name is no UTF-8 text: only the terminal can use it." : "";
  }

  private forget(path: string): void {
    for (const [other, row] of this.rows) {
      if (other !== path && !other.startsWith(`${path}/`)) continue;
      if (row.element.contains(document.activeElement)) this.element.focus();
      row.element.remove();
      this.rows.delete(other);
      this.open.delete(other);
    }
    if (this.current !== null && !this.rows.has(this.current)) this.select(null, false);
  }

  private async expand(row: Row): Promise<void> {
    if (!row.folder || this.open.has(row.path)) return;
    row.element.setAttribute("aria-busy", "true");
    try {
      const list = await this.deeds.list(row.path);
      row.group ??= row.element.appendChild(h("div", { role: "group" }));
      row.group.hidden = false;
      this.open.add(row.path);
      row.element.setAttribute("aria-expanded", "true");
      this.fill(row.group, row.path, this.level(row) + 1, list);
    } catch (error) {
      this.deeds.failed(`${row.entry.name}: ${(error as Error).message}`);
    } finally {
      row.element.removeAttribute("aria-busy");
    }
  }

  private close(row: Row): void {
    if (row.group) row.group.hidden = true;
    this.open.delete(row.path);
    row.element.setAttribute("aria-expanded", "false");
  }

  private select(path: string | null, focus: boolean): void {
    this.rows.get(this.current ?? "")?.element.setAttribute("aria-selected", "false");
    this.current = path;
    const row = this.rows.get(path ?? "");
    row?.element.setAttribute("aria-selected", "true");
    this.roving();
    row?.line.scrollIntoView({ block: "nearest" });
    if (focus) row?.element.focus();
    this.deeds.selected(row ?? null);
  }

  /** One item of the tree, or the tree itself, is where Tab comes to. */
  private roving(): void {
    const at = this.rows.get(this.current ?? "") ?? this.visible()[0];
    for (const element of this.element.querySelectorAll('[tabindex="0"]')) if (element !== at?.element) element.setAttribute("tabindex", "-1");
    at?.element.setAttribute("tabindex", "0");
    this.element.tabIndex = at ? -1 : 0;
  }

  private visible(): Row[] {
    const all: Row[] = [];
    const walk = (group: HTMLElement): void => {
      for (const child of group.children) {
        const row = this.rows.get((child as HTMLElement).dataset.path ?? "");
        if (!row) continue;
        all.push(row);
        if (row.group && !row.group.hidden) walk(row.group);
      }
    };
    walk(this.element);
    return all;
  }

  private rowOf(target: EventTarget | null): Row | undefined {
    const element = target instanceof Element ? target.closest<HTMLElement>('[role="treeitem"]') : null;
    return this.rows.get(element?.dataset.path ?? "");
  }

  private click(event: MouseEvent): void {
    const row = this.rowOf(event.target);
    if (!row) return;
    this.select(row.path, true);
    this.activate(row);
  }

  private activate(row: Row): void {
    if (!addressable(row.entry.name)) this.deeds.failed("This name is no UTF-8 text: only the terminal can use it.");
    else if (!row.folder) this.deeds.open(row.path);
    else if (this.open.has(row.path)) this.close(row);
    else void this.expand(row);
  }

  private key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key.length > 1) this.typed = "";
    const rows = this.visible();
    const row = this.rowOf(event.target);
    const at = row ? rows.indexOf(row) : -1;
    const go = (to: Row | undefined): void => {
      if (to) this.select(to.path, true);
    };
    switch (event.key) {
      case "ArrowDown":
        go(rows[at + 1]);
        break;
      case "ArrowUp":
        go(rows[Math.max(0, at - 1)]);
        break;
      case "Home":
        go(rows[0]);
        break;
      case "End":
        go(rows.at(-1));
        break;
      case "ArrowRight":
        if (row?.folder && !this.open.has(row.path)) void this.expand(row);
        else if (row?.folder) go(rows[at + 1] && parent(rows[at + 1]!.path) === row.path ? rows[at + 1] : undefined);
        break;
      case "ArrowLeft":
        if (row && this.open.has(row.path)) this.close(row);
        else if (row) go(this.rows.get(parent(row.path)));
        break;
      case "Enter":
      case " ":
        if (row) this.select(row.path, true);
        if (row) this.activate(row);
        break;
      case "F2":
        if (row) this.deeds.rename(row);
        break;
      case "Delete":
        if (row) this.deeds.remove(row);
        break;
      default:
        if (event.key.length !== 1) return;
        go(this.find(rows, at, event.key));
    }
    event.preventDefault();
  }

  /** The next item whose name begins with what was typed. */
  private find(rows: Row[], at: number, letter: string): Row | undefined {
    const now = performance.now();
    this.typed = now - this.typedAt < TYPING ? this.typed + letter : letter;
    this.typedAt = now;
    const start = this.typed.length > 1 ? Math.max(at, 0) : at + 1;
    const order = [...rows.slice(start), ...rows.slice(0, start)];
    return order.find(({ path }) => base(path).toLowerCase().startsWith(this.typed.toLowerCase()));
  }
}
