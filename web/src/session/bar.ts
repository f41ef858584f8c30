import type { LinkState } from "../api/events";
import type { DockerState, NodeView } from "../api/types";
import { h, icon, need } from "../ui/dom";

const DOCKER: Record<DockerState, { short: string; long: string }> = {
  stopped: { short: "Docker asleep", long: "The Docker Engine starts with your first docker command." },
  starting: { short: "Docker starting…", long: "The Docker Engine is starting; commands typed now wait for it." },
  ready: { short: "Docker ready", long: "The Docker Engine answers." },
  failed: { short: "Docker failed", long: "The Docker Engine stopped several times; it is started again in a while. See /var/log/dockerd.log." },
  absent: { short: "No Docker", long: "This lab image has no Docker Engine." },
};

/** The session's bar: nodes with their Docker Engine and ports, and the state of the connection. */
export class Bar {
  private readonly nodes = need(".nodes");
  private readonly ports = need(".ports");
  private readonly link = need(".link-state");

  constructor(private readonly sessionId: string) {}

  show(nodes: NodeView[]): void {
    this.nodes.replaceChildren(
      ...nodes.map((node) =>
        h(
          "span",
          { class: "node", "data-docker": node.docker, title: `${node.name} (${node.address}): ${DOCKER[node.docker].long}` },
          h("span", { class: "lamp", "aria-hidden": "true" }),
          h("span", { class: "node-name" }, node.name),
          h("span", { class: "node-docker" }, DOCKER[node.docker].short),
        ),
      ),
    );
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
