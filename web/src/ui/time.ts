/** A span for people: hours and minutes, then minutes and seconds once seconds matter. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(s / 3600);
  const minutes = Math.floor((s % 3600) / 60);
  if (hours > 0) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  if (s >= 600) return `${minutes} min`;
  return `${minutes}:${String(s % 60).padStart(2, "0")}`;
}

/** The same, in words that a screen reader speaks well. */
export function spoken(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  return minutes >= 1 ? `${minutes} ${minutes === 1 ? "minute" : "minutes"}` : `${Math.round(seconds)} seconds`;
}
