import type { LinkState } from "../api/events";
import { need } from "../ui/dom";

/** The session's bar: the state of the connection. */
export class Bar {
  private readonly link = need(".link-state");

  linked(state: LinkState): void {
    // The first connection of a page is no reconnection.
    if (state === "waiting") this.link.textContent = "Reconnecting…";
    else if (state !== "connecting") this.link.textContent = "";
  }
}

/** Where a port opens: the server answers with a redirect to the port's own origin. */
export function portPath(session: string, node: string, port: number | string, path = "/"): string {
  const base = `/s/${encodeURIComponent(session)}/ports/${encodeURIComponent(node)}/${port}`;
  return path === "/" ? base : `${base}?path=${encodeURIComponent(path)}`;
}
