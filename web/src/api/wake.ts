// Tells when a connection that looks open has probably died: after sleep, and when the network comes back.

const TICK = 2_000;
const SLEPT = 10_000;

/** Calls `again` when the page becomes visible or the network is back (`dead` false: only worth a try where nothing is
 * open), or when the machine has slept (`dead` true: what looks open is stale). */
export function onWake(again: (dead: boolean) => void): () => void {
  let last = Date.now();
  // A hidden page's timers are slowed down, so only gaps between two ticks of a visible page mean sleep.
  const timer = setInterval(() => {
    const now = Date.now();
    if (document.visibilityState === "visible" && now - last > SLEPT) again(true);
    last = now;
  }, TICK);
  const online = (): void => again(true);
  const visible = (): void => {
    if (document.visibilityState !== "visible") return;
    last = Date.now();
    again(false);
  };
  addEventListener("online", online);
  document.addEventListener("visibilitychange", visible);
  return () => {
    clearInterval(timer);
    removeEventListener("online", online);
    document.removeEventListener("visibilitychange", visible);
  };
}
