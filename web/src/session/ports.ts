import type { SessionApi } from "../api/client";
import type { NodeView, PortChoices, PortLink, SeenHost } from "../api/types";
import { confirmed } from "../ui/ask";
import { copyText } from "../ui/copy";
import { setUpDisclosure } from "../ui/disclosure";
import { h, icon, need } from "../ui/dom";
import { recall, remember } from "../ui/memory";
import { toast } from "../ui/toast";
import { portPath } from "./bar";
import { readPort } from "./port";
import { may } from "./rights";

/** A port of a node. */
interface At {
  node: string;
  port: number;
}

/** The ports in the session's bar: those that listen, each opened by a click, and a panel in which any other is opened, and
 * ports are shared. */
export class Ports {
  private readonly area = need(".ports");
  private readonly chips = h("span", { class: "port-chips", role: "group", "aria-label": "Open ports" });
  private readonly count = h("span");
  private readonly word = h("span", { class: "ports-word" });
  private readonly button = h(
    "button",
    { type: "button", class: "bar-button ports-button", "aria-controls": "ports-panel", title: "Open any port, share ports" },
    icon("plug"),
    h("span", {}, this.count, this.word),
  );
  private readonly rows = h("ul", { class: "port-rows" });
  private readonly none = h("p", {}, "Nothing listens yet. A port appears here by itself when something does.");
  private readonly field = h("input", {
    id: "another-port",
    class: "field",
    inputmode: "numeric",
    placeholder: "another port…",
    autocomplete: "off",
    "aria-label": "Another port",
    "aria-describedby": "another-port-wrong",
  });
  private readonly node = h("select", { class: "select", "aria-label": "Node" });
  private readonly wrong = h("p", { class: "field-wrong", id: "another-port-wrong", role: "alert" });
  private readonly shared = h("div", { class: "shared-ports" });
  private readonly fold: { close(): void };
  private nodes: NodeView[] = [];
  private choices: PortChoices = { hosts: [], links: [] };

  constructor(private readonly api: SessionApi) {
    if (!may("own")) {
      this.area.append(this.chips);
      this.fold = { close: () => undefined };
      return;
    }
    const open = h("button", { class: "button small" }, "Open");
    const share = h("button", { type: "button", class: "button small" }, "Share…");
    const form = h("form", { class: "port-form", novalidate: true }, this.node, this.field, open, share);
    const panel = h(
      "div",
      { class: "node-panel ports-panel", id: "ports-panel", role: "group", "aria-label": "Ports" },
      this.none,
      this.rows,
      form,
      this.wrong,
      this.shared,
    );
    this.area.append(this.chips, h("span", { class: "ports-menu" }, this.button, panel));
    this.fold = setUpDisclosure(this.button, panel, () => {
      void this.load();
      // A finger would bring up the keyboard over the list.
      if (matchMedia("(pointer: fine)").matches) requestAnimationFrame(() => this.field.focus());
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const at = this.typed();
      if (!at) return;
      window.open(portPath(this.api.id, at.node, at.port), "_blank", "noopener");
      this.field.value = "";
      this.fold.close();
    });
    share.addEventListener("click", () => {
      const at = this.typed();
      if (at) void this.share(at);
    });
    this.field.addEventListener("input", () => (this.wrong.textContent = ""));
    this.rows.addEventListener("click", (event) => {
      if (event.target instanceof Element && event.target.closest("a")) this.fold.close();
    });
  }

  show(nodes: NodeView[]): void {
    this.nodes = nodes;
    const open = this.open();
    this.chips.replaceChildren(...open.map((at) => this.link(at, "port-chip")));
    this.count.textContent = open.length === 0 ? "" : String(open.length);
    this.word.textContent = open.length === 0 ? "Ports" : open.length === 1 ? " port" : " ports";
    this.area.dataset.count = open.length < 2 ? String(open.length) : "several";
    const names = nodes.map(({ name }) => name);
    if (names.join() !== [...this.node.options].map(({ value }) => value).join()) {
      const chosen = this.node.value;
      this.node.replaceChildren(...names.map((name) => h("option", { selected: name === chosen }, name)));
    }
    this.node.hidden = nodes.length < 2;
    this.showRows();
  }

  private open(): At[] {
    return this.nodes.flatMap((node) => node.ports.map(({ port }) => ({ node: node.name, port })));
  }

  private async load(): Promise<void> {
    try {
      this.choices = await this.api.portChoices();
      this.showRows();
    } catch (error) {
      toast(`What is shared is not known: ${(error as Error).message}`, "alert");
    }
  }

  private typed(): At | null {
    const read = readPort(this.field.value);
    this.wrong.textContent = typeof read === "string" ? read : "";
    if (typeof read === "string") {
      this.field.focus();
      return null;
    }
    return { node: this.node.value || this.nodes[0]?.name || "node1", port: read };
  }

  private showRows(): void {
    const open = this.open();
    const set = this.choices.hosts.filter((one) => !open.some((at) => same(at, one)));
    // Rows stay, since one may have the focus.
    const known = new Map([...this.rows.children].map((row) => [(row as HTMLElement).dataset.at, row as HTMLElement]));
    const rows = [...open, ...set].map((at) => {
      const key = `${at.node}:${at.port} ${this.name(at)}`;
      const row = known.get(key) ?? this.row(at);
      row.dataset.at = key;
      need<HTMLSelectElement>("select", row).value = this.choices.hosts.find((one) => same(one, at))?.host ?? "original";
      return row;
    });
    if (rows.length !== this.rows.children.length || rows.some((row, i) => this.rows.children[i] !== row)) {
      const focused = document.activeElement;
      this.rows.replaceChildren(...rows);
      if (focused instanceof HTMLElement && this.rows.contains(focused)) focused.focus();
    }
    this.none.hidden = rows.length > 0;
    this.showShared();
  }

  private row(at: At): HTMLElement {
    const name = this.name(at);
    const sees = h(
      "select",
      { class: "select small", "aria-label": `Host name that ${name} sees`, title: "The host name that the application sees" },
      h("option", { value: "original" }, "sees own name"),
      h("option", { value: "localhost" }, `sees localhost:${at.port}`),
    );
    sees.addEventListener("change", () => void this.choose(at, sees.value as SeenHost));
    const share = h("button", { type: "button", class: "button small", "aria-label": `Share ${name}…` }, "Share…");
    share.addEventListener("click", () => void this.share(at));
    return h("li", {}, this.link(at, "port-open"), sees, share);
  }

  private showShared(): void {
    const { links } = this.choices;
    this.shared.hidden = links.length === 0;
    this.shared.replaceChildren(
      h("h3", { id: "shared-ports-title" }, "Shared by link"),
      h("ul", { "aria-labelledby": "shared-ports-title" }, ...links.map((link) => this.sharedLink(link))),
    );
  }

  private sharedLink(link: PortLink): HTMLElement {
    const name = this.name(link);
    const since = new Date(link.created_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    // The server keeps no key; the browser that made the link has its own.
    const url = recall(keyOf(link));
    const copy = h("button", { type: "button", class: "button small", "aria-label": `Copy the link to ${name}` }, "Copy");
    copy.disabled = url === null;
    if (url === null) copy.title = "It was made in another browser, and the server keeps no copy. Make a new one.";
    copy.addEventListener("click", () => void copied(url ?? "", `The link to ${name} is on the clipboard.`));
    const revoke = h("button", { type: "button", class: "button small", "aria-label": `Revoke the link to ${name}` }, "Revoke");
    revoke.addEventListener("click", () => void this.revoke(link));
    return h("li", {}, h("span", {}, h("code", {}, name), ` since ${since}`), copy, revoke);
  }

  private link(at: At, kind: string): HTMLElement {
    const label = this.nodes.length > 1 ? `${at.node}:${at.port}` : String(at.port);
    if (!may("own")) return h("span", { class: kind, title: `Port ${at.port} of ${at.node} is open; its owner can share it` }, label);
    return h(
      "a",
      { class: kind, href: portPath(this.api.id, at.node, at.port), target: "_blank", rel: "noopener", title: `Open port ${at.port} of ${at.node} in a new tab` },
      label,
      icon("out"),
    );
  }

  private name(at: At): string {
    return this.nodes.length > 1 ? `${at.node}:${at.port}` : `port ${at.port}`;
  }

  private async choose(at: At, host: SeenHost): Promise<void> {
    try {
      await this.api.choosePortHost(at.node, at.port, host);
      this.choices.hosts = [...this.choices.hosts.filter((one) => !same(one, at)), ...(host === "original" ? [] : [{ ...at, host }])];
    } catch (error) {
      toast(`That was not kept: ${(error as Error).message}`, "alert");
      this.showRows();
    }
  }

  private async share(at: At): Promise<void> {
    const name = this.name(at);
    const what = `Whoever gets the link can use ${name} as you can, without a session, until you revoke it or the session ends. It opens nothing else.`;
    if (!(await confirmed(`Share ${name}?`, what, "Make a link"))) return;
    try {
      const { url, ...link } = await this.api.sharePort(at.node, at.port);
      remember(keyOf(link), url);
      this.choices.links = [...this.choices.links, link];
      this.showShared();
      await copied(url, `The link to ${name} is on the clipboard.`);
    } catch (error) {
      toast(`The port is not shared: ${(error as Error).message}`, "alert");
    }
  }

  private async revoke(link: PortLink): Promise<void> {
    try {
      await this.api.revokePortLink(link);
      remember(keyOf(link), null);
      this.choices.links = this.choices.links.filter(({ id }) => id !== link.id);
      this.showShared();
      this.field.focus();
      toast(`The link to ${this.name(link)} opens nothing any more.`, "good");
    } catch (error) {
      toast(`The link still holds: ${(error as Error).message}`, "alert");
    }
  }
}

function same(a: At, b: At): boolean {
  return a.node === b.node && a.port === b.port;
}

function keyOf(link: { id: string }): string {
  return `port-link.${link.id}`;
}

async function copied(url: string, said: string): Promise<void> {
  if (await copyText(url)) toast(said, "good");
  else toast(`The clipboard is closed to this page. The link is ${url}`, "alert");
}
