/** The folder that a path lies in. */
export function parent(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** The last part of a path. */
export function base(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1) || "/";
}

/** `name` in `folder`; one that begins with a slash is a path of its own. */
export function join(folder: string, name: string): string {
  return name.startsWith("/") ? name : `${folder === "/" ? "" : folder}/${name}`;
}

/** Whether `path` is `folder` or lies below it. */
export function within(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

/** What is wrong with a name that is given to a file or folder; it may hold slashes, for folders on the way. */
export function wrongName(name: string): string | null {
  const parts = name.replace(/^\/|\/$/g, "").split("/");
  if (name.trim() === "" || parts.some((part) => part === "")) return "Give it a name.";
  if (parts.some((part) => part === "." || part === "..")) return "A name cannot be “.” or “..”.";
  if (/[\0\n\r]/.test(name)) return "A name has one line.";
  if (parts.some((part) => new TextEncoder().encode(part).length > 255)) return "A name has at most 255 bytes.";
  return null;
}

/** Whether a name came whole: bytes that are not UTF-8 are shown, but cannot be asked for. */
export function addressable(name: string): boolean {
  return !name.includes("\ufffd");
}

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** A size as people write it: powers of 1000, two or three digits. */
export function size(bytes: number): string {
  let n = bytes;
  let unit = 0;
  while (n >= 999.5 && unit < UNITS.length - 1) {
    n /= 1000;
    unit += 1;
  }
  return `${unit === 0 || n >= 9.95 ? Math.round(n) : n.toFixed(1)} ${UNITS[unit]}`;
}

const collator = new Intl.Collator(undefined, { numeric: true });

/** By name, as people count: file2 before file10. */
export function byName(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : 1);
}
