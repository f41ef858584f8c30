import { MergeView, unifiedMergeView } from "@codemirror/merge";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { askIn } from "../ui/ask";
import { h } from "../ui/dom";
import { usual } from "./editor";
import { languageOf } from "./languages";
import { base } from "./paths";

/** Shows two versions of a file; gives the text that came of them, or null where nothing is to be saved. */
export async function compare(path: string, theirs: string, mine: string): Promise<string | null> {
  const separator = EditorState.lineSeparator.of(mine.includes("\r\n") ? "\r\n" : "\n");
  const common = [usual(), separator, languageOf(base(path), mine).support];
  const editable = [common, history(), keymap.of([...defaultKeymap, ...historyKeymap])];
  const label = (text: string) => EditorView.contentAttributes.of({ "aria-label": text });
  const host = h("div", { class: "compare" });
  const wide = matchMedia("(min-width: 801px)").matches;
  let result: () => string;
  let leave: () => void;
  if (wide) {
    const view = new MergeView({
      a: { doc: theirs, extensions: [common, EditorState.readOnly.of(true), label("The file as it is now")] },
      b: { doc: mine, extensions: [editable, label("Your version")] },
      parent: host,
      revertControls: "a-to-b",
      renderRevertControl: () => h("button", { type: "button", title: "Take this part", "aria-label": "Take this part of the file as it is now" }, "→"),
      collapseUnchanged: { margin: 3 },
    });
    result = () => view.b.state.sliceDoc();
    leave = () => view.destroy();
  } else {
    const merge = unifiedMergeView({ original: theirs, mergeControls: false, collapseUnchanged: { margin: 2 } });
    const view = new EditorView({ doc: mine, extensions: [editable, merge, label("Your version, with what differs")], parent: host });
    result = () => view.state.sliceDoc();
    leave = () => view.destroy();
  }
  const heads = wide
    ? h("div", { class: "compare-heads" }, h("span", {}, "The file as it is now"), h("span", {}, "Your version"))
    : h("p", { class: "compare-heads" }, "Red was changed in the file, green is yours.");
  const answers = [
    { value: "", label: "Back" },
    { value: "save", label: "Save the right side", primary: true },
  ];
  if (!wide) answers[1]!.label = "Save your version";
  try {
    const answer = await askIn({ title: `Two versions of ${base(path)}`, body: [heads, host], answers, wide: true });
    return answer === "save" ? result() : null;
  } finally {
    leave();
  }
}
