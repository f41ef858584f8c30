import type { PushedLayer, PushedRepository, PushedTag, RegistryContents } from "../api/types";
import { copyButton } from "../lesson/commands";
import type { PanelContext } from "../session/panels";
import { h, icon } from "../ui/dom";
import { commandLine } from "./command";
import { REGISTRY, ago, bytes, layersWords, plural, runCommand, sharedWords, sharing, shortDigest } from "./words";

/** What the view shows and what it tells of clicks. */
export interface ViewOptions {
  context: PanelContext;
  /** The node that commands run on. */
  node(): string;
  /** Tags that are unfolded, as `repository:tag`. */
  open: Set<string>;
  /** Tags that have just come. */
  fresh: Set<string>;
  deleteTag(repository: string, tag: PushedTag): void;
  deleteRepository(repository: string): void;
}

/** The whole list. */
export function contentsView(contents: RegistryContents, options: ViewOptions): HTMLElement[] {
  const list = contents.repositories.map((repository) => repositoryView(repository, options));
  if (contents.left_off > 0) {
    list.push(h("p", { class: "reg-note" }, `${contents.left_off} more are not shown: this is as much as the page holds.`));
  }
  return list;
}

/** What there is when nothing has been pushed: how to. */
export function emptyView(context: PanelContext, node: () => string): HTMLElement {
  const reference = `${REGISTRY}/me/hello:1.0`;
  const step = (words: string, command: string): HTMLElement => h("li", {}, h("p", {}, words), commandLine(command, context, node));
  return h(
    "div",
    { class: "reg-empty" },
    h("h3", {}, "Nothing has been pushed yet"),
    h("p", {}, "This session has a registry of its own, ", h("code", {}, REGISTRY), ". All its nodes push to it and pull from it; nobody else sees it."),
    h(
      "ol",
      {},
      step("Take an image, or build one:", "docker pull busybox"),
      step("Give it a name that begins with the registry's address:", `docker tag busybox ${reference}`),
      step("Push it:", `docker push ${reference}`),
    ),
  );
}

function repositoryView(repository: PushedRepository, options: ViewOptions): HTMLElement {
  const { name } = repository;
  const id = `reg-${slug(name)}`;
  const remove = deleteButton(`Delete the repository ${name}`, `repo ${name}`);
  remove.addEventListener("click", () => options.deleteRepository(name));
  const tags = repository.tags.map((tag) => tagView(name, tag, options));
  const nothing = h("p", { class: "reg-note" }, "No tag is left here. What was pushed without one, or lost it, still takes room.");
  return h(
    "section",
    { class: "reg-repository", "aria-labelledby": id },
    h("header", { class: "reg-repository-head" }, h("h3", { id }, name), h("span", { class: "reg-count" }, plural(tags.length, "tag")), remove),
    ...(tags.length > 0 ? [h("ul", { class: "reg-tags" }, ...tags)] : [nothing]),
  );
}

function tagView(repository: string, tag: PushedTag, options: ViewOptions): HTMLElement {
  const key = `${repository}:${tag.name}`;
  const id = `reg-${slug(key)}`;
  const open = options.open.has(key);
  const more = h("div", { class: "reg-more", id, hidden: !open });
  if (open) more.append(...details(repository, tag, options));
  const toggle = h(
    "button",
    { type: "button", class: "reg-toggle", "aria-expanded": String(open), "aria-controls": id, "aria-label": key, "data-key": `tag ${key}` },
    icon("right"),
    h("span", { class: "reg-tag-name" }, tag.name),
  );
  toggle.addEventListener("click", () => {
    const opens = more.hidden;
    more.hidden = !opens;
    toggle.setAttribute("aria-expanded", String(opens));
    if (opens) options.open.add(key);
    else options.open.delete(key);
    if (opens && !more.hasChildNodes()) more.append(...details(repository, tag, options));
  });
  const copy = copyButton(tag.digest);
  copy.setAttribute("aria-label", `Copy the digest of ${key}`);
  copy.title = "Copy the whole digest";
  return h(
    "li",
    { class: options.fresh.has(key) ? "reg-tag fresh" : "reg-tag" },
    h(
      "div",
      { class: "reg-row" },
      toggle,
      h("span", { class: "reg-digest" }, h("code", { title: tag.digest }, shortDigest(tag.digest)), copy),
      h("span", { class: "reg-size" }, bytes(tag.size)),
      time(tag.pushed_at),
    ),
    strip(tag.layers),
    h("p", { class: "reg-words" }, layersWords(tag)),
    more,
  );
}

/** When something was pushed; `[data-at]` is brought up to date by whoever shows it. */
function time(at: string): HTMLElement {
  return h("time", { class: "reg-age", datetime: at, "data-at": at, title: new Date(at).toLocaleString() }, ago(at, Date.now()));
}

/** An image's layers side by side, as wide as they are large. The words below say the same. */
function strip(layers: PushedLayer[]): HTMLElement {
  const bar = h("div", { class: "reg-strip", "aria-hidden": "true" });
  for (const layer of layers) {
    const part = h("span", { "data-sharing": sharing(layer), title: `${bytes(layer.size)}, ${sharedWords(layer)}` });
    part.style.flexGrow = String(Math.max(1, layer.size));
    bar.append(part);
  }
  return bar;
}

function details(repository: string, tag: PushedTag, { context, node, deleteTag }: ViewOptions): HTMLElement[] {
  const reference = `${REGISTRY}/${repository}:${tag.name}`;
  const remove = h("button", { type: "button", class: "button small", "data-key": `delete ${repository}:${tag.name}` }, icon("bin"), "Delete this tag");
  remove.addEventListener("click", () => deleteTag(repository, tag));
  const largest = Math.max(1, ...tag.layers.map((l) => l.size));
  return [
    h(
      "div",
      { class: "reg-commands" },
      commandLine(`docker pull ${reference}`, context, node),
      commandLine(runCommand(reference, tag), context, node),
      h("p", { class: "reg-note" }, "Docker prints the digest after a pull: the same digest means the same bytes, on every node."),
    ),
    h("ol", { class: "reg-layers", reversed: true, "aria-label": "Layers, the topmost first" }, ...tag.layers.map((l) => layerView(l, largest)).reverse()),
    h("dl", { class: "reg-facts" }, ...facts(tag)),
    h("div", { class: "reg-foot" }, remove),
  ];
}

function layerView(layer: PushedLayer, largest: number): HTMLElement {
  const kind = sharing(layer);
  const bar = h("span", { class: "reg-bar", "aria-hidden": "true" }, h("span", { "data-sharing": kind }));
  (bar.firstElementChild as HTMLElement).style.width = `${Math.max(2, (100 * layer.size) / largest)}%`;
  const made = layer.created_by ?? "The instruction that made it is not known";
  const also = layer.catalogue.length > 1 ? `The catalogue's ${layer.catalogue.join(", ")} have it` : "";
  return h(
    "li",
    { class: "reg-layer" },
    bar,
    h("span", { class: layer.created_by ? "reg-made" : "reg-made unknown" }, made),
    h("span", { class: "reg-size" }, bytes(layer.size)),
    h(
      "span",
      { class: "reg-from" },
      h("span", { class: "reg-sharing", "data-sharing": kind, title: also }, sharedWords(layer)),
      h("code", { title: layer.digest }, shortDigest(layer.digest)),
    ),
  );
}

function facts(tag: PushedTag): HTMLElement[] {
  const rows: [string, Node | string][] = [
    ["Digest", h("code", {}, tag.digest)],
    ["Kind", h("code", {}, tag.media_type)],
  ];
  if (tag.platforms.length > 0) rows.push(["Platforms", tag.platforms.join(", ")]);
  if (tag.created) rows.push(["Built", new Date(tag.created).toLocaleString()]);
  return rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
}

function deleteButton(label: string, key: string): HTMLButtonElement {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, "data-key": key }, icon("bin"));
}

function slug(text: string): string {
  return text.replace(/[^a-z0-9]/gi, (c) => `_${c.charCodeAt(0).toString(16)}`);
}
