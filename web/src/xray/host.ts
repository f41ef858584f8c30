import type { XrayContainer, XrayGauge, XrayImage, XrayLayer, XrayNode, XrayUnderWay } from "../api/types";
import { portPath } from "../session/bar";
import { h } from "../ui/dom";
import { Keep, put } from "./keep";
import { type Run, height, runs } from "./stacks";
import { swarm } from "./swarm";
import { count, imageName, instruction, short, size, volumeName } from "./words";

/** More containers than this on one image are drawn small. */
const SMALL = 8;

/** A node's Docker Engine: images as stacks of layers, containers on them, volumes and networks. */
export class Host {
  readonly element = h("div", { class: "x-host" });
  private readonly keep = new Keep();
  private containers = new Map<string, HTMLElement>();

  constructor(private readonly session: string) {}

  /** The elements that show something, by the ids of the server's sentences. */
  find(id: string): HTMLElement | undefined {
    return this.keep.find(id);
  }

  draw(node: XrayNode, gauges: ReadonlyMap<string, XrayGauge>): void {
    this.containers = new Map();
    const onImage = new Map<string, XrayContainer[]>();
    for (const container of node.containers) {
      const others = onImage.get(container.image);
      if (others) others.push(container);
      else onImage.set(container.image, [container]);
    }
    const onLayer = new Map<string, XrayImage[]>();
    for (const image of node.images) {
      if (image.top === null) continue;
      const others = onLayer.get(image.top);
      if (others) others.push(image);
      else onLayer.set(image.top, [image]);
    }
    const forest = runs(node.layers, (id) => onLayer.has(id)).map((run) => this.run(node, run, onLayer, onImage));
    // Images without layers, and containers of images that are gone.
    const bare = node.images.filter((image) => image.top === null);
    for (const image of bare) forest.push(this.bare(`bare:${image.id}`, node, [image], onImage.get(image.id) ?? []));
    const known = new Set(node.images.map((image) => image.id));
    const orphans = node.containers.filter((container) => !known.has(container.image));
    if (orphans.length > 0) forest.push(this.bare("orphans", node, [], orphans));
    const more = [
      node.more_images > 0 ? `and ${count(node.more_images, "more image")}` : "",
      node.more_containers > 0 ? `and ${count(node.more_containers, "more container")}` : "",
    ].filter(Boolean);
    if (more.length > 0) forest.push(h("p", { class: "x-more" }, more.join(", ")));
    const under = node.under_way.map((work, at) => this.work(work, at));
    const yard = this.keep.get("yard", "", () => h("div", { class: "x-yard" }), () => {});
    put(yard, [...under, ...forest]);
    const parts: Node[] = [yard];
    const shelf = this.shelf(node);
    if (shelf) parts.push(shelf);
    if (node.swarm) parts.push(this.keep.get("swarm", node.swarm, () => h("section", { class: "x-swarm" }), (e) => put(e, swarm(node.swarm!))));
    put(this.element, parts);
    this.keep.done();
    for (const id of this.containers.keys()) this.gauge(id, gauges.get(id));
  }

  /** Shows what a container takes. */
  gauge(id: string, gauge: XrayGauge | undefined): void {
    const box = this.containers.get(id);
    if (!box) return;
    const takes = box.querySelector(".x-takes");
    const words = [
      gauge?.cpus != null ? `cpu ${Math.round(gauge.cpus * 100)}%` : "",
      gauge?.memory != null ? size(gauge.memory) : "",
    ].filter(Boolean);
    if (takes && takes.textContent !== words.join(" · ")) takes.textContent = words.join(" · ");
    const written = box.querySelector(".x-written");
    const wrote = gauge?.writable != null ? size(gauge.writable) : "";
    if (written && written.textContent !== wrote) written.textContent = wrote;
  }

  private run(
    node: XrayNode,
    run: Run<XrayLayer>,
    onLayer: ReadonlyMap<string, XrayImage[]>,
    onImage: ReadonlyMap<string, XrayContainer[]>,
  ): HTMLElement {
    const first = run.layers[0]!;
    const top = run.layers.at(-1)!;
    const images = onLayer.get(top.id) ?? [];
    const containers = images.flatMap((image) => onImage.get(image.id) ?? []);
    const above = run.above.map((next) => this.run(node, next, onLayer, onImage));
    const stands = this.keep.get(`above:${first.id}`, "", () => h("div", { class: "x-above" }), () => {});
    put(stands, [...(containers.length > 0 ? [this.crew(`crew:${top.id}`, node, containers)] : []), ...above]);
    const labels = images.map((image) => this.label(image));
    const slabs = [...run.layers].reverse().map((layer) => this.slab(layer));
    const element = this.keep.get(`run:${first.id}`, "", () => h("div", { class: "x-run" }), () => {});
    put(element, [...(stands.childNodes.length > 0 ? [stands] : []), ...labels, ...slabs]);
    return element;
  }

  private bare(key: string, node: XrayNode, images: XrayImage[], containers: XrayContainer[]): HTMLElement {
    const element = this.keep.get(`run:${key}`, "", () => h("div", { class: "x-run" }), () => {});
    const labels: HTMLElement[] = images.map((image) => this.label(image));
    if (images.length === 0) labels.push(h("p", { class: "x-label x-gone" }, "their image has gone"));
    put(element, [...(containers.length > 0 ? [this.crew(`crew:${key}`, node, containers)] : []), ...labels]);
    return element;
  }

  private slab(layer: XrayLayer): HTMLElement {
    return this.keep.get(
      layer.id,
      layer,
      () => h("div", { class: "x-slab", "data-layer": layer.id }),
      (element) => {
        const [verb, rest] = instruction(layer.instruction ?? `layer ${short(layer.id)}`);
        element.style.minHeight = `${height(layer.size)}px`;
        element.title = `${layer.instruction ?? "A layer whose instruction the image does not tell"}\n${size(layer.size)}, ${short(layer.id)}`;
        put(element, [
          h("span", { class: "x-instruction" }, ...(verb ? [h("b", {}, verb), " "] : []), rest),
          h("span", { class: "x-size" }, size(layer.size)),
        ]);
      },
    );
  }

  private label(image: XrayImage): HTMLElement {
    return this.keep.get(
      image.id,
      [image.names, image.size, image.settings],
      () => h("div", { class: "x-label" }),
      (element) => {
        element.title = image.settings.join("\n");
        const names = image.names.length > 0 ? image.names : [imageName(image)];
        put(element, [...names.map((name) => h("span", { class: "x-name" }, name)), h("span", { class: "x-size" }, size(image.size))]);
      },
    );
  }

  private crew(key: string, node: XrayNode, containers: XrayContainer[]): HTMLElement {
    const element = this.keep.get(key, "", () => h("div", { class: "x-crew" }), () => {});
    element.classList.toggle("x-small", containers.length > SMALL);
    element.style.setProperty("--columns", String(Math.min(containers.length, containers.length > SMALL ? 6 : 3)));
    put(element, containers.map((container) => this.container(node, container)));
    return element;
  }

  private container(node: XrayNode, container: XrayContainer): HTMLElement {
    const element = this.keep.get(
      container.id,
      container,
      () => h("div", { class: "x-container", "data-container": container.id }),
      (box) => {
        box.dataset.state = container.state;
        box.title = [container.command, container.status, short(container.id)].filter(Boolean).join("\n");
        const ports = container.ports.filter((port) => port.published !== null);
        put(box, [
          h(
            "div",
            { class: "x-box" },
            h("div", { class: "x-box-head" }, h("span", { class: "x-name" }, container.name), h("span", { class: "x-state" }, container.state === "exited" ? container.status || "exited" : container.state)),
            ...(ports.length > 0 ? [h("div", { class: "x-ports" }, ...ports.map((port) => this.port(node.node, port.published!, port.container, port.protocol)))] : []),
            h("div", { class: "x-takes" }),
            ...(container.volumes.length > 0 ? [h("div", { class: "x-uses" }, `on ${container.volumes.map(volumeName).join(", ")}`)] : []),
          ),
          h("div", { class: "x-writable" }, h("span", {}, "writable layer"), h("span", { class: "x-written" })),
        ]);
      },
    );
    this.containers.set(container.id, element);
    return element;
  }

  private port(node: string, published: number, inside: number, protocol: string): HTMLElement {
    const text = `${published} → ${inside}${protocol === "tcp" ? "" : `/${protocol}`}`;
    if (protocol !== "tcp") return h("span", {}, text);
    const title = `Open port ${published} of ${node} in a new tab`;
    return h("a", { href: portPath(this.session, node, published), target: "_blank", rel: "noopener", title }, text);
  }

  private work(work: XrayUnderWay, at: number): HTMLElement {
    return this.keep.get(
      `work:${at}`,
      work,
      () => h("div", { class: "x-run x-work" }),
      (element) => {
        put(element, [
          h("div", { class: "x-label" }, h("span", { class: "x-name" }, work.kind === "build" ? "Being built" : "Being pulled"), h("span", { class: "x-size" }, work.words)),
          ...[...work.steps].reverse().map((step) => {
            const [verb, rest] = instruction(step.words);
            const slab = h(
              "div",
              { class: step.done ? "x-slab" : "x-slab x-now" },
              h("span", { class: "x-instruction" }, ...(verb ? [h("b", {}, verb), " "] : []), rest),
              h("span", { class: "x-size" }, step.size > 0 ? size(step.size) : ""),
            );
            slab.style.minHeight = `${height(step.size)}px`;
            return slab;
          }),
        ]);
      },
    );
  }

  private shelf(node: XrayNode): HTMLElement | null {
    if (node.volumes.length === 0 && node.networks.length === 0) return null;
    const users = (of: "volumes" | "networks", name: string): string[] => node.containers.filter((c) => c[of].includes(name)).map((c) => c.name);
    const used = (names: string[]): string => (names.length === 0 ? "" : names.length > 3 ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} more` : names.join(", "));
    const chip = (key: string, kind: string, name: string, what: string, by: string[]): HTMLElement =>
      this.keep.get(key, [name, what, by], () => h("li", { class: `x-chip x-${kind}` }), (element) => {
        put(element, [h("span", { class: "x-name" }, name), h("span", { class: "x-what" }, what), ...(by.length > 0 ? [h("span", { class: "x-by" }, used(by))] : [])]);
      });
    const networks = node.networks.map((network) => chip(network.id, "network", network.name, [network.driver, network.subnet].filter(Boolean).join(" "), users("networks", network.name)));
    const volumes = node.volumes.map((volume) => chip(`volume:${volume.name}`, "volume", volumeName(volume.name), volume.driver === "local" ? "" : volume.driver, users("volumes", volume.name)));
    if (node.more_networks > 0) networks.push(h("li", { class: "x-more" }, `and ${node.more_networks} more`));
    if (node.more_volumes > 0) volumes.push(h("li", { class: "x-more" }, `and ${node.more_volumes} more`));
    const row = (key: string, title: string, chips: HTMLElement[]): HTMLElement => {
      const list = this.keep.get(`${key}:list`, "", () => h("ul", { class: "x-chips" }), () => {});
      put(list, chips);
      return this.keep.get(key, "", () => h("section", { class: "x-row" }), (element) => put(element, [h("h4", {}, title), list]));
    };
    const rows = [...(volumes.length > 0 ? [row("volumes", "Volumes", volumes)] : []), ...(networks.length > 0 ? [row("networks", "Networks", networks)] : [])];
    const shelf = this.keep.get("shelf", "", () => h("div", { class: "x-shelf" }), () => {});
    put(shelf, rows);
    return shelf;
  }
}
