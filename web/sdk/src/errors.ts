import type { Problem } from "./types.js";

/**
 * What kind of failure it is, for a page that acts on it:
 * `unreachable` no answer came; `origin` the server does not let this page in; `full` all places are taken; `limit` the
 * visitor has as many sessions as one may have; `ended` the session is over; `refused` anything else.
 */
export type ErrorKind = "unreachable" | "origin" | "full" | "limit" | "ended" | "refused";

/** A failure, with what the server says of it. */
export class BoatyardError extends Error {
  override readonly name = "BoatyardError";

  constructor(
    readonly kind: ErrorKind,
    /** As the server told it, or one of the same form with status 0. */
    readonly problem: Problem,
  ) {
    super(problem.detail ?? problem.title);
  }

  /** HTTP status; 0 where no answer came. */
  get status(): number {
    return this.problem.status;
  }

  /** Which of several problems with the same status it is, such as `node-limit`. */
  get code(): string | undefined {
    return this.problem.code ?? undefined;
  }
}

/** The kind of a problem. */
export function kindOf(problem: Problem): ErrorKind {
  if (problem.status === 0) return "unreachable";
  if (problem.code === "full") return "full";
  if (problem.status === 429) return "limit";
  if (problem.status === 410) return "ended";
  return "refused";
}
