import type { LinkState } from "../api/events";
import type { NodeView } from "../api/types";
import { h, icon, need } from "../ui/dom";

/** The session's bar: the open ports of its nodes, and the state of the connection. */
export class Bar {
  private readonly ports = need(".ports");
  private readonly link = need(".link-state");

  constructor(private readonly sessionId: string) {}

  show(nodes: NodeView[]): void {
    const several = nodes.length > 1;
    this.ports.replaceChildren(
      ...nodes.flatMap((node) => node.ports.map(({ port }) => this.chip(node.name, port, several))),
    );
  }

  linked(state: LinkState): void {
    // The first connection of a page is no reconnection.
    if (state === "waiting") this.link.textContent = "Reconnecting…";
    else if (state !== "connecting") this.link.textContent = "";
  }

  private chip(node: string, port: number, several: boolean): HTMLElement {
    const label = several ? `${node}:${port}` : String(port);
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
