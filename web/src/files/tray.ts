import { FilesApi } from "../api/files";
import { h, icon } from "../ui/dom";
import { toast } from "../ui/toast";
import type { Piece } from "./gather";
import { size } from "./paths";
import { Upload, type Item } from "./upload";

/** Most files that are named one by one. */
const NAMED = 40;

/** Uploads `pieces` into a folder of a node and shows how far it is. Calls `over` whenever nothing is under way any more,
 * whatever came of it. */
export async function upload(session: string, node: string, folder: string, pieces: Piece[], over: () => void = () => {}): Promise<void> {
  if (pieces.length === 0) return void toast("There was nothing to upload.");
  const api = new FilesApi(session, node);
  const limit = (await api.list(folder)).upload_limit;
  new Tray(api, folder, pieces, limit, over);
}

/** One upload as the page shows it: as a whole and by file, with what can be done about it. */
class Tray {
  private readonly upload: Upload;
  private readonly title = h("h2", { class: "upload-title" });
  private readonly bar = h("progress", { max: "1", "aria-label": "Upload" });
  private readonly facts = h("p", { class: "upload-facts" });
  private readonly list = h("ul", { class: "upload-list" });
  private readonly foot = h("div", { class: "upload-foot" });
  private readonly element: HTMLElement;
  private drawn = false;
  private told = false;

  constructor(api: FilesApi, private readonly folder: string, pieces: Piece[], limit: number, private readonly over: () => void) {
    this.element = h("section", { class: "upload", "aria-label": "Upload" }, this.title, this.bar, this.facts, this.list, this.foot);
    shelf().append(this.element);
    this.upload = new Upload(api, folder, pieces, limit, () => this.draw());
    this.upload.start();
  }

  /** At most once a frame: progress comes often. */
  private draw(): void {
    if (this.drawn) return;
    this.drawn = true;
    requestAnimationFrame(() => {
      this.drawn = false;
      this.show();
    });
  }

  private show(): void {
    const { upload } = this;
    const files = upload.items.length;
    const done = upload.count("done");
    const [failed, there] = [upload.count("failed"), upload.count("there")];
    if (upload.over && failed + there === 0) return this.finish(done);
    this.bar.value = upload.total > 0 ? upload.sent / upload.total : done / files;
    const where = `${this.folder} on ${upload.api.node}`;
    this.title.textContent = upload.over ? `Not all of it is in ${where}` : `Uploading ${many(files)} to ${where}`;
    this.bar.hidden = upload.over;
    const facts = [`${done} of ${files} done`];
    if (!upload.over) facts.push(`${size(upload.sent)} of ${size(upload.total)}`);
    if (failed > 0) facts.push(`${failed} failed`);
    if (there > 0) facts.push(`${there} there already`);
    this.facts.textContent = facts.join(" · ");
    this.facts.setAttribute("role", upload.over ? "status" : "none");
    const named = upload.items.filter(({ state }) => state !== "done" && state !== "waiting");
    this.list.replaceChildren(...named.slice(0, NAMED).map(line));
    if (named.length > NAMED) this.list.append(h("li", {}, `and ${named.length - NAMED} more`));
    this.buttons(failed, there);
    if (upload.over && !this.told) {
      this.told = true;
      this.over();
    }
  }

  private buttons(failed: number, there: number): void {
    const { upload } = this;
    const wanted = upload.over
      ? [there > 0 && !upload.cancelled && "replace", failed > 0 && !upload.cancelled && "retry", "close"]
      : ["cancel"];
    const key = wanted.filter(Boolean).join(" ");
    if (this.foot.dataset.buttons === key) return;
    this.foot.dataset.buttons = key;
    const deeds: Record<string, [string, () => void]> = {
      replace: ["Replace what is there", () => this.again(() => upload.replaceAll())],
      retry: ["Try again", () => this.again(() => upload.retry())],
      close: ["Close", () => this.element.remove()],
      cancel: ["Cancel", () => upload.cancel()],
    };
    this.foot.replaceChildren(
      ...key.split(" ").map((name) => {
        const [label, deed] = deeds[name]!;
        return h("button", { type: "button", class: "button small", onclick: deed }, label);
      }),
    );
  }

  private again(deed: () => void): void {
    this.told = false;
    deed();
  }

  private finish(done: number): void {
    this.element.remove();
    toast(`${many(done)} ${done === 1 ? "is" : "are"} in ${this.folder} on ${this.upload.api.node}.`, "good");
    if (!this.told) this.over();
    this.told = true;
  }
}

function line({ piece, state, sent, why }: Item): HTMLElement {
  const name = h("span", { class: "upload-name", title: piece.path }, piece.path);
  if (state === "sending") {
    const share = piece.file && piece.file.size > 0 ? sent / piece.file.size : 0;
    return h("li", {}, name, h("span", { class: "upload-state" }, `${Math.round(share * 100)}%`));
  }
  return h("li", { class: state }, icon("close"), name, h("span", { class: "upload-state" }, state === "there" ? "is there already" : why));
}

function many(files: number): string {
  return files === 1 ? "1 file" : `${files} files`;
}

function shelf(): HTMLElement {
  return document.querySelector<HTMLElement>(".uploads") ?? document.body.appendChild(h("div", { class: "uploads" }));
}
