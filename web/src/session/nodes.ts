import type { SessionApi } from "../api/client";
import type { DockerState, NodeView, SwarmRole, UsageView } from "../api/types";
import { ask } from "../ui/dialog";
import { setUpDisclosure } from "../ui/disclosure";
import { h, need } from "../ui/dom";
import { toast } from "../ui/toast";
import { may } from "./rights";
import { UsageMeters } from "./usage";

const DOCKER: Record<Exclude<DockerState, "absent">, { short: string; long: string }> = {
  stopped: { short: "Docker asleep", long: "The Docker Engine starts with your first docker command." },
  starting: { short: "Docker starting…", long: "The Docker Engine is starting; commands typed now wait for it." },
  ready: { short: "Docker ready", long: "The Docker Engine answers." },
  failed: { short: "Docker failed", long: "The Docker Engine stopped several times; it is started again in a while. See /var/log/dockerd.log." },
};

/** What a node has to say of Docker; one whose lab image has none says which image it is. */
function dockerOf(node: NodeView): { short: string; long: string } {
  if (node.docker !== "absent") return DOCKER[node.docker];
  return { short: node.image, long: `Lab image “${node.image}”, without a Docker Engine.` };
}

const ROLE: Record<SwarmRole, string> = { manager: "Manager of the swarm", worker: "Worker of the swarm" };

/** What the page does for the list of nodes. */
export interface NodeDeeds {
  /** Shows a terminal of a node that is there. */
  showTerminal(node: string): void;
  /** Opens one more terminal on a node. */
  newTerminal(node: string): void;
}

interface Chip {
  element: HTMLElement;
  button: HTMLButtonElement;
  show(node: NodeView, all: NodeView[]): void;
  showUsage(usage: UsageView): void;
  close(): void;
}

/** The session's nodes in its bar, each with a panel of what can be done with it, and the button that adds one. */
export class Nodes {
  private readonly list = need(".nodes");
  private readonly add = need<HTMLButtonElement>("[data-add-node]");
  private readonly chips = new Map<string, Chip>();
  private all: NodeView[] = [];

  constructor(
    private readonly api: SessionApi,
    private readonly most: number,
    private readonly routingMesh: boolean,
    private readonly deeds: NodeDeeds,
  ) {
    this.add.addEventListener("click", () => void this.addNode());
  }

  show(nodes: NodeView[]): void {
    this.all = nodes;
    for (const [name, chip] of this.chips) {
      if (nodes.some((node) => node.name === name)) continue;
      if (chip.element.contains(document.activeElement)) this.add.focus();
      chip.element.remove();
      this.chips.delete(name);
    }
    nodes.forEach((node, index) => {
      let chip = this.chips.get(node.name);
      if (!chip) {
        chip = this.chip(node.name);
        this.chips.set(node.name, chip);
      }
      if (this.list.children[index] !== chip.element) this.list.insertBefore(chip.element, this.list.children[index] ?? null);
      chip.show(node, nodes);
    });
    this.list.dataset.count = String(nodes.length);
    this.add.hidden = this.most < 2 || !may("own");
    this.add.disabled = nodes.length >= this.most;
    this.add.title = nodes.length >= this.most ? `A session has at most ${this.most} nodes` : "Add a node";
  }

  /** What a node uses now. */
  showUsage(node: string, usage: UsageView): void {
    this.chips.get(node)?.showUsage(usage);
  }

  private chip(name: string): Chip {
    const id = `node-panel-${name}`;
    const lamp = h("span", { class: "lamp", "aria-hidden": "true" });
    const [state, role] = [h("span", { class: "node-docker" }), h("span", { class: "node-role" })];
    const meters = new UsageMeters();
    const button = h(
      "button",
      { type: "button", class: "node-button", "aria-controls": id },
      lamp,
      // Apart in words too, as the label has them.
      h("span", { class: "node-name" }, name),
      " ",
      role,
      " ",
      state,
      meters.bars,
    );
    const [address, docker, swarm] = [h("code"), h("p"), h("p")];
    const act = (label: string, deed: () => unknown, kind = ""): HTMLButtonElement => {
      const made = h("button", { type: "button", class: `node-deed ${kind}` }, label);
      made.addEventListener("click", () => {
        fold.close();
        void deed();
      });
      return made;
    };
    const terminal = act("New terminal here", () => this.deeds.newTerminal(name));
    const asWorker = act("", () => this.join(name, "worker"));
    const asManager = act("Join the swarm as a manager", () => this.join(name, "manager"));
    const remove = act("Remove this node…", () => this.remove(name), "danger");
    const panel = h(
      "div",
      { class: "node-panel", id, role: "group", "aria-label": name },
      h("p", { class: "node-panel-head" }, h("strong", {}, name), " ", address),
      docker,
      swarm,
      meters.table,
      terminal,
      asWorker,
      asManager,
      remove,
    );
    const element = h("span", { class: "node" }, button, panel);
    const fold = setUpDisclosure(button, panel);
    const show = (node: NodeView, all: NodeView[]): void => {
      element.dataset.docker = node.docker;
      lamp.hidden = node.docker === "absent";
      state.textContent = dockerOf(node).short;
      role.replaceChildren(
        ...(node.swarm
          ? [h("span", { "aria-hidden": "true" }, node.swarm[0]!.toUpperCase()), h("span", { class: "visually-hidden" }, ROLE[node.swarm])]
          : []),
      );
      button.title = `${name} (${node.address}): ${dockerOf(node).long}${node.swarm ? ` ${ROLE[node.swarm]}.` : ""}`;
      address.textContent = node.address;
      docker.textContent = dockerOf(node).long;
      const several = all.length > 1;
      const manager = all.some((other) => other.swarm === "manager");
      swarm.hidden = !several && !node.swarm;
      const mesh = this.routingMesh ? "" : " The kernel here has no IP_VS: give services endpoint-mode dnsrr, and publish ports with mode=host.";
      swarm.textContent = (node.swarm ? `${ROLE[node.swarm]}.` : manager ? "Not in the swarm yet." : "There is no swarm yet.") + mesh;
      terminal.hidden = !may("type");
      const joins = several && !node.swarm && node.docker !== "absent" && may("own");
      asWorker.hidden = !joins;
      asWorker.textContent = manager ? "Join the swarm as a worker" : "Make a swarm, with this node as its manager";
      asManager.hidden = !joins || !manager;
      remove.hidden = !several || !may("own");
    };
    return { element, button, show, showUsage: (usage) => meters.show(usage), close: () => fold.close() };
  }

  private async addNode(): Promise<void> {
    this.add.disabled = true;
    this.add.classList.add("busy");
    try {
      const node = await this.api.addNode();
      if (!this.all.some((other) => other.name === node.name)) this.show([...this.all, node]);
      this.deeds.showTerminal(node.name);
    } catch (error) {
      toast(`No further node: ${(error as Error).message}`, "alert");
    } finally {
      this.add.classList.remove("busy");
      this.show(this.all);
    }
  }

  private async join(name: string, role: SwarmRole): Promise<void> {
    const done = toast(`${name} is joining the swarm…`);
    try {
      const node = await this.api.joinSwarm(name, role);
      this.show(this.all.map((other) => (other.name === name ? node : other)));
      toast(node.swarm ? `${name} is now a ${node.swarm} of the swarm.` : `${name} has joined.`, "good");
    } catch (error) {
      toast(`${name} did not join: ${(error as Error).message}`, "alert");
    } finally {
      done();
    }
  }

  private async remove(name: string): Promise<void> {
    need("#remove-node-dialog .which").textContent = name;
    if ((await ask("#remove-node-dialog")) !== "remove") return this.chips.get(name)?.button.focus();
    try {
      await this.api.removeNode(name);
      this.show(this.all.filter((node) => node.name !== name));
    } catch (error) {
      toast(`${name} is still there: ${(error as Error).message}`, "alert");
    }
  }
}
