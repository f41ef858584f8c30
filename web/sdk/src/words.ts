/** `brightBlack` as `bright-black`. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The time until `end` (RFC 3339) in a few letters, such as `1 h 59 min`. */
export function left(end: string, now = Date.now()): string {
  const minutes = Math.max(0, Math.ceil((Date.parse(end) - now) / 60_000));
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * The number of the terminal that a class or an attribute names, exactly: `term1`, `.term1`, `language-term1` and what
 * Markdown tools make of a fence ` ```.term1 `: `language-.term1`, `lang-.term1`. Null for anything else, also for `term10x`
 * or `terminal`.
 */
export function numberOf(name: string): number | null {
  const found = /^(?:lang(?:uage)?-)?\.?term([1-9]\d?)$/.exec(name.trim());
  return found ? Number(found[1]) : null;
}

/** The number that one of an element's classes names. */
export function numberOfClasses(classes: Iterable<string>): number | null {
  for (const name of classes) {
    const number = numberOf(name);
    if (number !== null) return number;
  }
  return null;
}

/** What is typed of a block's text: all of it, with its last newline as the Enter that runs it. */
export function typed(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
}

/** Path, query and fragment of a link that stands on another page's origin. */
export function pathOf(href: string | null): string {
  try {
    const { pathname, search, hash } = new URL(href ?? "/", "http://port.invalid/");
    return pathname + search + hash;
  } catch {
    return "/";
  }
}
