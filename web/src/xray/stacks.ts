// Layers that lie on each other: images that share layers share them in the picture, too.

/** What the trie needs of a layer. */
export interface LayerLike {
  id: string;
  parent: string | null;
}

/** A run of layers without a fork, with what stands on its topmost. */
export interface Run<L> {
  /** The lowest first. */
  layers: L[];
  /** Runs that go on from its topmost layer. */
  above: Run<L>[];
}

/** Joins layers into runs: one for each layer that lies on nothing. A run ends where several go on, and below what
 * `ends` says, such as the top of an image. Layers come with parents before children. */
export function runs<L extends LayerLike>(layers: readonly L[], ends: (id: string) => boolean): Run<L>[] {
  const above = new Map<string | null, L[]>();
  const known = new Set<string>();
  for (const layer of layers) {
    // One whose parent is not there lies on nothing that can be shown.
    const parent = layer.parent !== null && known.has(layer.parent) ? layer.parent : null;
    known.add(layer.id);
    const siblings = above.get(parent);
    if (siblings) siblings.push(layer);
    else above.set(parent, [layer]);
  }
  const run = (first: L): Run<L> => {
    const found: L[] = [first];
    let top = first;
    for (;;) {
      const next = above.get(top.id) ?? [];
      if (next.length !== 1 || ends(top.id)) return { layers: found, above: next.map(run) };
      top = next[0]!;
      found.push(top);
    }
  };
  return (above.get(null) ?? []).map(run);
}

/** How high a layer is drawn, in pixels: by the logarithm of its size, so that both 3 bytes and 300 MB can be seen. */
export function height(bytes: number): number {
  return Math.round(22 + 3.2 * Math.max(0, Math.log10(Math.max(1, bytes)) - 3));
}
