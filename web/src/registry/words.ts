// What the registry's contents mean in words. Nothing here knows a page.
import type { RegistryContents, PushedLayer, PushedTag } from "../api/types";

/** The registry's address, as every node of a session knows it. */
export const REGISTRY = "registry.lab:5000";

/** Where a layer comes from, or who else has it. */
export type Sharing = "catalogue" | "shared" | "own";

/** Bytes as Docker writes them: decimal, with three digits at most. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** A digest as Docker shortens it. */
export function shortDigest(digest: string): string {
  return digest.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]+$/, "$1");
}

/** How long ago something was, roughly. */
export function ago(at: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(at)) / 1000);
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 45) return "just now";
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  if (hours < 48) return `${hours} h ago`;
  return `${Math.round(hours / 24)} days ago`;
}

export function sharing(layer: PushedLayer): Sharing {
  if (layer.catalogue.length > 0) return "catalogue";
  return layer.shared_with.length > 0 ? "shared" : "own";
}

/** Who else has a layer. */
export function sharedWords(layer: PushedLayer): string {
  const [image] = layer.catalogue;
  if (image) return `from the catalogue: ${image}`;
  if (layer.shared_with.length === 0) return "only here";
  return `shared with ${list(layer.shared_with, 2)}`;
}

/** An image's layers in one sentence. */
export function layersWords(tag: PushedTag): string {
  const count = { catalogue: 0, shared: 0, own: 0 };
  let own = 0;
  for (const layer of tag.layers) {
    const kind = sharing(layer);
    count[kind] += 1;
    if (kind === "own") own += layer.size;
  }
  const parts = [
    count.catalogue > 0 ? `${count.catalogue} from the catalogue` : "",
    count.shared > 0 ? `${count.shared} shared with other tags` : "",
    count.own > 0 ? `${count.own} only here, ${bytes(own)}` : "",
  ].filter(Boolean);
  const total = plural(tag.layers.length, "layer");
  return parts.length > 0 ? `${total}: ${parts.join("; ")}` : total;
}

/** What goes and what stays when a tag is deleted. */
export function deletingTag(repository: string, tag: PushedTag, all: RegistryContents): string[] {
  const others = all.repositories.find((r) => r.name === repository)?.tags ?? [];
  const same = others.filter((t) => t.digest === tag.digest && t.name !== tag.name).map((t) => t.name);
  if (same.length > 0) {
    const stay = same.length === 1 ? "names" : "name";
    return [`Only the name goes: ${list(same, 3)} still ${stay} the same image.`, ELSEWHERE];
  }
  return [freed(tag.layers.filter((l) => sharing(l) === "own")), ELSEWHERE];
}

/** What goes and what stays when a repository is deleted. */
export function deletingRepository(repository: string, all: RegistryContents): string[] {
  const tags = all.repositories.find((r) => r.name === repository)?.tags ?? [];
  const inside = (holder: string): boolean => holder.startsWith(`${repository}:`);
  const gone = new Map<string, PushedLayer>();
  for (const layer of tags.flatMap((t) => t.layers)) {
    if (layer.catalogue.length === 0 && layer.shared_with.every(inside)) gone.set(layer.digest, layer);
  }
  const names = tags.map((t) => t.name);
  const which = names.length === 1 ? "Its tag goes" : names.length === 2 ? "Both tags go" : `All ${names.length} tags go`;
  return [names.length > 0 ? `${which}: ${list(names, 5)}.` : "", freed([...gone.values()]), ELSEWHERE].filter(Boolean);
}

const ELSEWHERE = "Images that a node has built or pulled stay on that node, and can be pushed again.";

function freed(layers: PushedLayer[]): string {
  if (layers.length === 0) return "No layer goes with it: something else uses each of them.";
  const size = bytes(layers.reduce((sum, l) => sum + l.size, 0));
  return layers.length === 1
    ? `1 layer goes with it that nothing else here uses, ${size}.`
    : `${layers.length} layers go with it that nothing else here uses, ${size}.`;
}

/** A command that starts an image: published where the image says that it listens. */
export function runCommand(reference: string, tag: PushedTag): string {
  const [port] = tag.ports;
  if (port === undefined) return `docker run --rm -it ${reference}`;
  return `docker run -d -p ${port < 1024 ? 8000 + port : port}:${port} ${reference}`;
}

/** What changed from one listing to the next, in sentences, and the keys (`repository:tag`) of what is new. */
export function changes(before: RegistryContents, after: RegistryContents): { words: string[]; fresh: Set<string> } {
  const old = digests(before);
  const now = digests(after);
  const words: string[] = [];
  const fresh = new Set<string>();
  for (const [key, digest] of now) {
    const was = old.get(key);
    if (was === digest) continue;
    fresh.add(key);
    words.push(was === undefined ? `${key} was pushed.` : `${key} now names another image.`);
  }
  for (const key of old.keys()) if (!now.has(key)) words.push(`${key} was deleted.`);
  return { words, fresh };
}

/** `2 tags`, `1 tag`. */
export function plural(count: number, what: string): string {
  return `${count} ${count === 1 ? what : what.endsWith("y") ? `${what.slice(0, -1)}ies` : `${what}s`}`;
}

function digests(contents: RegistryContents): Map<string, string> {
  return new Map(contents.repositories.flatMap((r) => r.tags.map((t) => [`${r.name}:${t.name}`, t.digest] as const)));
}

function list(names: string[], most: number): string {
  if (names.length <= most) return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : (names[0] ?? "");
  return `${names.slice(0, most).join(", ")} and others`;
}
