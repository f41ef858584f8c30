import type { SessionApi } from "../api/client";
import type { NodeView } from "../api/types";
import { h, withCode } from "../ui/dom";

/** What a variable stands for, in words, and what of it can be shown before a click asks for the rest. */
interface Meaning {
  deed: string;
  sketch(manager: string | null): string;
}

const MEANINGS: Record<string, Meaning> = {
  "swarm.join": { deed: "join the swarm as a worker", sketch: (at) => `docker swarm join --token … ${at ?? "…"}` },
  "swarm.join.manager": { deed: "join the swarm as a manager", sketch: (at) => `docker swarm join --token … ${at ?? "…"}` },
};

/** A command in which variables of the session stand: `{{swarm.join}}`. */
export class VariableCommand {
  /** What it does, in words. */
  readonly deed: string;
  private readonly spans: { span: HTMLElement; name: string }[] = [];
  private readonly note = h("p", { class: "cmd-note" });
  private why: string | null = null;
  private listeners: ((ready: boolean) => void)[] = [];

  /** The command of a figure, where it has variables. */
  static of(figure: HTMLElement, code: HTMLElement, api: SessionApi): VariableCommand | null {
    const names = figure.dataset.variables?.split(" ").filter((name) => name in MEANINGS) ?? [];
    return names.length > 0 ? new VariableCommand(figure, code, api, names) : null;
  }

  private constructor(
    figure: HTMLElement,
    code: HTMLElement,
    private readonly api: SessionApi,
    private readonly names: string[],
  ) {
    this.node = figure.dataset.node ?? "node1";
    this.text = code.textContent ?? "";
    this.deed = names.map((name) => MEANINGS[name]!.deed).join(", ");
    code.replaceChildren(
      ...this.text.split(/(\{\{[a-z0-9.]+\}\})/).map((part) => {
        const name = part.slice(2, -2);
        if (!part.startsWith("{{") || !names.includes(name)) return part;
        const span = h("span", { class: "variable" });
        this.spans.push({ span, name });
        return span;
      }),
    );
    figure.append(this.note);
    this.show([]);
  }

  private readonly node: string;
  private readonly text: string;

  /** Calls back now and whenever the command can be run or no longer can. */
  onReady(listener: (ready: boolean) => void): void {
    this.listeners.push(listener);
    listener(this.why === null);
  }

  /** Why it cannot be run now; null where it can. */
  get obstacle(): string | null {
    return this.why;
  }

  /** What the session's nodes are now. */
  show(nodes: NodeView[]): void {
    const manager = nodes.find((node) => node.swarm === "manager" && node.name !== this.node);
    const own = nodes.find((node) => node.name === this.node);
    if (own?.swarm) this.why = `${this.node} is in the swarm, as a ${own.swarm}.`;
    else if (!manager) this.why = "No swarm yet: run `docker swarm init` on another node first.";
    else if (!own) this.why = `There is no ${this.node} yet: add it with + in the bar.`;
    else this.why = null;
    for (const { span, name } of this.spans) {
      span.textContent = MEANINGS[name]!.sketch(manager ? `${manager.address}:2377` : null);
      span.dataset.known = String(this.why === null);
    }
    this.note.replaceChildren(...withCode(this.why ?? `A click types it on ${this.node} with the swarm’s token.`));
    this.note.dataset.ready = String(this.why === null);
    for (const listener of this.listeners) listener(this.why === null);
  }

  /** The command with what its variables stand for now. */
  async resolve(): Promise<string> {
    let text = this.text.replace(/\n$/, "");
    for (const name of this.names) text = text.replaceAll(`{{${name}}}`, await this.api.variable(this.node, name));
    return text;
  }
}
