import { portPath } from "../session/bar";

/** Makes port links of a lesson lead to the ports of this session. */
export function setUpPortLinks(root: HTMLElement, session: string): void {
  for (const link of root.querySelectorAll<HTMLAnchorElement>("a.port")) {
    const { node = "node1", port, path = "/" } = link.dataset;
    if (!port) continue;
    link.href = portPath(session, node, port, path);
    link.target = "_blank";
    link.rel = "noopener";
    link.title = `Port ${port} of ${node}, in a new tab`;
  }
}
