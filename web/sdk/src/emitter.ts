/** Tells handlers of events by their names. */
export class Emitter<Events> {
  private readonly handlers = new Map<keyof Events, Set<(detail: never) => void>>();

  /** Hears of an event from now on; answers how to stop. */
  on<Name extends keyof Events>(name: Name, handler: (detail: Events[Name]) => void): () => void {
    const all = this.handlers.get(name) ?? new Set();
    this.handlers.set(name, all);
    all.add(handler);
    return () => all.delete(handler);
  }

  /** @internal */
  protected emit<Name extends keyof Events>(name: Name, detail: Events[Name]): void {
    for (const handler of [...(this.handlers.get(name) ?? [])]) {
      try {
        (handler as (detail: Events[Name]) => void)(detail);
      } catch (error) {
        // A handler of the page's that fails must not keep the others from hearing of it.
        console.error("boatyard:", error);
      }
    }
  }
}
