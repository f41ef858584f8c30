import type { XrayNode, XrayRegistry } from "../api/types";
import { h } from "../ui/dom";
import { Keep, put } from "./keep";
import { type LayerLike, type Run, height, runs } from "./stacks";
import { instruction, short, size } from "./words";

interface Blob extends LayerLike {
  digest: string;
  size: number;
}

/** The registry: each tag on the stack of layers that it holds, compressed. */
export class RegistryView {
  readonly element = h("div", { class: "x-yard" });
  private readonly keep = new Keep();

  find(id: string): HTMLElement | undefined {
    return this.keep.find(id);
  }

  draw(registry: XrayRegistry, nodes: readonly XrayNode[]): void {
    const blobs = new Map<string, Blob>();
    const tops = new Map<string, XrayRegistry["images"]>();
    for (const image of registry.images) {
      let below: string | null = null;
      for (const layer of image.layers) {
        // Without a chain id the same layer on another is another.
        const id: string = layer.id ?? `${below ?? ""} ${layer.digest}`;
        if (!blobs.has(id)) blobs.set(id, { id, parent: below, digest: layer.digest, size: layer.size });
        below = id;
      }
      if (below === null) continue;
      tops.set(below, [...(tops.get(below) ?? []), image]);
    }
    const instructions = new Map(nodes.flatMap((node) => node.layers.map((layer) => [layer.id, layer.instruction] as const)));
    const forest = runs([...blobs.values()], (id) => tops.has(id)).map((run) => this.run(run, tops, instructions));
    if (registry.images.length === 0) forest.push(h("p", { class: "x-empty" }, "Empty so far. docker push brings layers here."));
    if (registry.more > 0) forest.push(h("p", { class: "x-more" }, `and ${registry.more} more`));
    put(this.element, forest);
    this.keep.done();
  }

  private run(run: Run<Blob>, tops: ReadonlyMap<string, XrayRegistry["images"]>, instructions: ReadonlyMap<string, string | null>): HTMLElement {
    const images = tops.get(run.layers.at(-1)!.id) ?? [];
    const key = run.layers[0]!.id;
    const stands = this.keep.get(`above:${key}`, "", () => h("div", { class: "x-above" }), () => {});
    put(stands, run.above.map((next) => this.run(next, tops, instructions)));
    const labels = images.map((image) =>
      this.keep.get(`registry:${image.name}`, [image.name, image.digest], () => h("div", { class: "x-label" }), (element) => {
        element.title = `${image.name}\n${image.digest}`;
        put(element, [h("span", { class: "x-name" }, image.name.replace(/^[^/]+\//, "")), h("span", { class: "x-size" }, short(image.digest))]);
      }),
    );
    const slabs = [...run.layers].reverse().map((blob) => {
      const made = instructions.get(blob.id) ?? null;
      return this.keep.get(`blob:${blob.digest}`, [blob, made], () => h("div", { class: "x-slab" }), (element) => {
        const [verb, rest] = instruction(made ?? short(blob.digest));
        element.style.minHeight = `${height(blob.size)}px`;
        element.title = `${made ?? ""}\n${size(blob.size)} compressed, ${blob.digest}`;
        put(element, [h("span", { class: "x-instruction" }, ...(verb ? [h("b", {}, verb), " "] : []), rest), h("span", { class: "x-size" }, size(blob.size))]);
      });
    });
    const element = this.keep.get(`run:${key}`, "", () => h("div", { class: "x-run" }), () => {});
    put(element, [...(run.above.length > 0 ? [stands] : []), ...labels, ...slabs]);
    return element;
  }
}
