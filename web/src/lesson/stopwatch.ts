import { recall, remember } from "../ui/memory";

const KEY = "lesson-times";

interface Times {
  session: string;
  lessons: Record<string, { from: number; to?: number }>;
}

/** The time that a lesson takes, from its first opening to its end. This browser keeps it, for the latest session only. */
export class Stopwatch {
  private readonly times: Times;
  private readonly lesson: { from: number; to?: number };

  /** `from` is when it began, by this browser's clock, where this lesson has not been opened here before. */
  constructor(session: string, lesson: string, from: number) {
    this.times = read(session);
    this.lesson = this.times.lessons[lesson] ??= { from };
    this.keep();
  }

  /** The lesson's end: seconds since its beginning. Later calls tell the same. */
  stop(now = Date.now()): number {
    this.lesson.to ??= now;
    this.keep();
    return Math.max(0, (this.lesson.to - this.lesson.from) / 1000);
  }

  private keep(): void {
    remember(KEY, JSON.stringify(this.times));
  }
}

function read(session: string): Times {
  try {
    const kept = JSON.parse(recall(KEY) ?? "null") as Times | null;
    if (kept?.session === session) return kept;
  } catch {
    // Not ours: it is written anew.
  }
  return { session, lessons: {} };
}
