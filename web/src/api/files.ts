import { ApiError, send } from "./client";
import type { FileEntry, FileList, Problem } from "./types";

/** A file as it was read. */
export interface FileRead {
  bytes: Uint8Array<ArrayBuffer>;
  etag: string;
  readOnly: boolean;
}

/** A file that is larger than what was asked for; `size` is 0 where it is not known. */
export class TooLarge extends Error {
  constructor(readonly size: number) {
    super("The file is too large to be opened here.");
  }
}

/** How long a file may take to say something: some files of the kernel never do. */
const SILENCE = 10_000;

/** The files of one node. Paths are absolute. */
export class FilesApi {
  private readonly base: string;

  constructor(session: string, readonly node: string) {
    this.base = `${session}/nodes/${encodeURIComponent(node)}/files`;
  }

  async list(path: string): Promise<FileList> {
    return (await send("GET", this.url(path, "/list"))).json() as Promise<FileList>;
  }

  /** Reads a file of at most `most` bytes. Fails with `TooLarge` as soon as it turns out to be larger. */
  async read(path: string, most: number): Promise<FileRead> {
    const leave = new AbortController();
    const response = await send("GET", this.url(path), { signal: leave.signal });
    const size = Number(response.headers.get("content-length") ?? 0);
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    const reader = response.body!.getReader();
    try {
      while (size <= most) {
        const { done, value } = await within(reader.read(), SILENCE);
        if (done) {
          const bytes = new Uint8Array(length);
          parts.reduce((at, part) => (bytes.set(part, at), at + part.length), 0);
          return { bytes, etag: tag(response), readOnly: response.headers.get("x-boatyard-read-only") === "true" };
        }
        parts.push(value);
        length += value.length;
        if (length > most) break;
      }
    } finally {
      leave.abort();
    }
    throw new TooLarge(size);
  }

  /** The etag of a file as it is now; null where there is none. */
  async etag(path: string): Promise<string | null> {
    try {
      return tag(await send("HEAD", this.url(path)));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  }

  /** Writes a file over the one that has `etag`, or only where there is none. Status 412 where that does not hold. */
  async write(path: string, content: string, etag: string | null): Promise<FileEntry> {
    const headers: Record<string, string> = etag === null ? { "if-none-match": "*" } : { "if-match": `"${etag}"` };
    return (await send("PUT", this.url(path), { body: content, headers })).json() as Promise<FileEntry>;
  }

  /** Writes a file that may be large, and tells how far it is. */
  upload(path: string, file: Blob, replace: boolean, progress: (sent: number) => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      // Only this older way tells how far an upload is.
      const request = new XMLHttpRequest();
      request.open("PUT", this.url(path));
      request.setRequestHeader("content-type", "application/octet-stream");
      if (!replace) request.setRequestHeader("if-none-match", "*");
      request.responseType = "json";
      request.upload.onprogress = (event) => progress(event.loaded);
      request.onload = () => {
        if (request.status < 300) return resolve();
        const problem = (request.response as Problem | null) ?? { type: "about:blank", status: request.status, title: request.statusText };
        reject(new ApiError(problem));
      };
      request.onerror = () =>
        reject(new ApiError({ type: "about:blank", status: 0, title: "The upload broke off", detail: "The connection broke off." }));
      request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
      signal.addEventListener("abort", () => request.abort(), { once: true });
      request.send(file);
    });
  }

  async makeFolder(path: string): Promise<void> {
    await send("PUT", this.url(path, "/folder"));
  }

  async move(from: string, to: string): Promise<void> {
    await send("POST", `${this.base}/move`, { body: JSON.stringify({ from, to }), headers: { "content-type": "application/json" } });
  }

  async remove(path: string): Promise<void> {
    await send("DELETE", this.url(path));
  }

  /** Has the browser save a file, or a folder as an archive. */
  download(path: string, folder: boolean): void {
    const link = document.createElement("a");
    link.href = this.url(path, folder ? "/tar" : "");
    link.download = "";
    link.click();
  }

  private url(path: string, what = ""): string {
    return `${this.base}${what}?path=${encodeURIComponent(path)}`;
  }
}

function tag(response: Response): string {
  return (response.headers.get("etag") ?? "").replace(/^"|"$/g, "");
}

function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("It says nothing: perhaps it waits for something.")), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
