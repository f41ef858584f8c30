// Tells when a connection that looks open has probably died: after sleep, and when the network comes back.

const TICK = 2_000;
const SLEPT = 10_000;
/** Where both clocks go on in sleep, only a gap that no busy machine explains counts. */
const CERTAIN = 45_000;

/** Whether the machine slept between two ticks, `wall` milliseconds apart by the clock on the wall and `awake` by the one
 * that stands still in sleep, which on Windows goes on. A tab or machine that was merely busy has lost no connection. */
export function slept(wall: number, awake: number, windows: boolean): boolean {
  return wall - awake > SLEPT || (windows && wall > CERTAIN);
}

/** Calls `again` when the page becomes visible (`dead` false: only worth a try where nothing is open), or when the
 * machine has slept or the network is back (`dead` true: what looks open is stale). */
export function onWake(again: (dead: boolean) => void): () => void {
  const windows = navigator.platform.startsWith("Win");
  let [wall, awake] = [Date.now(), performance.now()];
  // A hidden page's timers are slowed down, so only gaps between two ticks of a visible page mean sleep.
  const timer = setInterval(() => {
    const [wallNow, awakeNow] = [Date.now(), performance.now()];
    const gap = slept(wallNow - wall, awakeNow - awake, windows);
    [wall, awake] = [wallNow, awakeNow];
    if (gap && document.visibilityState === "visible") again(true);
  }, TICK);
  const online = (): void => again(true);
  const visible = (): void => {
    if (document.visibilityState !== "visible") return;
    const gap = slept(Date.now() - wall, performance.now() - awake, false);
    [wall, awake] = [Date.now(), performance.now()];
    again(gap);
  };
  addEventListener("online", online);
  document.addEventListener("visibilitychange", visible);
  return () => {
    clearInterval(timer);
    removeEventListener("online", online);
    document.removeEventListener("visibilitychange", visible);
  };
}
