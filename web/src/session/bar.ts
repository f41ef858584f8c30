import type { LinkState } from "../api/events";
import type { DockerState, NodeView } from "../api/types";
import { h, icon, need } from "../ui/dom";

const DOCKER: Record<Exclude<DockerState, "absent">, { short: string; long: string }> = {
  stopped: { short: "Docker asleep", long: "The Docker Engine starts with your first docker command." },
  starting: { short: "Docker starting…", long: "The Docker Engine is starting; commands typed now wait for it." },
  ready: { short: "Docker ready", long: "The Docker Engine answers." },
  failed: { short: "Docker failed", long: "The Docker Engine stopped several times; it is started again in a while. See /var/log/dockerd.log." },
};

/** The session's bar: nodes with their Docker Engine and ports, and the state of the connection. */
export class Bar {
  private readonly nodes = need(".nodes");
  private readonly ports = need(".ports");
  private readonly link = need(".link-state");

  constructor(private readonly sessionId: string) {}

  show(nodes: NodeView[]): void {
    this.nodes.replaceChildren(
      ...nodes.map((node) => {
        // A lab image without Docker has no lamp for it; the image's name says what the node is.
        const docker = node.docker === "absent" ? { short: node.image, long: `lab image ${node.image}, without Docker` } : DOCKER[node.docker];
        return h(
          "span",
          { class: "node", "data-docker": node.docker, title: `${node.name} (${node.address}): ${docker.long}` },
          ...(node.docker === "absent" ? [] : [h("span", { class: "lamp", "aria-hidden": "true" })]),
          h("span", { class: "node-name" }, node.name),
          h("span", { class: "node-docker" }, docker.short),
        );
      }),
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
