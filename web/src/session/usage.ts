import type { LimitReached, UsageView } from "../api/types";
import { h } from "../ui/dom";

/** What is said when a node has come to a limit. */
export const LIMITS: Record<LimitReached, string> = {
  "out-of-memory": "ran out of memory, so the kernel killed a process there. Stop what you do not need, or run it with less.",
  processes: "has as many processes as it may have, so no further one was started. Stop some containers or programs.",
  disk: "has no room left on its disk. `docker system prune` and `rm` make room.",
};

interface Row {
  value: HTMLElement;
  meter: HTMLMeterElement;
}

/** A node's use of processors, memory, disk and processes against its limits: small bars for the session's bar, and a table
 * for the node's panel. */
export class UsageMeters {
  readonly bars = h("span", { class: "node-gauges", "aria-hidden": "true" });
  readonly table = h("dl", { class: "usage" });
  private readonly rows = new Map<string, Row>();
  private readonly gauges: HTMLElement[] = [];

  constructor() {
    for (const name of ["Processors", "Memory", "Disk", "Processes"]) {
      const value = h("span");
      const meter = h("meter", { min: "0", max: "1", low: "0.75", high: "0.9", optimum: "0", "aria-label": name });
      this.rows.set(name, { value, meter });
      this.table.append(h("dt", {}, name), h("dd", {}, meter, value));
      const gauge = h("span", { class: "gauge-bar" });
      this.gauges.push(gauge);
      this.bars.append(gauge);
    }
    this.bars.hidden = this.table.hidden = true;
  }

  show(usage: UsageView): void {
    this.bars.hidden = this.table.hidden = false;
    const facts: [string, number, number, string][] = [
      ["Processors", usage.cpus, usage.cpus_most, `${usage.cpus.toFixed(2)} of ${usage.cpus_most}`],
      ["Memory", usage.memory, usage.memory_most, `${bytes(usage.memory)} of ${bytes(usage.memory_most)}`],
      ["Disk", usage.disk, usage.disk_most, `${bytes(usage.disk)} of ${bytes(usage.disk_most)}`],
      ["Processes", usage.processes, usage.processes_most, `${usage.processes} of ${usage.processes_most}`],
    ];
    facts.forEach(([name, used, most, words], index) => {
      const share = most > 0 ? Math.min(1, used / most) : 0;
      const row = this.rows.get(name)!;
      row.value.textContent = words;
      row.meter.value = share;
      const gauge = this.gauges[index]!;
      gauge.style.setProperty("--share", String(share));
      gauge.dataset.level = share > 0.9 ? "high" : share > 0.75 ? "warm" : "low";
    });
  }
}

/** Bytes as people read them. */
export function bytes(n: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) {
    n /= 1024;
    unit += 1;
  }
  return `${n >= 100 || unit === 0 ? n.toFixed(0) : n.toFixed(1)} ${units[unit]}`;
}
