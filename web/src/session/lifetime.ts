import type { SessionApi } from "../api/client";
import type { EndReason, SessionView } from "../api/types";
import { ask } from "../ui/dialog";
import { need } from "../ui/dom";
import { toast } from "../ui/toast";

const REASONS: Record<EndReason, string> = {
  closed: "You closed it. Its files, images and containers are gone.",
  expired: "Its time was up. Its files, images and containers are gone.",
  lost: "It is no longer there: it was closed elsewhere, or the host lost it.",
  operator: "The operator of this Boatyard ended it.",
};

/** The buttons that lengthen and end a session, and what is shown once it has ended. */
export class Lifetime {
  private readonly extendButton = need<HTMLButtonElement>("[data-extend]");
  private over = false;

  constructor(
    private readonly api: SessionApi,
    private readonly update: (session: SessionView) => void,
    private readonly finished: () => void,
  ) {
    this.extendButton.addEventListener("click", () => void this.extend());
    need("[data-close]").addEventListener("click", () => void this.close());
  }

  show(session: SessionView): void {
    const left = session.extensions_left;
    this.extendButton.disabled = left <= 0;
    this.extendButton.title =
      left <= 0 ? "No extension is left" : `Extend this session (${left} ${left === 1 ? "time" : "times"} more)`;
    if (session.state === "ended") this.ended("expired");
  }

  ended(reason: EndReason): void {
    if (this.over) return;
    this.over = true;
    document.body.dataset.state = "ended";
    this.finished();
    need("#ended-dialog .reason").textContent = REASONS[reason] ?? REASONS.lost;
    void ask("#ended-dialog");
  }

  private async extend(): Promise<void> {
    this.extendButton.disabled = true;
    try {
      const session = await this.api.extend();
      this.update(session);
      toast("Extended.", "good");
    } catch (error) {
      this.extendButton.disabled = false;
      toast((error as Error).message, "alert");
    }
  }

  private async close(): Promise<void> {
    if ((await ask("#close-dialog")) !== "close") return;
    try {
      await this.api.close();
      this.ended("closed");
    } catch (error) {
      toast(`The session is still there: ${(error as Error).message}`, "alert");
    }
  }
}
