import type { XrayDeed, XrayGauge, XrayMessage, XrayNode, XrayRegistry } from "../api/types";

/** Sentences that are kept. */
const DEEDS = 60;

/** The picture as the server last told it. */
export class Picture {
  nodes: XrayNode[] = [];
  registry: XrayRegistry = { images: [], more: 0 };
  deeds: XrayDeed[] = [];
  readonly gauges = new Map<string, XrayGauge>();

  /** Takes a message; answers which sentences are new. */
  take(message: XrayMessage): XrayDeed[] {
    switch (message.type) {
      case "picture": {
        const last = this.deeds.at(-1)?.number ?? 0;
        this.nodes = message.picture.nodes;
        this.registry = message.picture.registry;
        this.deeds = message.deeds;
        return this.deeds.filter((deed) => deed.number > last && last > 0);
      }
      case "node":
        this.nodes = this.nodes.map((node) => (node.node === message.node.node ? message.node : node));
        return [];
      case "registry":
        this.registry = message.registry;
        return [];
      case "under-way":
        this.nodes = this.nodes.map((node) => (node.node === message.node ? { ...node, under_way: message.under_way } : node));
        return [];
      case "gauges":
        for (const gauge of message.gauges) this.gauges.set(gauge.container, gauge);
        return [];
      case "deeds":
        this.deeds = [...this.deeds, ...message.deeds].slice(-DEEDS);
        return message.deeds;
    }
  }

  node(name: string): XrayNode | undefined {
    return this.nodes.find((node) => node.node === name) ?? this.nodes[0];
  }
}
