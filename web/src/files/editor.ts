import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension, Text, Transaction } from "@codemirror/state";
import {
  crosshairCursor,
  drawSelection,
  dropCursor,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  rectangularSelection,
} from "@codemirror/view";
import { indentationMarkers } from "@replit/codemirror-indentation-markers";
import { isDark, onTheme } from "../ui/theme";
import { languageOf } from "./languages";
import { look } from "./look";
import { base } from "./paths";

/** A line that is longer makes colouring slower than typing. */
const LONGEST_LINE = 5_000;

const theme = new Compartment();

/** What an editor shows of one file. */
export interface Page {
  state: EditorState;
  /** The text as the file has it. */
  saved: Text;
  language: string;
}

/** The part of every editor that has nothing to do with its file. */
export function usual(): Extension {
  return [
    lineNumbers(),
    highlightSpecialChars(),
    drawSelection(),
    theme.of(EditorView.darkTheme.of(isDark())),
    look(),
  ];
}

/** A file's text as an editor's page. */
export function pageOf(path: string, text: string, readOnly: boolean, changed: () => void): Page {
  const lines = text.split("\n");
  const language = languageOf(base(path), text);
  const state = EditorState.create({
    doc: text,
    extensions: [
      usual(),
      // Line ends come out as they went in; where they are mixed, each keeps its own.
      EditorState.lineSeparator.of(lines.length > 1 && lines.slice(0, -1).every((line) => line.endsWith("\r")) ? "\r\n" : "\n"),
      EditorState.readOnly.of(readOnly),
      EditorView.contentAttributes.of({ "aria-label": `${base(path)}, ${language.name}${readOnly ? ", read only" : ""}` }),
      indentUnit.of(indentIn(text) ?? language.indent),
      EditorState.tabSize.of(4),
      history(),
      foldGutter(),
      dropCursor(),
      EditorState.allowMultipleSelections.of(true),
      rectangularSelection(),
      crosshairCursor(),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      highlightSelectionMatches(),
      indentationMarkers({
        highlightActiveBlock: true,
        colors: { light: "var(--line)", dark: "var(--line)", activeLight: "var(--line-strong)", activeDark: "var(--line-strong)" },
      }),
      search({ top: true }),
      lines.some((line) => line.length > LONGEST_LINE) ? EditorView.lineWrapping : language.support,
      // Escape, then Tab leaves the editor: CodeMirror's own way out.
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, indentWithTab]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) changed();
      }),
    ],
  });
  return { state, saved: state.doc, language: language.name };
}

/** The text as it is written into the file. */
export function textOf(state: EditorState): string {
  return state.sliceDoc();
}

/** What of a page is to be kept when its file has the text `text` now: the cursor, and the way back. */
export function replaced(state: EditorState, text: string): Transaction {
  const doc = state.toText(text);
  const anchor = Math.min(state.selection.main.anchor, doc.length);
  return state.update({ changes: { from: 0, to: state.doc.length, insert: doc }, selection: { anchor } });
}

/** The editor's place on the page; it shows one file at a time. */
export class Editor {
  private readonly view: EditorView;

  constructor(host: HTMLElement) {
    this.view = new EditorView({ parent: host });
    onTheme((dark) => this.view.dispatch({ effects: theme.reconfigure(EditorView.darkTheme.of(dark)) }));
  }

  get state(): EditorState {
    return this.view.state;
  }

  show(state: EditorState): void {
    this.view.setState(state);
    // The page may have changed its theme while the file was out of sight.
    this.view.dispatch({ effects: theme.reconfigure(EditorView.darkTheme.of(isDark())) });
  }

  apply(transaction: Transaction): void {
    this.view.dispatch(transaction);
  }

  focus(): void {
    this.view.focus();
  }

  measure(): void {
    this.view.requestMeasure();
  }
}

/** The indentation that most of a text's indented lines begin with; none where there are none. */
function indentIn(text: string): string | null {
  const found = /^(\t| {2}(?! )| {4}(?! ))\S/m.exec(text)?.[1];
  return found ?? null;
}
