import { ApiError } from "../api/client";
import { type FilesApi, TooLarge } from "../api/files";
import { askIn, confirmed } from "../ui/ask";
import { h, icon } from "../ui/dom";
import { toast } from "../ui/toast";
import type { Editor, Page } from "./editor";
import { base, size, within } from "./paths";

/** Largest file that the editor opens, in bytes. */
const LARGEST = 2_000_000;

type EditorCode = typeof import("./editor");

interface Document {
  api: FilesApi;
  path: string;
  /** The etag that the file had when it was read or written; null where there is no file any more. */
  etag: string | null;
  page: Page;
  readOnly: boolean;
  unsaved: boolean;
  saving: boolean;
  tab: HTMLElement;
  button: HTMLButtonElement;
}

/** What the documents tell those around them. */
export interface DocumentNews {
  /** Which documents there are, or what state they are in, has changed. */
  changed(): void;
  /** A file was written. */
  written(): void;
  /** The keyboard has nothing left here. */
  left(): void;
  several(): boolean;
}

/** The files that are open in the editor, as tabs. */
export class Documents {
  readonly element = h("section", { class: "docs", "aria-label": "Editor" });
  private readonly tabs = h("div", { class: "doc-tabs", role: "tablist", "aria-label": "Open files" });
  private readonly notice = h("div", { class: "doc-notice", role: "status", hidden: true });
  private readonly host = h("div", { class: "doc-host", role: "tabpanel", id: "doc-panel" });
  private readonly empty = h("div", { class: "doc-empty" });
  private readonly foot = h("div", { class: "doc-foot" });
  private readonly position = h("span", {});
  private readonly save_ = h("button", { type: "button", class: "button small", title: "Save (Ctrl-S)" }, "Save");
  private readonly all: Document[] = [];
  private code: Promise<EditorCode> | null = null;
  private editor: Editor | null = null;
  private current: Document | null = null;
  private opening = 0;

  constructor(private readonly news: DocumentNews, back: HTMLElement) {
    const head = h("div", { class: "doc-head" }, back, this.tabs);
    const hint = h("span", { class: "doc-hint" }, h("kbd", {}, "Esc"), " then ", h("kbd", {}, "Tab"), " leaves");
    this.foot.append(this.position, hint, h("span", { class: "spacer" }), this.save_);
    this.element.append(head, this.notice, this.host, this.empty, this.foot);
    this.empty.append(
      h("p", {}, "Choose a file to read or change it."),
      h("p", {}, "Files and folders dropped here are uploaded into the folder that is shown; those dropped on a terminal, into its working folder."),
    );
    this.save_.addEventListener("click", () => void this.save());
    this.tabs.addEventListener("keydown", (event) => this.tabKey(event));
    // Escape leaves the editor's own modes; it does not close the panel around it.
    this.host.addEventListener("keydown", (event) => {
      if (event.key === "Escape") event.stopPropagation();
    });
    addEventListener("beforeunload", (event) => {
      if (this.all.some(({ unsaved }) => unsaved)) event.preventDefault();
    });
    this.draw();
  }

  /** Paths of a node's files with changes that are not saved. */
  unsaved(node: string): Set<string> {
    return new Set(this.all.filter((doc) => doc.unsaved && doc.api.node === node).map(({ path }) => path));
  }

  shown(node: string): string | null {
    return this.current?.api.node === node ? this.current.path : null;
  }

  /** Whether there is anything to see: a file, or a word about one that was not opened. */
  get any(): boolean {
    return this.all.length > 0 || !this.notice.hidden;
  }

  /** Opens a file, or brings it to the front. Says in words why one cannot be opened. */
  async open(api: FilesApi, path: string, focus: boolean): Promise<boolean> {
    const known = this.all.find((doc) => doc.path === path && doc.api.node === api.node);
    if (known) {
      this.select(known, focus);
      void this.look();
      return true;
    }
    const turn = (this.opening += 1);
    this.say(h("span", {}, `Opening ${base(path)}…`));
    try {
      const [code, read] = await Promise.all([this.load(), api.read(path, LARGEST)]);
      const text = decode(read.bytes);
      if (turn !== this.opening) return false;
      if (text === null) {
        this.refuse(api, path, `${base(path)} is not text (${size(read.bytes.length)} of binary data), so it is not shown here.`);
        return false;
      }
      const page = code.pageOf(path, text, read.readOnly, () => this.edited());
      this.select(this.add({ api, path, page, readOnly: read.readOnly, etag: read.etag }), focus);
      return true;
    } catch (error) {
      if (turn !== this.opening) return false;
      if (error instanceof TooLarge) {
        const much = error.size > 0 ? `has ${size(error.size)}` : "is large";
        this.refuse(api, path, `${base(path)} ${much}; the editor opens files of up to ${size(LARGEST)}. The terminal shows it with less.`);
      } else this.say(h("span", {}, `${base(path)} was not opened. ${(error as Error).message}`));
      return false;
    }
  }

  /** Looks whether the file in front was changed by someone else: shows what is new, or says so where both have changed. */
  async look(): Promise<void> {
    const doc = this.current;
    if (!doc || doc.saving || doc.readOnly) return;
    const etag = await doc.api.etag(doc.path).catch(() => doc.etag);
    if (etag === doc.etag || doc.saving || doc !== this.current) return;
    if (doc.unsaved || etag === null) return this.warn(doc, etag === null);
    const now = await doc.api.read(doc.path, LARGEST).catch(() => null);
    const text = now && decode(now.bytes);
    if (!now || text === null || doc.unsaved || doc.saving) return;
    await this.take(doc, text!, now.etag);
  }

  /** Saves the file in front. */
  async save(): Promise<void> {
    const doc = this.current;
    if (!doc || doc.readOnly || doc.saving || !this.editor) return;
    if (!doc.unsaved && doc.etag !== null) return;
    this.keep();
    const { state } = doc.page;
    doc.saving = true;
    this.draw();
    try {
      const { textOf } = await this.load();
      const written = await doc.api.write(doc.path, textOf(state), doc.etag);
      this.saved(doc, written.etag, state.doc);
    } catch (error) {
      doc.saving = false;
      this.draw();
      if (error instanceof ApiError && error.status === 412) await this.conflict(doc);
      else toast(`${base(doc.path)} was not saved: ${(error as Error).message}`, "alert");
    } finally {
      doc.saving = false;
      this.draw();
    }
  }

  /** What was at `from` is at `to` now. */
  moved(node: string, from: string, to: string): void {
    for (const doc of this.all) {
      if (doc.api.node !== node || !within(doc.path, from)) continue;
      doc.path = to + doc.path.slice(from.length);
      this.label(doc);
    }
    this.draw();
  }

  /** What was at `path` is gone: what is open of it is closed, unless it has changes. */
  removed(node: string, path: string): void {
    for (const doc of [...this.all]) {
      if (doc.api.node !== node || !within(doc.path, path)) continue;
      if (doc.unsaved) doc.etag = null;
      else this.drop(doc);
    }
    this.draw();
  }

  measure(): void {
    this.editor?.measure();
  }

  private load(): Promise<EditorCode> {
    this.code ??= import("./editor");
    this.code.catch(() => (this.code = null));
    return this.code;
  }

  private add(file: Pick<Document, "api" | "path" | "page" | "etag" | "readOnly">): Document {
    const button = h("button", { type: "button", role: "tab", class: "doc-tab", tabindex: "-1", "aria-controls": "doc-panel", "aria-keyshortcuts": "Delete" });
    const close = h("button", { type: "button", class: "icon-button tab-close", "aria-hidden": "true", tabindex: "-1", title: "Close (Delete, from the tab)" }, icon("close"));
    const tab = h("div", { class: "tab-slot", role: "presentation" }, button, close);
    const doc: Document = { ...file, unsaved: false, saving: false, tab, button };
    button.addEventListener("click", () => this.select(doc, true));
    close.addEventListener("click", () => void this.close(doc));
    tab.addEventListener("auxclick", (event) => event.button === 1 && void this.close(doc));
    this.all.push(doc);
    this.tabs.append(tab);
    return doc;
  }

  private select(doc: Document, focus: boolean): void {
    if (this.current !== doc) {
      this.keep();
      this.current = doc;
      void this.load().then(({ Editor }) => {
        this.editor ??= new Editor(this.host);
        if (this.current !== doc) return;
        this.editor.show(doc.page.state);
        if (focus) this.editor.focus();
        this.draw();
      });
      this.say();
    } else if (focus) this.editor?.focus();
    for (const other of this.all) {
      other.button.setAttribute("aria-selected", String(other === doc));
      other.button.tabIndex = other === doc ? 0 : -1;
      other.tab.classList.toggle("current", other === doc);
    }
    doc.tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.draw();
  }

  /** Keeps what the editor holds of the file in front. */
  private keep(): void {
    if (this.current && this.editor) this.current.page.state = this.editor.state;
  }

  private edited(): void {
    const doc = this.current;
    if (!doc || !this.editor) return;
    const unsaved = !this.editor.state.doc.eq(doc.page.saved);
    if (unsaved === doc.unsaved) return;
    doc.unsaved = unsaved;
    this.draw();
  }

  private saved(doc: Document, etag: string, text: Page["saved"]): void {
    doc.etag = etag;
    doc.page.saved = text;
    const now = doc === this.current && this.editor ? this.editor.state.doc : doc.page.state.doc;
    doc.unsaved = !now.eq(text);
    this.say();
    this.news.written();
  }

  /** Shows another text of the file, which is the file's own. */
  private async take(doc: Document, text: string, etag: string): Promise<void> {
    const { replaced } = await this.load();
    this.keep();
    const change = replaced(doc.page.state, text);
    doc.page.saved = change.state.doc;
    doc.etag = etag;
    if (doc === this.current) this.editor?.apply(change);
    else doc.page.state = change.state;
    this.keep();
    doc.unsaved = false;
    this.say();
    this.draw();
  }

  private warn(doc: Document, gone: boolean): void {
    const what = gone ? "was removed" : "was changed by someone else";
    const look = h("button", { type: "button", class: "button small", onclick: () => void this.conflict(doc) }, "Choose a version");
    this.say(h("span", {}, `${base(doc.path)} ${what} meanwhile.`), look);
  }

  /** Both have changed: asks which of the two is to be. Nothing is written before. */
  private async conflict(doc: Document): Promise<void> {
    let now = null;
    try {
      now = await doc.api.read(doc.path, LARGEST);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404) && !(error instanceof TooLarge)) {
        return void toast(`${base(doc.path)} was not saved: ${(error as Error).message}`, "alert");
      }
    }
    const theirs = now && decode(now.bytes);
    const name = base(doc.path);
    const body = [h("p", {}, now ? `${name} was changed by someone else since you opened it. Nothing is overwritten until you decide.` : `${name} was removed or moved since you opened it.`)];
    const answers = [
      { value: "", label: "Later" },
      { value: "theirs", label: now ? "Take theirs" : "Close it" },
      ...(theirs === null ? [] : [{ value: "both", label: "Show both" }]),
      { value: "mine", label: now ? "Keep mine" : "Save it again", primary: true },
    ];
    const answer = await askIn({ title: `Two versions of ${name}`, body, answers });
    if (answer === "mine") {
      doc.etag = now?.etag ?? null;
      doc.unsaved = true;
      await this.save();
    } else if (answer === "theirs" && theirs !== null && now) await this.take(doc, theirs, now.etag);
    else if (answer === "theirs") this.drop(doc);
    else if (answer === "both" && theirs !== null && now) {
      const [{ compare }, { textOf, replaced }] = await Promise.all([import("./compare"), this.load()]);
      this.keep();
      const merged = await compare(doc.path, theirs, textOf(doc.page.state));
      if (merged === null) return this.warn(doc, false);
      this.select(doc, false);
      this.editor?.apply(replaced(doc.page.state, merged));
      doc.etag = now.etag;
      doc.unsaved = true;
      await this.save();
    }
    this.draw();
  }

  private async close(doc: Document): Promise<void> {
    if (doc.unsaved && !(await confirmed(`Close ${base(doc.path)} without saving?`, "Its changes are lost.", "Close it"))) return;
    this.drop(doc);
    if (this.current) this.current.button.focus();
    else this.news.left();
  }

  private drop(doc: Document): void {
    const at = this.all.indexOf(doc);
    if (at < 0) return;
    this.all.splice(at, 1);
    doc.tab.remove();
    if (this.current !== doc) return this.draw();
    this.current = null;
    const next = this.all[Math.min(at, this.all.length - 1)];
    if (next) this.select(next, false);
    this.say();
    this.draw();
  }

  private tabKey(event: KeyboardEvent): void {
    if (!this.current) return;
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (event.key === "Delete") void this.close(this.current);
    else if (step) {
      const at = this.all.indexOf(this.current);
      this.select(this.all[(at + step + this.all.length) % this.all.length]!, false);
      this.current.button.focus();
    } else return;
    event.preventDefault();
  }

  private refuse(api: FilesApi, path: string, why: string): void {
    const save = h("button", { type: "button", class: "button small", onclick: () => api.download(path, false) }, "Download it");
    this.say(h("span", {}, why), save);
  }

  private say(...what: Node[]): void {
    this.notice.hidden = what.length === 0;
    this.notice.replaceChildren(...what);
    this.news.changed();
  }

  private label(doc: Document): void {
    const name = base(doc.path);
    doc.button.replaceChildren(h("span", { class: "doc-dot", "aria-hidden": "true" }), h("span", {}, this.news.several() ? `${doc.api.node} · ${name}` : name));
    doc.button.title = doc.path;
    doc.button.setAttribute("aria-label", `${name}${doc.unsaved ? ", not saved" : ""}`);
  }

  private draw(): void {
    for (const doc of this.all) {
      doc.tab.classList.toggle("unsaved", doc.unsaved);
      this.label(doc);
    }
    const doc = this.current;
    this.host.hidden = this.foot.hidden = !doc;
    this.tabs.hidden = this.all.length === 0;
    this.empty.hidden = doc !== null;
    this.save_.hidden = doc?.readOnly ?? true;
    this.save_.disabled = !doc || doc.saving || (!doc.unsaved && doc.etag !== null);
    this.save_.textContent = doc?.saving ? "Saving…" : "Save";
    this.position.textContent = doc ? `${doc.page.language}${doc.readOnly ? " · read only" : ""}` : "";
    if (doc) this.host.setAttribute("aria-label", base(doc.path));
    this.news.changed();
  }
}

/** A file's bytes as text; null where they are none. */
function decode(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
