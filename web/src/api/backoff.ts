/** Milliseconds to wait before try number `attempt` (from 0): doubling from 250 ms to 10 s, spread by half so that a
 * class whose server restarts does not come back in one instant. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(10_000, 250 * 2 ** attempt);
  return full / 2 + (full / 2) * random();
}
