// Elements that live on between two drawings: only what changed is made anew.

/** Puts exactly these children into an element, and moves none that can stay: what is moved begins its animations anew. */
export function put(parent: Element, children: readonly Node[]): void {
  const wanted = new Set(children);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  let at = parent.firstChild;
  for (const child of children) {
    if (at === child) at = at.nextSibling;
    else parent.insertBefore(child, at);
  }
}

/** Elements by key. What was not asked for in a drawing is forgotten at its end. */
export class Keep {
  private elements = new Map<string, { element: HTMLElement; shows: string }>();
  private used = new Map<string, { element: HTMLElement; shows: string }>();

  /** The element of a key: as it is while `shows` is the same, else filled again; made where there is none. */
  get(key: string, shows: unknown, make: () => HTMLElement, fill: (element: HTMLElement) => void): HTMLElement {
    const text = JSON.stringify(shows);
    const known = this.elements.get(key) ?? { element: make(), shows: "" };
    if (known.shows !== text) {
      known.shows = text;
      fill(known.element);
    }
    this.used.set(key, known);
    return known.element;
  }

  /** The element of a key, if it was drawn. */
  find(key: string): HTMLElement | undefined {
    return this.elements.get(key)?.element;
  }

  /** The drawing is done. */
  done(): void {
    this.elements = this.used;
    this.used = new Map();
  }
}
