import { ApiError } from "../api/client";
import type { SshAccess, SshKey } from "../api/types";
import type { Panel, PanelContext } from "../session/panels";
import { confirmed } from "../ui/ask";
import { h } from "../ui/dom";
import { toast } from "../ui/toast";
import { commandsView, forwardView, hostView, keysView, passwordView } from "./view";

/** How the session is reached from the student's own machine: keys and passwords to sign in with, and what to type. */
export class OutsidePanel implements Panel {
  readonly element: HTMLElement;
  private readonly keys = h("div", { class: "out-part" });
  private readonly wrong = h("p", { class: "field-wrong", id: "out-key-wrong", role: "alert" });
  private readonly field = h("textarea", {
    class: "field out-field",
    id: "out-key",
    rows: "3",
    spellcheck: "false",
    autocomplete: "off",
    placeholder: "ssh-ed25519 AAAA… you@laptop",
    "aria-describedby": "out-key-wrong",
  });
  private readonly password = h("div");
  private readonly token = h("div");
  private readonly commands = h("div");
  private readonly host = h("div");
  private readonly place = h("span");
  private access: SshAccess | null = null;
  private names: string[] = [];
  private node: string;

  constructor(private readonly context: PanelContext) {
    this.node = context.currentNode();
    const add = h("button", { type: "submit", class: "button small" }, "Add the key");
    const form = h("form", {}, h("label", { class: "field-label", for: "out-key" }, "Public key"), this.field, this.wrong, add);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.addKey();
    });
    const make = h("button", { type: "button", class: "button small" }, "Make a one-time password");
    make.addEventListener("click", () => void this.makePassword());
    const makeToken = h("button", { type: "button", class: "button small" }, "Make a token");
    makeToken.addEventListener("click", () => void this.makeToken());
    const part = (title: string, ...children: (Node | string)[]): HTMLElement => h("section", { class: "out-part" }, h("h3", {}, title), ...children);
    this.element = h(
      "div",
      { class: "outside" },
      part(
        "Sign in",
        h("p", {}, "From your own machine, with a key of yours: paste what is in ", h("code", {}, "~/.ssh/id_ed25519.pub"), " (", h("code", {}, "ssh-keygen -t ed25519"), " makes one)."),
        this.keys,
        form,
        h("p", { class: "out-or" }, "Or without a key, with a password that works once:"),
        make,
        this.password,
      ),
      part("On your machine", this.place, this.commands),
      part("Is it the right server?", this.host),
      part(
        "Raw TCP without ssh",
        h("p", {}, "The program ", h("code", {}, "boatyard"), " carries a port over the pages' own address, where ssh does not get through. A token opens this session's ports to it."),
        makeToken,
        this.token,
      ),
    );
    context.onEvent((event) => event.type === "session" && this.showNodes());
  }

  shown(on: boolean): void {
    if (on) void this.read();
  }

  private async read(): Promise<void> {
    try {
      this.access = await this.context.api.sshAccess();
      this.render();
    } catch (error) {
      this.failed("The ssh server's state is not known", error);
    }
  }

  private render(): void {
    if (!this.access) return;
    this.keys.replaceChildren(keysView(this.access.keys, (key) => void this.removeKey(key)));
    this.host.replaceChildren(hostView(this.access));
    this.names = [];
    this.showNodes();
  }

  private async addKey(): Promise<void> {
    this.wrong.textContent = "";
    const key = this.field.value.trim();
    if (!key) {
      this.wrong.textContent = "Paste a public key first.";
      return this.field.focus();
    }
    if (key.includes("PRIVATE KEY")) {
      this.field.value = "";
      this.wrong.textContent = "That is the private key, which stays with you. Paste the file whose name ends in .pub.";
      return this.field.focus();
    }
    try {
      const added = await this.context.api.addSshKey(key);
      this.field.value = "";
      toast(`The key ${added.name} opens this session now.`, "good");
      await this.read();
    } catch (error) {
      this.wrong.textContent = (error as Error).message;
      this.field.focus();
    }
  }

  private async removeKey(key: SshKey): Promise<void> {
    if (!(await confirmed(`Remove the key ${key.name}?`, "It no longer opens this session, and connections made with it end.", "Remove the key"))) return;
    try {
      await this.context.api.removeSshKey(key.id);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) this.failed(`${key.name} was not removed`, error);
    }
    await this.read();
    this.field.focus();
  }

  private async makePassword(): Promise<void> {
    try {
      this.password.replaceChildren(passwordView(await this.context.api.makeSshPassword()));
    } catch (error) {
      this.failed("There is no password", error);
    }
  }

  private async makeToken(): Promise<void> {
    try {
      const { session } = await this.context.api.makeForwardToken();
      this.token.replaceChildren(forwardView(session, location.origin, this.node));
    } catch (error) {
      this.failed("There is no token", error);
    }
  }

  private failed(what: string, error: unknown): void {
    toast(`${what}: ${(error as Error).message}`, "alert");
  }

  /** With several nodes it matters which of them is meant. */
  private showNodes(): void {
    const names = this.context.nodes().map((n) => n.name);
    if (!this.access || names.join() === this.names.join()) return;
    this.names = names;
    if (!names.includes(this.node)) this.node = this.context.currentNode();
    if (names.length < 2) {
      this.place.replaceChildren();
    } else {
      const select = h("select", { class: "select" }, ...names.map((name) => h("option", { value: name, selected: name === this.node }, name)));
      select.addEventListener("change", () => {
        this.node = select.value;
        this.showCommands();
      });
      this.place.replaceChildren(h("label", { class: "out-place" }, "Node ", select));
    }
    this.showCommands();
  }

  private showCommands(): void {
    if (this.access) this.commands.replaceChildren(commandsView(this.access, this.context.publicName, this.node));
  }
}
