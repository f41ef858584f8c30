/** Something to upload: a file, or a folder of which nothing else would tell. */
export interface Piece {
  /** Path below the folder that it goes to. */
  path: string;
  file: File | null;
}

/** Most files of one drop. */
const MOST = 20_000;

/** What was dropped, as what can still be read after the event: must be called while it is handled. */
export function dropped(data: DataTransfer): () => Promise<Piece[]> {
  const entries: FileSystemEntry[] = [];
  const files: File[] = [];
  for (const item of data.items) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry();
    if (entry) entries.push(entry);
    else {
      const file = item.getAsFile();
      if (file) files.push(file);
    }
  }
  return async () => {
    const pieces = chosen(files);
    for (const entry of entries) await walk(entry, pieces);
    return pieces;
  };
}

/** What was chosen in a file dialog. */
export function chosen(files: Iterable<File>): Piece[] {
  return Array.from(files, (file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** Whether something is being dragged that could be uploaded. */
export function holdsFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

async function walk(top: FileSystemEntry, pieces: Piece[]): Promise<void> {
  const waiting = [top];
  for (let entry = waiting.pop(); entry; entry = waiting.pop()) {
    if (pieces.length >= MOST) throw new Error(`These are more than ${MOST} files. Pack them, and unpack them in the terminal.`);
    const path = entry.fullPath.replace(/^\//, "");
    if (entry.isFile) {
      pieces.push({ path, file: await new Promise((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)) });
      continue;
    }
    const inside = await children(entry as FileSystemDirectoryEntry);
    if (inside.length === 0) pieces.push({ path, file: null });
    waiting.push(...inside.reverse());
  }
}

/** A reader gives a hundred at a time, and nothing at the end. */
async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
