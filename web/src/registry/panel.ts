import { ApiError } from "../api/client";
import type { PushedTag, RegistryContents, SessionEvent } from "../api/types";
import type { Panel, PanelContext } from "../session/panels";
import { h } from "../ui/dom";
import { toast } from "../ui/toast";
import { confirmDelete } from "./confirm";
import { contentsView, emptyView } from "./view";
import { REGISTRY, ago, bytes, changes, deletingRepository, deletingTag, plural } from "./words";

/** How long what has just come is marked, in milliseconds. */
const FRESH = 4_000;

/** The session's registry: what was pushed there, live while it is in sight. */
export class RegistryPanel implements Panel {
  readonly element: HTMLElement;
  private readonly summary = h("p", { class: "reg-summary", tabindex: "-1" });
  private readonly place = h("span", { class: "reg-place" });
  private readonly spoken = h("p", { class: "visually-hidden", role: "status" });
  private readonly list = h("div", { class: "reg-list" }, h("p", { class: "reg-note", role: "status" }, "Reading the registry…"));
  private readonly open = new Set<string>();
  private contents: RegistryContents | null = null;
  private names: string[] = [];
  private node: string;
  private visible = false;
  private stale = true;
  private reading = false;
  private ages: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly context: PanelContext) {
    this.node = context.currentNode();
    this.element = h("div", { class: "registry" }, h("header", { class: "reg-head" }, this.summary, this.place), this.list, this.spoken);
    context.onEvent((event) => this.hear(event));
    this.showNodes();
  }

  shown(on: boolean): void {
    this.visible = on;
    clearInterval(this.ages);
    if (!on) return;
    this.ages = setInterval(() => this.age(), 20_000);
    this.age();
    void this.read();
  }

  /** Unfolds a tag, named as `repository:tag`. */
  take(request: unknown): void {
    if (typeof request !== "string") return;
    this.open.add(request);
    this.render(new Set());
  }

  private hear(event: SessionEvent): void {
    // The first event of a new connection is a session: what came while there was none was missed.
    if (event.type !== "registry" && event.type !== "session") return;
    this.stale = true;
    if (event.type === "session") this.showNodes();
    if (this.visible) void this.read();
  }

  private async read(): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    try {
      while (this.stale && this.visible) {
        this.stale = false;
        this.receive(await this.context.api.registry());
      }
    } catch (error) {
      this.stale = true;
      this.failed(error as Error);
    } finally {
      this.reading = false;
    }
  }

  private receive(next: RegistryContents): void {
    const before = this.contents;
    this.contents = next;
    if (before && JSON.stringify(before) === JSON.stringify(next)) return;
    const { words, fresh } = before ? changes(before, next) : { words: [], fresh: new Set<string>() };
    const tags = next.repositories.reduce((sum, r) => sum + r.tags.length, 0);
    // One image is what somebody wants to see; of many, the list.
    if (!before && tags === 1) for (const r of next.repositories) for (const t of r.tags) this.open.add(`${r.name}:${t.name}`);
    this.render(fresh);
    if (words.length > 0) this.spoken.textContent = words.slice(0, 5).join(" ");
    if (fresh.size > 0) setTimeout(() => this.list.querySelectorAll(".fresh").forEach((e) => e.classList.remove("fresh")), FRESH);
  }

  private render(fresh: Set<string>): void {
    const contents = this.contents;
    if (!contents) return;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.key;
    const within = this.list.contains(document.activeElement);
    const tags = contents.repositories.reduce((sum, r) => sum + r.tags.length, 0);
    const counts = `${plural(contents.repositories.length, "repository")}, ${plural(tags, "tag")}`;
    this.summary.replaceChildren(
      h("code", {}, REGISTRY),
      ...(contents.repositories.length > 0 ? [h("span", {}, counts)] : []),
      h("span", { title: "Layers of the catalogue do not count." }, `${bytes(contents.stored)} of ${bytes(contents.quota)} used`),
    );
    const node = (): string => this.node;
    if (contents.repositories.length === 0) {
      this.list.replaceChildren(emptyView(this.context, node));
    } else {
      const view = contentsView(contents, {
        context: this.context,
        node,
        open: this.open,
        fresh,
        deleteTag: (repository, tag) => void this.deleteTag(repository, tag),
        deleteRepository: (repository) => void this.deleteRepository(repository),
      });
      this.list.replaceChildren(...view);
    }
    if (!within) return;
    const again = focused ? this.list.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`) : null;
    (again ?? this.summary).focus({ preventScroll: again !== null });
  }

  private async deleteTag(repository: string, tag: PushedTag): Promise<void> {
    if (!this.contents) return;
    const name = `${repository}:${tag.name}`;
    if (!(await confirmDelete(`Delete ${name}?`, deletingTag(repository, tag, this.contents), "Delete the tag"))) return;
    await this.remove(name, () => this.context.api.deleteTag(repository, tag.name));
  }

  private async deleteRepository(repository: string): Promise<void> {
    if (!this.contents) return;
    const consequences = deletingRepository(repository, this.contents);
    if (!(await confirmDelete(`Delete the repository ${repository}?`, consequences, "Delete the repository"))) return;
    await this.remove(repository, () => this.context.api.deleteRepository(repository));
  }

  private async remove(name: string, deed: () => Promise<void>): Promise<void> {
    try {
      await deed();
    } catch (error) {
      // Somebody else was faster, which is as well.
      if (!(error instanceof ApiError && error.status === 404)) toast(`${name} was not deleted: ${(error as Error).message}`, "alert");
    }
    this.stale = true;
    await this.read();
  }

  private failed(error: Error): void {
    const again = h("button", { type: "button", class: "button small" }, "Try again");
    again.addEventListener("click", () => void this.read());
    if (this.contents) {
      toast(`The registry's list is not up to date: ${error.message}`, "alert");
      return;
    }
    this.list.replaceChildren(h("div", { class: "reg-empty", role: "alert" }, h("h3", {}, "The registry does not answer"), h("p", {}, error.message), again));
  }

  /** With several nodes it matters which of them runs a command. */
  private showNodes(): void {
    const names = this.context.nodes().map((n) => n.name);
    if (names.join() === this.names.join()) return;
    this.names = names;
    if (!names.includes(this.node)) this.node = this.context.currentNode();
    if (names.length < 2) {
      this.place.replaceChildren();
    } else {
      const select = h("select", {}, ...names.map((name) => h("option", { value: name, selected: name === this.node }, name)));
      select.addEventListener("change", () => {
        this.node = select.value;
        this.render(new Set());
      });
      this.place.replaceChildren(h("label", {}, "Run on ", select));
    }
    this.render(new Set());
  }

  private age(): void {
    for (const time of this.list.querySelectorAll<HTMLElement>("[data-at]")) time.textContent = ago(time.dataset.at ?? "", Date.now());
  }
}
