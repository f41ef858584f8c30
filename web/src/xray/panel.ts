import type { XrayDeed, XrayMessage } from "../api/types";
import type { Panel, PanelContext } from "../session/panels";
import { h } from "../ui/dom";
import { recall, remember } from "../ui/memory";
import { Host } from "./host";
import { put } from "./keep";
import { Picture } from "./picture";
import { RegistryView } from "./registry";
import { XraySocket } from "./socket";
import { Story } from "./story";
import { Tree } from "./tree";
import { count } from "./words";

/** What a student types, in the order of Docker's own picture of its architecture. */
const VERBS = ["docker pull", "docker build", "docker run", "docker push"];
/** How long what changed is pointed out, in milliseconds. */
const FRESH = 6000;

/** The X-ray: what Docker holds, live, and what each command changed. */
export function makeXray(context: PanelContext): Panel {
  return new XrayPanel(context);
}

class XrayPanel implements Panel {
  readonly element = h("div", { class: "xray" });
  private readonly picture = new Picture();
  private readonly host: Host;
  private readonly registry = new RegistryView();
  private readonly tree = new Tree();
  private readonly story: Story;
  private readonly nodes = h("div", { class: "x-nodes", role: "radiogroup", "aria-label": "Node" });
  private readonly engine = h("p", { class: "x-engine", role: "status" });
  private readonly link = h("span", { class: "x-link", role: "status" });
  private readonly hostTitle = h("h3", {}, "Docker host");
  private readonly hostBody = h("div", { class: "x-body", tabindex: "0", role: "group", "aria-label": "Images, containers, volumes and networks" });
  private readonly registryBody = h("div", { class: "x-body", tabindex: "0", role: "group", "aria-label": "What the registry holds" }, this.registry.element);
  private readonly verbs = new Map<string, HTMLElement>();
  private readonly scene: HTMLElement;
  private readonly timers = new Map<Element, ReturnType<typeof setTimeout>>();
  private socket: XraySocket | null = null;
  private node: string;
  private frame = 0;
  private asTree = recall("xray") === "tree";

  constructor(private readonly context: PanelContext) {
    this.host = new Host(context.api.id);
    this.node = context.currentNode();
    for (const verb of VERBS) this.verbs.set(verb, h("li", {}, verb));
    const client = h("section", { class: "x-place x-client", "aria-label": "Client" }, h("h3", {}, "Client"), h("ul", {}, ...this.verbs.values()));
    const hostHead = h("header", {}, this.hostTitle, this.nodes, this.engine);
    const host = h("section", { class: "x-place x-daemon", "aria-label": "Docker host" }, hostHead, this.hostBody);
    const registryHead = h("header", {}, h("h3", {}, "Registry"), h("p", {}, "registry.lab:5000"));
    const registry = h("section", { class: "x-place x-registry", "aria-label": "Registry" }, registryHead, this.registryBody);
    this.scene = h("div", { class: "x-scene" }, client, host, registry);
    const toggle = h("button", { type: "button", class: "x-toggle", "aria-pressed": String(this.asTree) }, "As a tree");
    toggle.addEventListener("click", () => {
      this.asTree = !this.asTree;
      toggle.ariaPressed = String(this.asTree);
      remember("xray", this.asTree ? "tree" : null);
      this.draw();
    });
    this.story = new Story((deed) => this.show(deed), this.link, toggle);
    const treeBox = h("div", { class: "x-tree-box" }, this.tree.element);
    this.element.append(h("div", { class: "x-main" }, this.scene, treeBox, this.story.element));
  }

  shown(on: boolean): void {
    if (on && !this.socket) {
      this.socket = new XraySocket(
        this.context.api.xraySocket(),
        (message) => this.hear(message),
        (open) => (this.link.textContent = open ? "" : "Reconnecting…"),
      );
    } else if (!on) {
      this.socket?.stop();
      this.socket = null;
    }
  }

  private hear(message: XrayMessage): void {
    const deeds = this.picture.take(message);
    if (message.type === "gauges") {
      if (message.node === this.node) for (const gauge of message.gauges) this.host.gauge(gauge.container, gauge);
      // A tree that changes under a reader's fingers every other second helps nobody: it shows them with the next change.
      return;
    }
    this.drawSoon(() => {
      for (const deed of deeds) {
        this.point(deed);
        this.light(deed.verb);
      }
    });
  }

  /** Draws with the next frame, once for all that came until then. */
  private drawSoon(after: () => void): void {
    this.pending.push(after);
    if (this.frame !== 0) return;
    const draw = (): void => {
      cancelAnimationFrame(this.frame);
      clearTimeout(fallback);
      this.frame = 0;
      this.draw();
      for (const next of this.pending.splice(0)) next();
    };
    // A page in the background has no frames.
    const fallback = setTimeout(draw, 250);
    this.frame = requestAnimationFrame(draw);
  }
  private readonly pending: (() => void)[] = [];

  private draw(): void {
    const node = this.picture.node(this.node);
    if (!node) return;
    this.node = node.node;
    const several = this.picture.nodes.length > 1;
    this.drawNodes(several);
    this.story.draw(this.picture.deeds, several);
    this.element.dataset.as = this.asTree ? "tree" : "picture";
    if (this.asTree) {
      this.tree.draw(this.picture);
      return;
    }
    const running = node.containers.filter((container) => container.state === "running").length;
    this.engine.textContent =
      node.engine === "ready" ? `${count(node.images.length + node.more_images, "image")} · ${running} running · ${count(node.layers.length, "layer")}` : "";
    const empty = node.images.length === 0 && node.containers.length === 0 && node.under_way.length === 0;
    this.host.draw(node, this.picture.gauges);
    put(this.hostBody, [...(empty || node.engine !== "ready" ? [this.empty(node.engine)] : []), ...(node.engine === "ready" ? [this.host.element] : [])]);
    this.registry.draw(this.picture.registry, this.picture.nodes);
  }

  private readonly empties = new Map<string, HTMLElement>();
  private empty(engine: string): HTMLElement {
    const known = this.empties.get(engine);
    if (known) return known;
    const words: Record<string, [string, string]> = {
      asleep: ["Docker is asleep", "It wakes with the first docker command. Try one:"],
      starting: ["Docker is starting…", ""],
      ready: ["Docker holds nothing yet", "An image is the first thing it needs. Try:"],
      failed: ["Docker does not come up", "See /var/log/dockerd.log in the terminal."],
      absent: ["This node has no Docker Engine", ""],
    };
    const [title, text] = words[engine] ?? ["", ""];
    const made = h("div", { class: "x-nothing" }, h("p", { class: "x-nothing-title" }, title), ...(text ? [h("p", {}, text)] : []));
    if (engine === "asleep" || engine === "ready") {
      made.append(h("button", { type: "button", class: "button small", onclick: () => void this.context.run(this.node, "docker pull nginx", true).catch(() => {}) }, "docker pull nginx"));
    }
    this.empties.set(engine, made);
    return made;
  }

  private drawNodes(several: boolean): void {
    const names = several ? this.picture.nodes.map((node) => node.node) : [];
    const now = [...this.nodes.children].map((child) => child.textContent);
    if (now.join() !== names.join()) {
      this.nodes.replaceChildren(
        ...names.map((name) => {
          const choice = h("button", { type: "button", role: "radio", class: "x-choice" }, name);
          choice.addEventListener("click", () => this.choose(name));
          return choice;
        }),
      );
      this.nodes.onkeydown = (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        const at = this.picture.nodes.findIndex((node) => node.node === this.node);
        const next = this.picture.nodes.at((at + step) % this.picture.nodes.length);
        if (next) this.choose(next.node);
        this.nodes.querySelector<HTMLElement>('[aria-checked="true"]')?.focus();
      };
    }
    for (const choice of this.nodes.querySelectorAll<HTMLElement>("[role=radio]")) {
      const chosen = choice.textContent === this.node;
      choice.ariaChecked = String(chosen);
      choice.tabIndex = chosen ? 0 : -1;
    }
  }

  private choose(node: string): void {
    this.node = node;
    this.draw();
  }

  /** The elements that a sentence is about. */
  private about(deed: XrayDeed): HTMLElement[] {
    const at = deed.changed.map((id) => (deed.node === null ? this.registry.find(id) : deed.node === this.node ? this.host.find(id) : undefined));
    return at.filter((element) => element !== undefined);
  }

  /** Points out what changed, for a while. */
  private point(deed: XrayDeed): void {
    for (const element of this.about(deed)) {
      clearTimeout(this.timers.get(element));
      element.classList.add("x-fresh");
      this.timers.set(element, setTimeout(() => element.classList.remove("x-fresh"), FRESH));
    }
  }

  private show(deed: XrayDeed): void {
    if (deed.node !== null && deed.node !== this.node) this.choose(deed.node);
    this.point(deed);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.about(deed)[0]?.scrollIntoView({ block: "nearest", inline: "nearest", behavior: still ? "auto" : "smooth" });
  }

  private light(verb: string): void {
    const element = this.verbs.get(verb);
    if (!element) return;
    clearTimeout(this.timers.get(element));
    element.classList.add("x-lit");
    this.timers.set(element, setTimeout(() => element.classList.remove("x-lit"), FRESH));
  }
}
