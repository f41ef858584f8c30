import type { CheckReport } from "../api/types";
import { h, icon, withCode } from "../ui/dom";
import { toast } from "../ui/toast";

/** The list of checks of a step: what is there already, and what is missing. */
export class Checks {
  private readonly items: HTMLElement[];
  private readonly verdict = h("p", { class: "verdict", role: "status" });
  private readonly button = h("button", { type: "button", class: "button small" }, "Check now");
  private done = false;

  private constructor(
    list: HTMLElement,
    private readonly check: () => Promise<CheckReport>,
  ) {
    this.items = [...list.querySelectorAll<HTMLElement>("li[data-check]")];
    for (const item of this.items) {
      const title = h("span", { class: "check-title" });
      title.append(...item.childNodes);
      item.append(
        h("span", { class: "buoy", "aria-hidden": "true" }, icon("tick")),
        h("span", { class: "check-text" }, title, h("span", { class: "visually-hidden state" }, " (not yet)"), h("span", { class: "hint" })),
      );
      item.dataset.state = "pending";
    }
    const box = h("div", { class: "check-box" });
    list.before(box);
    box.append(h("h3", {}, "Is it done?"), list, h("div", { class: "check-foot" }, this.button, this.verdict));
    this.button.addEventListener("click", () => void this.ask());
  }

  /** The checks of a step, where it has any. */
  static of(section: HTMLElement, check: () => Promise<CheckReport>): Checks | null {
    const list = section.querySelector<HTMLElement>("ul.checks");
    return list ? new Checks(list, check) : null;
  }

  /** Shows a report; `asked` says what is missing in a stronger voice. */
  show(report: CheckReport, asked = false): void {
    report.checks.forEach((check, index) => {
      const item = this.items[index];
      if (!item) return;
      const before = item.dataset.state;
      item.dataset.state = check.passed ? "pass" : asked || before === "fail" ? "fail" : "pending";
      item.querySelector(".state")!.textContent = check.passed ? " (done)" : " (not yet)";
      item.querySelector(".hint")!.replaceChildren(...(check.passed ? [] : withCode(check.hint ?? "")));
      if (check.passed && before !== "pass") item.classList.add("fresh");
    });
    const open = report.checks.filter((check) => !check.passed).length;
    if (report.done && !this.done) this.verdict.textContent = "All done. On to the next step.";
    else if (!report.done) this.verdict.textContent = asked ? `${open} of ${report.checks.length} still to do.` : "";
    this.done = report.done;
    this.button.hidden = report.done;
  }

  /** Shows a step that was done earlier, before any report of it comes. */
  showDone(): void {
    if (this.done) return;
    this.show({ checks: this.items.map(() => ({ title: "", passed: true })), done: true });
    this.verdict.textContent = "Done.";
    for (const item of this.items) item.classList.remove("fresh");
  }

  private async ask(): Promise<void> {
    this.button.disabled = true;
    try {
      this.show(await this.check(), true);
    } catch (error) {
      toast(`The check did not run: ${(error as Error).message}`, "alert");
    } finally {
      this.button.disabled = false;
    }
  }
}
