import { toast } from "../ui/toast";
import { dropped, holdsFiles } from "./gather";

/** The terminal that something is dropped on, and its working folder. */
export interface DropTarget {
  node: string;
  folder(): Promise<string>;
}

/** Uploads what is dropped on the terminals into the working folder of the one in front. */
export function acceptDrops(screens: HTMLElement, session: string, target: () => DropTarget | null): void {
  const over = (event: DragEvent): void => {
    if (!holdsFiles(event) || !target()) return;
    event.preventDefault();
    event.dataTransfer!.dropEffect = "copy";
    screens.dataset.drop = "Drop to upload into this terminal's working folder";
  };
  screens.addEventListener("dragenter", over);
  screens.addEventListener("dragover", over);
  screens.addEventListener("dragleave", (event) => {
    if (!screens.contains(event.relatedTarget as Node | null)) delete screens.dataset.drop;
  });
  screens.addEventListener("drop", (event) => {
    delete screens.dataset.drop;
    const at = target();
    if (!holdsFiles(event) || !at) return;
    event.preventDefault();
    const gather = dropped(event.dataTransfer!);
    void send(session, at, gather);
  });
  // A drop that misses would have the browser leave the page for the file.
  for (const type of ["dragover", "drop"] as const) {
    addEventListener(type, (event) => {
      if (holdsFiles(event) && !event.defaultPrevented) {
        event.preventDefault();
        event.dataTransfer!.dropEffect = "none";
      }
    });
  }
}

async function send(session: string, at: DropTarget, gather: ReturnType<typeof dropped>): Promise<void> {
  try {
    const [{ upload }, folder, pieces] = await Promise.all([import("./tray"), at.folder(), gather()]);
    await upload(session, at.node, folder, pieces);
  } catch (error) {
    toast(`The upload did not start: ${(error as Error).message}`, "alert");
  }
}
