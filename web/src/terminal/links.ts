/** A port of a node, as a link in a terminal names it. */
export interface PortTarget {
  port: string;
  path: string;
}

/**
 * Which port of `node` a link means: what a program in the sandbox calls localhost is the sandbox, not the reader's own
 * computer. Null for links that lead elsewhere.
 */
export function portOf(uri: string, node: string): PortTarget | null {
  let url: URL;
  try {
    url = new URL(uri);
  } catch {
    return null;
  }
  const here = ["localhost", "0.0.0.0", "[::]", "[::1]", node].includes(url.hostname) || /^127\.\d+\.\d+\.\d+$/.test(url.hostname);
  if (!here || url.protocol !== "http:") return null;
  return { port: url.port || "80", path: url.pathname + url.search + url.hash };
}
