import type { LinkState } from "../api/events";
import type { NodeView } from "../api/types";
import { setUpDisclosure } from "../ui/disclosure";
import { h, icon, need } from "../ui/dom";
import { may } from "./rights";

/** The session's bar: the open ports of its nodes, and the state of the connection. */
export class Bar {
  private readonly ports = need(".ports");
  private readonly link = need(".link-state");
  private readonly list = h("span", { class: "port-list", id: "port-list", role: "group", "aria-label": "Open ports" });
  /** On a narrow page it stands for the chips and unfolds them; on a wide one it is not shown. */
  private readonly several = h("button", { type: "button", class: "port-chip port-several", "aria-controls": "port-list" });
  private readonly fold = setUpDisclosure(this.several, this.list);

  constructor(private readonly sessionId: string) {
    this.ports.append(this.several, this.list);
    this.list.addEventListener("click", () => this.fold.close());
  }

  show(nodes: NodeView[]): void {
    const several = nodes.length > 1;
    const chips = nodes.flatMap((node) => node.ports.map(({ port }) => this.chip(node.name, port, several)));
    this.list.replaceChildren(...chips);
    this.several.textContent = `${chips.length} ports`;
    this.ports.dataset.count = chips.length < 2 ? String(chips.length) : "several";
    if (chips.length < 2) this.fold.close();
  }

  linked(state: LinkState): void {
    // The first connection of a page is no reconnection.
    if (state === "waiting") this.link.textContent = "Reconnecting…";
    else if (state !== "connecting") this.link.textContent = "";
  }

  private chip(node: string, port: number, several: boolean): HTMLElement {
    const label = several ? `${node}:${port}` : String(port);
    if (!may("own")) return h("span", { class: "port-chip", title: `Port ${port} of ${node} is open; its owner can share it` }, label);
    return h(
      "a",
      { class: "port-chip", href: portPath(this.sessionId, node, port), target: "_blank", rel: "noopener", title: `Open port ${port} of ${node} in a new tab` },
      label,
      icon("out"),
    );
  }
}

/** Where a port opens: the server answers with a redirect to the port's own host name. */
export function portPath(session: string, node: string, port: number | string, path = "/"): string {
  const base = `/s/${encodeURIComponent(session)}/ports/${encodeURIComponent(node)}/${port}`;
  return path === "/" ? base : `${base}?path=${encodeURIComponent(path)}`;
}
