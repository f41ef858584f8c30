import { FilesApi } from "../api/files";
import type { Panel, PanelContext } from "../session/panels";
import { askText, confirmed } from "../ui/ask";
import { h, icon } from "../ui/dom";
import { toast } from "../ui/toast";
import { Documents } from "./documents";
import { chosen, dropped, holdsFiles, type Piece } from "./gather";
import { base, join, parent, within, wrongName } from "./paths";
import { upload } from "./tray";
import { Tree, type TreeItem } from "./tree";

/** What another part of the page may ask this panel to show. */
export interface FilesRequest {
  node: string;
  /** A file, which is opened in the editor, or a folder, which the tree shows. */
  path: string;
}

/** Least time between two looks at what has changed, in milliseconds. */
const LOOK_AGAIN = 2_000;

/** Makes the panel with the nodes' files and the editor. */
export function make(context: PanelContext): Panel {
  return new FilesPanel(context);
}

class FilesPanel implements Panel {
  readonly element: HTMLElement;
  private readonly nodes = h("select", { class: "files-node", "aria-label": "Node" });
  private readonly crumbs = h("nav", { class: "crumbs", "aria-label": "Folder" });
  private readonly tree: Tree;
  private readonly documents: Documents;
  private readonly forSelection: HTMLButtonElement[];
  private api: FilesApi;
  private folder = "";
  private visible = false;
  private looked = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the ways that were taken: of two that overlap, the later counts. */
  private going = 0;

  constructor(private readonly context: PanelContext) {
    this.api = new FilesApi(context.api.base, context.currentNode());
    this.tree = new Tree({
      list: (path) => this.api.list(path),
      open: (path) => void this.openFile(path, true),
      selected: (item) => this.selected(item),
      rename: (item) => void this.rename(item),
      remove: (item) => void this.remove(item),
      failed: (what) => void toast(what, "alert"),
    });
    const back = button("left", "Back to the files", () => this.view("tree"));
    back.classList.add("files-back");
    this.documents = new Documents(
      {
        changed: () => this.decorate(),
        written: () => void this.refresh(),
        left: () => {
          this.view("tree");
          this.tree.focus();
        },
        several: () => context.nodes().length > 1,
      },
      back,
    );
    this.forSelection = [
      button("pencil", "Rename or move (F2)", () => this.withSelection((item) => this.rename(item))),
      button("download", "Download", () => this.withSelection((item) => this.api.download(item.path, item.folder))),
      button("bin", "Delete (Del)", () => this.withSelection((item) => this.remove(item))),
    ];
    const tools = h(
      "div",
      { class: "files-tools", role: "toolbar", "aria-label": "Files" },
      button("page-plus", "New file", () => void this.create(false)),
      button("folder-plus", "New folder", () => void this.create(true)),
      button("upload", "Upload files", () => this.choose(false)),
      button("upload-folder", "Upload a folder", () => this.choose(true)),
      h("span", { class: "tools-gap" }),
      ...this.forSelection,
    );
    const home = button("prompt", "To the terminal's working folder", () => void this.toTerminal());
    const place = h("div", { class: "files-place" }, this.nodes, this.crumbs, home);
    const side = h("div", { class: "files-side" }, place, tools, h("div", { class: "tree-scroll" }, this.tree.element));
    this.element = h("div", { class: "files", "data-view": "tree" }, h("div", { class: "files-frame" }, side, this.documents.element));
    this.nodes.addEventListener("change", () => void this.toNode(this.nodes.value));
    this.element.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== "s") return;
      event.preventDefault();
      void this.documents.save();
    });
    this.acceptDrops();
    addEventListener("focus", () => void this.look());
    context.onQuiet(() => void this.look());
    context.onEvent((event) => {
      if (event.type === "session") this.showNodes();
    });
    this.showNodes();
    this.selected(null);
  }

  shown(on: boolean): void {
    this.visible = on;
    if (!on) return;
    this.showNodes();
    this.documents.measure();
    if (this.folder === "") void this.toTerminal();
    else void this.look();
  }

  take(request: unknown): void {
    const { node, path } = request as FilesRequest;
    void this.show(node, path);
  }

  private async show(node: string, path: string): Promise<void> {
    this.going += 1;
    this.setNode(node);
    try {
      // A folder can be listed; what cannot is a file, or is missed by what opens files.
      if (await this.api.list(path).then(() => true, () => false)) return await this.to(path);
      if (!within(path, this.folder) || this.folder === "") await this.to(parent(path));
      await this.tree.reveal(path);
    } catch {
      // The folder is not there either; the editor says so.
    }
    await this.openFile(path, true);
  }

  private async openFile(path: string, focus: boolean): Promise<void> {
    this.view("editor");
    await this.documents.open(this.api, path, focus && matchMedia("(pointer: fine)").matches);
  }

  private view(view: "tree" | "editor"): void {
    this.element.dataset.view = view;
  }

  private setNode(node: string): void {
    if (node === this.api.node) return;
    this.api = new FilesApi(this.context.api.base, node);
    this.folder = "";
    this.nodes.value = node;
  }

  private async toNode(node: string): Promise<void> {
    const folder = this.folder;
    this.setNode(node);
    try {
      await this.to(folder);
    } catch {
      await this.toTerminal(node);
    }
  }

  /** Shows the working folder of the terminal in front, or of the node's first. */
  private async toTerminal(node?: string): Promise<void> {
    const turn = (this.going += 1);
    const front = this.context.currentTerminal();
    this.setNode(node ?? front?.node ?? this.api.node);
    try {
      const folder = await this.context.workingFolder(this.api.node);
      if (turn === this.going) await this.to(folder);
    } catch (error) {
      toast(`The files were not listed: ${(error as Error).message}`, "alert");
    }
  }

  private async to(folder: string): Promise<void> {
    await this.tree.setRoot(folder);
    this.folder = folder;
    this.looked = performance.now();
    this.drawCrumbs();
    this.decorate();
  }

  private drawCrumbs(): void {
    const parts = this.folder === "/" ? [] : this.folder.slice(1).split("/");
    const paths = ["/", ...parts.map((_, at) => `/${parts.slice(0, at + 1).join("/")}`)];
    const items = paths.map((path, at) => {
      const last = at === paths.length - 1;
      const crumb = h("button", { type: "button", class: "crumb", ...(last ? { "aria-current": "location" } : {}) }, base(path));
      crumb.addEventListener("click", () => this.to(path).catch((error: unknown) => void toast((error as Error).message, "alert")));
      return h("li", {}, crumb);
    });
    const list = h("ol", {}, ...items);
    this.crumbs.replaceChildren(list);
    list.scrollLeft = list.scrollWidth;
  }

  private showNodes(): void {
    const names = this.context.nodes().map(({ name }) => name);
    if (names.join() !== Array.from(this.nodes.options, ({ value }) => value).join()) {
      this.nodes.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
    }
    if (names.length > 0 && !names.includes(this.api.node)) void this.toTerminal(names[0]);
    this.nodes.value = this.api.node;
    this.nodes.hidden = names.length < 2;
  }

  private decorate(): void {
    // The documents tell of themselves while they are being made.
    if (!this.element) return;
    this.tree.decorate(this.documents.unsaved(this.api.node), this.documents.shown(this.api.node));
    if (!this.documents.any) this.view("tree");
  }

  private selected(item: TreeItem | null): void {
    for (const tool of this.forSelection) tool.disabled = !item;
  }

  private withSelection(deed: (item: TreeItem) => void): void {
    if (this.tree.selection) deed(this.tree.selection);
  }

  /** Something may have changed: shows what has, if anyone can see it. */
  private async look(): Promise<void> {
    if (!this.visible || document.hidden || this.folder === "") return;
    const wait = this.looked + LOOK_AGAIN - performance.now();
    clearTimeout(this.timer);
    if (wait > 0) this.timer = setTimeout(() => void this.look(), wait);
    else await this.refresh();
  }

  private async refresh(): Promise<void> {
    this.looked = performance.now();
    try {
      await Promise.all([this.tree.refresh(), this.documents.look()]);
    } catch {
      // The folder may be gone, or the connection: what is shown stays, and the next look mends it.
    }
    this.decorate();
  }

  private async create(folder: boolean): Promise<void> {
    const target = this.tree.target;
    const name = await askText(folder ? "New folder" : "New file", `Name, in ${target}`, "", "Create", wrongName);
    if (name === null) return;
    const path = join(target, name.replace(/\/$/, ""));
    await this.deed(`${base(path)} was not made`, async () => {
      if (folder) await this.api.makeFolder(path);
      else await this.api.write(path, "", null);
      await this.refresh();
      await this.tree.reveal(path);
      if (!folder) await this.openFile(path, true);
      else this.tree.focus();
    });
  }

  private async rename(item: TreeItem): Promise<void> {
    const label = `New name, in ${parent(item.path)}; one that begins with / moves it there`;
    const name = await askText(`Rename ${item.entry.name}`, label, item.entry.name, "Rename", wrongName);
    if (name === null || name === item.entry.name) return;
    const to = join(parent(item.path), name.replace(/\/$/, ""));
    await this.deed(`${item.entry.name} was not renamed`, async () => {
      await this.api.move(item.path, to);
      this.documents.moved(this.api.node, item.path, to);
      await this.refresh();
      await this.tree.reveal(to);
      this.tree.focus();
    });
  }

  private async remove(item: TreeItem): Promise<void> {
    const what = item.folder && item.entry.kind === "folder" ? `The folder ${item.path} and all that is in it are deleted.` : `${item.path} is deleted.`;
    if (!(await confirmed(`Delete ${item.entry.name}?`, `${what} This cannot be undone.`, "Delete"))) return;
    await this.deed(`${item.entry.name} was not deleted`, async () => {
      await this.api.remove(item.path);
      this.documents.removed(this.api.node, item.path);
      await this.refresh();
      this.tree.focus();
    });
  }

  private async deed(failure: string, deed: () => Promise<void>): Promise<void> {
    try {
      await deed();
    } catch (error) {
      toast(`${failure}: ${(error as Error).message}`, "alert");
    }
  }

  private choose(folder: boolean): void {
    const input = h("input", { type: "file", multiple: true, ...(folder ? { webkitdirectory: true } : {}) });
    input.addEventListener("change", () => void this.send(this.tree.target, async () => chosen(input.files ?? [])));
    input.click();
  }

  private async send(folder: string, gather: () => Promise<Piece[]>): Promise<void> {
    const { node } = this.api;
    await this.deed("The upload did not start", async () => {
      await upload(this.context.api.base, node, folder, await gather(), () => void this.refresh());
    });
  }

  private acceptDrops(): void {
    const over = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      event.stopPropagation();
      event.dataTransfer!.dropEffect = "copy";
      const folder = this.tree.folderAt(event.target);
      this.element.dataset.drop = folder;
      this.tree.mark(folder);
    };
    const out = (): void => {
      delete this.element.dataset.drop;
      this.tree.mark(null);
    };
    this.element.addEventListener("dragenter", over, true);
    this.element.addEventListener("dragover", over, true);
    this.element.addEventListener("dragleave", (event) => {
      if (!this.element.contains(event.relatedTarget as Node | null)) out();
    });
    const drop = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      event.stopPropagation();
      out();
      void this.send(this.tree.folderAt(event.target), dropped(event.dataTransfer!));
    };
    this.element.addEventListener("drop", drop, true);
  }
}

function button(name: string, label: string, deed: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: "icon-button", "aria-label": label.replace(/ \(.*\)$/, ""), title: label, onclick: deed }, icon(name));
}
