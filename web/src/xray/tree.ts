import type { XrayContainer, XrayGauge, XrayLayer, XrayNode } from "../api/types";
import { h } from "../ui/dom";
import type { Picture } from "./picture";
import { count, imageName, short, size, volumeName } from "./words";

/** A line of the tree and what is below it. */
interface Item {
  key: string;
  text: string;
  items: Item[];
}

/** The same facts as a tree, for keyboard and screen reader (WAI-ARIA Authoring Practices, "Tree View"). Its lines are
 * siblings with levels, so that each is called by its own words alone. */
export class Tree {
  readonly element = h("div", { class: "x-tree", role: "tree", "aria-label": "What Docker holds" });
  private readonly closed = new Set<string>();
  private readonly opened = new Set<string>();
  private items: Item[] = [];
  private lines: { item: Item; level: number; element: HTMLElement }[] = [];
  private current = "";
  private shows = "";

  constructor() {
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("click", (event) => {
      const line = this.lines.find(({ element }) => element.contains(event.target as Node));
      if (!line) return;
      this.current = line.item.key;
      if (line.item.items.length > 0) this.toggle(line.item, line.level, !this.isOpen(line.item, line.level));
      this.focus(this.current);
    });
  }

  draw(picture: Picture): void {
    const items = [...picture.nodes.map((node) => nodeItem(node, picture.gauges)), registryItem(picture)];
    const text = JSON.stringify(items);
    if (text === this.shows) return;
    this.shows = text;
    this.items = items;
    this.lay();
  }

  private lay(): void {
    const had = this.element.contains(document.activeElement);
    this.lines = [];
    const add = (items: Item[], level: number): void => {
      items.forEach((item, at) => {
        const attributes = { role: "treeitem", tabindex: "-1", class: "x-line", "aria-level": String(level), "aria-setsize": String(items.length), "aria-posinset": String(at + 1) };
        const element = h("div", attributes, item.text);
        element.style.setProperty("--level", String(level - 1));
        this.lines.push({ item, level, element });
        if (item.items.length === 0) return;
        const open = this.isOpen(item, level);
        element.ariaExpanded = String(open);
        if (open) add(item.items, level + 1);
      });
    };
    add(this.items, 1);
    this.element.replaceChildren(...this.lines.map(({ element }) => element));
    const now = this.lines.find(({ item }) => item.key === this.current) ?? this.lines[0];
    if (!now) return;
    now.element.tabIndex = 0;
    if (had) now.element.focus();
  }

  /** Two levels are open at first. */
  private isOpen(item: Item, level: number): boolean {
    return !this.closed.has(item.key) && (level <= 2 || this.opened.has(item.key));
  }

  private toggle(item: Item, level: number, open: boolean): void {
    if (open === this.isOpen(item, level)) return;
    (open ? this.closed : this.opened).delete(item.key);
    (open ? this.opened : this.closed).add(item.key);
    this.lay();
  }

  private focus(key: string | undefined): void {
    const line = this.lines.find(({ item }) => item.key === key);
    if (!line) return;
    for (const { element } of this.lines) element.tabIndex = element === line.element ? 0 : -1;
    this.current = line.item.key;
    line.element.focus();
  }

  private key(event: KeyboardEvent): void {
    const at = this.lines.findIndex(({ element }) => element === event.target);
    const line = this.lines[at];
    if (!line || event.ctrlKey || event.altKey || event.metaKey) return;
    this.current = line.item.key;
    const { item, level } = line;
    const holds = item.items.length > 0;
    const go = (to: number): void => this.focus(this.lines[to]?.item.key);
    switch (event.key) {
      case "ArrowDown":
        go(at + 1);
        break;
      case "ArrowUp":
        go(at - 1);
        break;
      case "Home":
        go(0);
        break;
      case "End":
        go(this.lines.length - 1);
        break;
      case "ArrowRight":
        if (holds && !this.isOpen(item, level)) this.toggle(item, level, true);
        else if (holds) go(at + 1);
        break;
      case "ArrowLeft":
        if (holds && this.isOpen(item, level)) this.toggle(item, level, false);
        else go(this.lines.findLastIndex((other, n) => n < at && other.level < level));
        break;
      case "Enter":
      case " ":
        if (holds) this.toggle(item, level, !this.isOpen(item, level));
        break;
      default:
        return;
    }
    event.preventDefault();
  }
}

const leaf = (key: string, text: string): Item => ({ key, text, items: [] });

function nodeItem(node: XrayNode, gauges: ReadonlyMap<string, XrayGauge>): Item {
  const at = `node:${node.node}`;
  if (node.engine !== "ready") return leaf(at, `${node.node}: the Docker Engine is ${node.engine === "asleep" ? "asleep and starts with the first docker command" : node.engine}`);
  const layers = new Map(node.layers.map((layer) => [layer.id, layer]));
  const stack = (top: string | null): XrayLayer[] => {
    const found: XrayLayer[] = [];
    for (let layer = top === null ? undefined : layers.get(top); layer; layer = layer.parent === null ? undefined : layers.get(layer.parent)) found.push(layer);
    return found;
  };
  const inImages = new Map<string, string[]>();
  for (const image of node.images) for (const layer of stack(image.top)) inImages.set(layer.id, [...(inImages.get(layer.id) ?? []), imageName(image)]);
  const images = node.images.map((image): Item => {
    const below = stack(image.top);
    const layerItems = below.map((layer) => {
      const others = (inImages.get(layer.id) ?? []).filter((name) => name !== imageName(image));
      const shared = others.length > 0 ? `, shared with ${others.slice(0, 3).join(", ")}${others.length > 3 ? ` and ${others.length - 3} more` : ""}` : "";
      return leaf(`${image.id} ${layer.id}`, `${layer.instruction ?? `layer ${short(layer.id)}`}, ${size(layer.size)}${shared}`);
    });
    const containers = node.containers.filter((container) => container.image === image.id).map((container) => containerItem(`${image.id}/`, container, gauges));
    const items = [...containers, { key: `${image.id} layers`, text: `${count(below.length, "layer")}, the topmost first`, items: layerItems }];
    return { key: image.id, text: `${image.names.join(", ") || imageName(image)}, ${count(below.length, "layer")}, ${size(image.size)}${containers.length > 0 ? `, ${count(containers.length, "container")}` : ""}`, items };
  });
  const more = (n: number): Item[] => (n > 0 ? [leaf(`${at} more ${n}`, `and ${n} more`)] : []);
  const running = node.containers.filter((container) => container.state === "running").length;
  const items: Item[] = [
    ...node.under_way.map((work, n): Item => ({
      key: `${at} work ${n}`,
      text: `${work.kind === "build" ? "Being built" : "Being pulled"}: ${work.words}`,
      items: work.steps.map((step, s) => leaf(`${at} work ${n} ${s}`, `${step.words}${step.size > 0 ? `, ${size(step.size)}` : ""}, ${step.done ? "done" : "under way"}`)),
    })),
    { key: `${at} images`, text: count(node.images.length + node.more_images, "image"), items: [...images, ...more(node.more_images)] },
    {
      key: `${at} containers`,
      text: `${count(node.containers.length + node.more_containers, "container")}, ${running} running`,
      items: [...node.containers.map((container) => containerItem("", container, gauges)), ...more(node.more_containers)],
    },
    { key: `${at} volumes`, text: count(node.volumes.length + node.more_volumes, "volume"), items: [...node.volumes.map((v) => leaf(`${at} v ${v.name}`, `${volumeName(v.name)}${usedBy(node, "volumes", v.name)}`)), ...more(node.more_volumes)] },
    { key: `${at} networks`, text: count(node.networks.length + node.more_networks, "network"), items: [...node.networks.map((n) => leaf(n.id, `${n.name}, ${n.driver}${n.subnet ? `, ${n.subnet}` : ""}${usedBy(node, "networks", n.name)}`)), ...more(node.more_networks)] },
  ];
  if (node.swarm) {
    const { nodes, services, tasks } = node.swarm;
    const name = (id: string): string => nodes.find((n) => n.id === id)?.name ?? short(id);
    items.push({
      key: `${at} swarm`,
      text: `Swarm of ${count(nodes.length, "node")}, ${count(services.length, "service")}`,
      items: [
        ...nodes.map((n) => leaf(`${at} sn ${n.id}`, `${n.name}, ${n.leader ? "manager, leader" : n.role}, ${n.state}, ${n.availability}`)),
        ...services.map((service): Item => ({
          key: `${at} ss ${service.id}`,
          text: `${service.name} from ${service.image}, ${service.running}${service.replicas === null ? "" : ` of ${service.replicas}`} running`,
          items: tasks.filter((task) => task.service === service.id).map((task) => leaf(`${at} st ${task.id}`, `${service.name}${task.slot === null ? "" : `.${task.slot}`}, ${task.state}${task.node === null ? "" : ` on ${name(task.node)}`}`)),
        })),
      ],
    });
  }
  return { key: at, text: `${node.node}: Docker Engine`, items };
}

function usedBy(node: XrayNode, of: "volumes" | "networks", name: string): string {
  const users = node.containers.filter((container) => container[of].includes(name)).map((container) => container.name);
  return users.length === 0 ? "" : `, used by ${users.slice(0, 5).join(", ")}${users.length > 5 ? ` and ${users.length - 5} more` : ""}`;
}

function containerItem(before: string, container: XrayContainer, gauges: ReadonlyMap<string, XrayGauge>): Item {
  const key = `${before}${container.id}`;
  const gauge = gauges.get(container.id);
  const ports = container.ports.map((port) => (port.published === null ? `${port.container}, not published` : `${port.published} leads to ${port.container}`));
  const facts = [
    `runs ${container.command}`,
    ...(ports.length > 0 ? [`port ${ports.join(", ")}`] : []),
    ...(gauge?.writable != null ? [`writable layer of ${size(gauge.writable)}`] : ["writable layer"]),
    ...(gauge?.memory != null ? [`takes ${gauge.cpus == null ? "" : `${Math.round(gauge.cpus * 100)}% of a processor and `}${size(gauge.memory)} of memory`] : []),
    ...(container.volumes.length > 0 ? [`volumes ${container.volumes.map(volumeName).join(", ")}`] : []),
    ...(container.networks.length > 0 ? [`networks ${container.networks.join(", ")}`] : []),
  ];
  return { key, text: `container ${container.name}, ${container.state === "running" ? "running" : container.status || container.state}, from ${container.image_name}`, items: facts.map((text, n) => leaf(`${key} ${n}`, text)) };
}

function registryItem(picture: Picture): Item {
  const { images, more } = picture.registry;
  return {
    key: "registry",
    text: `Registry, ${count(images.length + more, "tag")}`,
    items: images.map((image) => ({
      key: `registry:${image.name}`,
      text: `${image.name}, ${count(image.layers.length, "layer")}, digest ${short(image.digest)}`,
      items: [...image.layers].reverse().map((layer, n) => leaf(`registry:${image.name} ${n}`, `${short(layer.digest)}, ${size(layer.size)} compressed${layer.catalogue ? ", also in the catalogue" : ""}`)),
    })),
  };
}
