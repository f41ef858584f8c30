import { need } from "../ui/dom";
import { span, spoken } from "../ui/time";
import { toast } from "../ui/toast";
import { may } from "./rights";

/** The time that a session has left, counted by the server's clock. */
export class Countdown {
  private readonly output = need(".countdown");
  private readonly text = need(".countdown-text");
  private readonly skew: number;
  private expires = 0;
  private warned = Infinity;
  private withdraw: () => void = () => undefined;
  private readonly timer: ReturnType<typeof setInterval>;
  private over = false;

  constructor(serverNow: string) {
    this.skew = Date.parse(serverNow) - Date.now();
    this.timer = setInterval(() => this.tick(), 1000);
  }

  /** The session has ended: what was said of its last minutes holds no longer. */
  stop(): void {
    this.over = true;
    clearInterval(this.timer);
    this.withdraw();
  }

  set(expiresAt: string): void {
    const expires = Date.parse(expiresAt);
    if (expires > this.expires + 30_000) {
      this.warned = Infinity;
      this.withdraw();
    }
    this.expires = expires;
    this.tick();
  }

  /** Says once for each of five minutes and one minute what is left. */
  warn(secondsLeft: number): void {
    const level = secondsLeft <= 60 ? 60 : 300;
    if (this.over || this.warned <= level) return;
    this.warned = level;
    this.withdraw();
    const advice = may("own") ? "Extend it with the button beside the clock, or save your work." : "Its owner may extend it.";
    this.withdraw = toast(`This session ends in ${spoken(secondsLeft)}. ${advice}`, "alert");
  }

  private tick(): void {
    const left = (this.expires - Date.now() - this.skew) / 1000;
    this.text.textContent = span(left);
    this.output.setAttribute("aria-label", `${spoken(Math.max(0, left))} left`);
    this.output.classList.toggle("soon", left <= 300 && left > 60);
    this.output.classList.toggle("last", left <= 60);
    if (left <= 300 && left > 0) this.warn(left);
  }
}
