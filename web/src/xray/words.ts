// How the X-ray names things.

/** Bytes as Docker shows them. */
export function size(bytes: number): string {
  let value = bytes;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (value < 1000 || unit === "GB") return `${unit === "B" || value >= 9.95 ? Math.round(value) : value.toFixed(1)} ${unit}`;
    value /= 1000;
  }
  return "";
}

/** `1 layer`, `2 layers` */
export function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/** The first digits of an id, as Docker shows it. */
export function short(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12);
}

/** An instruction's first word and what follows. */
export function instruction(text: string): [verb: string, rest: string] {
  const match = /^([A-Z]+)\s+(.*)$/s.exec(text);
  return match ? [match[1]!, match[2]!] : ["", text];
}

/** What an image is called. */
export function imageName(image: { names: string[]; id: string }): string {
  return image.names[0] ?? `<none> ${short(image.id)}`;
}

/** An anonymous volume's name is 64 digits long. */
export function volumeName(name: string): string {
  return /^[0-9a-f]{64}$/.test(name) ? short(name) : name;
}

/** A time of day in the browser's own zone. */
export function clock(at: string): string {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}
