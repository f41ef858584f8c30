import type { SessionApi } from "../api/client";
import type { ShareKind, ShareView } from "../api/types";
import { askIn } from "../ui/ask";
import { copyText } from "../ui/copy";
import { h, icon } from "../ui/dom";

const KINDS: { kind: ShareKind; title: string; text: string }[] = [
  { kind: "watch", title: "Watch", text: "They see the lesson, the terminals and the X-ray as you do, and change nothing." },
  { kind: "type", title: "Type", text: "They also type into terminals and edit files. Give it to people whom you would let sit at your keyboard." },
];

/** The dialog in which an owner shares the session by links, sees who came through each, and revokes them. */
export class ShareDialog {
  private readonly links: Links;
  private readonly label = h("input", { class: "field", id: "share-label", maxlength: "60", autocomplete: "off", placeholder: "Class, Ada, …" });
  private readonly make = h("button", { type: "button", class: "button primary" }, "Make a link");
  private readonly made = h("div", { class: "share-made", role: "status" });
  private readonly list = h("div", { class: "share-list" });
  /** A toast would stand behind the dialog. */
  private readonly note = h("p", { class: "share-note", role: "status" });
  private readonly choices: HTMLInputElement[] = [];
  private open = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly api: SessionApi) {
    this.links = new Links(api.id);
    this.make.addEventListener("click", () => void this.share());
    this.label.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      // In this field it means the link, not the end of the dialog.
      event.stopPropagation();
      event.preventDefault();
      void this.share();
    });
  }

  /** Shows the dialog until it is closed. */
  async show(): Promise<void> {
    if (this.open) return;
    this.open = true;
    this.made.replaceChildren();
    this.note.textContent = "";
    void this.refresh();
    const legend = h("legend", { class: "visually-hidden" }, "What those who have the link may do");
    this.choices.length = 0;
    const kinds = KINDS.map(({ kind, title, text }) => {
      const input = h("input", { type: "radio", name: "share-kind", value: kind, checked: kind === "watch", autofocus: kind === "watch" });
      this.choices.push(input);
      return h("label", { class: "share-kind" }, input, h("span", {}, h("strong", {}, title), h("span", {}, text)));
    });
    await askIn({
      title: "Share this session",
      body: [
        h("p", { class: "share-lead" }, "Whoever has a link comes in, without an account, until you revoke it or the session ends."),
        h("fieldset", { class: "share-kinds" }, legend, ...kinds),
        h("div", { class: "share-new" }, h("label", { for: "share-label" }, "For whom (optional)"), this.label, this.make),
        this.made,
        this.list,
        this.note,
      ],
      answers: [{ value: "", label: "Done" }],
    });
    this.open = false;
  }

  /** Somebody came, left, or has another name. */
  changed(): void {
    if (!this.open) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh(), 150);
  }

  private async share(): Promise<void> {
    const kind = (this.choices.find((choice) => choice.checked)?.value ?? "watch") as ShareKind;
    this.make.disabled = true;
    try {
      const made = await this.api.makeShare(kind, this.label.value);
      this.links.keep(made.id, made.url);
      this.label.value = "";
      const field = h("input", { class: "field", readonly: true, value: made.url, "aria-label": `Link to ${kind}` });
      field.addEventListener("focus", () => field.select());
      const copy = h("button", { type: "button", class: "button small" }, icon("copy"), "Copy");
      copy.addEventListener("click", () => void this.copy(copy, made.url));
      this.note.textContent = "";
      this.made.replaceChildren(h("p", {}, `Here is the link with which others can ${kind}:`), h("div", { class: "share-link" }, field, copy));
      copy.focus();
      await this.refresh();
    } catch (error) {
      this.note.textContent = `No link was made: ${(error as Error).message}`;
    } finally {
      this.make.disabled = false;
    }
  }

  private async refresh(): Promise<void> {
    try {
      const shares = await this.api.shares();
      const focused = (document.activeElement as HTMLElement | null)?.dataset.key;
      this.list.replaceChildren(
        ...(shares.length === 0 ? [] : [h("h3", {}, "Links that are good now"), h("ul", {}, ...shares.map((share) => this.row(share)))]),
      );
      if (focused) this.list.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    } catch (error) {
      this.list.replaceChildren(h("p", { class: "share-none", role: "alert" }, `The links cannot be listed: ${(error as Error).message}`));
    }
  }

  private row(share: ShareView): HTMLElement {
    const title = KINDS.find(({ kind }) => kind === share.kind)!.title;
    const name = share.label ? `${title}, ${share.label}` : title;
    const url = this.links.of(share.id);
    const copy = h("button", { type: "button", class: "button small", "data-key": `copy ${share.id}`, "aria-label": `Copy the link ${name}` }, icon("copy"), "Copy");
    if (url) copy.addEventListener("click", () => void this.copy(copy, url));
    const revoke = h("button", { type: "button", class: "button small danger", "data-key": `revoke ${share.id}`, "aria-label": `Revoke the link ${name}` }, "Revoke");
    revoke.addEventListener("click", () => void this.revoke(share, revoke));
    const at = new Date(share.made_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    return h(
      "li",
      { "data-share": share.id },
      h("span", { class: "share-what" }, h("strong", {}, title), share.label ? ` · ${share.label}` : "", h("span", { class: "share-at" }, ` · ${at}`)),
      h("span", { class: "share-guests" }, ...guests(share)),
      h("span", { class: "share-deeds" }, ...(url ? [copy] : []), revoke),
    );
  }

  private async revoke(share: ShareView, button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    try {
      await this.api.endShare(share.id);
      const url = this.links.of(share.id);
      this.links.keep(share.id, null);
      if (url && this.made.querySelector("input")?.value === url) this.made.replaceChildren();
      this.make.focus();
      await this.refresh();
      this.note.textContent = "The link is revoked. Who came through it is out.";
    } catch (error) {
      button.disabled = false;
      this.note.textContent = `The link is still good: ${(error as Error).message}`;
    }
  }

  private async copy(button: HTMLButtonElement, url: string): Promise<void> {
    const done = await copyText(url);
    this.note.textContent = done ? "The link is copied." : "The browser did not copy it; select the link and copy it by hand.";
    if (!done) return;
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1_500);
  }
}

function guests(share: ShareView): (Node | string)[] {
  if (share.guests.length === 0) return ["Nobody came through it yet."];
  return share.guests.flatMap((guest, index) => [
    index > 0 ? ", " : "",
    h("span", { class: guest.here ? "share-guest here" : "share-guest" }, guest.name, guest.here ? " (here)" : ""),
  ]);
}

/** The links that were made in this tab: the server tells each once, and keeps no copy. */
class Links {
  private readonly key: string;

  constructor(session: string) {
    this.key = `boatyard.links.${session}`;
  }

  of(share: string): string | undefined {
    return this.all()[share];
  }

  keep(share: string, url: string | null): void {
    const all = this.all();
    if (url === null) delete all[share];
    else all[share] = url;
    try {
      sessionStorage.setItem(this.key, JSON.stringify(all));
    } catch {
      // The link is shown, and not again after a reload.
    }
  }

  private all(): Record<string, string> {
    try {
      return JSON.parse(sessionStorage.getItem(this.key) ?? "{}") as Record<string, string>;
    } catch {
      return {};
    }
  }
}
