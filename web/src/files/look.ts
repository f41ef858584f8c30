import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags as t } from "@lezer/highlight";

// The page's own tokens, so that the editor follows the theme without knowing of it.
const frame = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--code)", fontSize: "0.86rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", scrollbarWidth: "thin" },
  ".cm-content": { caretColor: "var(--lead)", padding: "8px 0" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--lead)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "var(--code)", color: "var(--soft)", border: "0" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "34px", paddingRight: "10px" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--ink) 5%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--blue) 26%, transparent)",
  },
  ".cm-selectionMatch": { backgroundColor: "color-mix(in srgb, var(--green) 20%, transparent)" },
  ".cm-searchMatch": { backgroundColor: "var(--amber-wash)", outline: "1px solid var(--amber)" },
  ".cm-searchMatch-selected": { backgroundColor: "color-mix(in srgb, var(--amber) 40%, transparent)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "transparent", outline: "1px solid var(--line-strong)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "var(--lead-wash)" },
  ".cm-panels": { backgroundColor: "var(--well)", color: "var(--ink)" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panels.cm-panels-bottom": { borderTop: "1px solid var(--line)" },
  ".cm-panel.cm-search": { padding: "6px 30px 6px 8px", fontFamily: "var(--font)" },
  ".cm-textfield": { border: "1px solid var(--line-strong)", borderRadius: "4px", backgroundColor: "var(--ground)", minHeight: "26px" },
  ".cm-button": { border: "1px solid var(--line-strong)", borderRadius: "4px", background: "var(--sheet)", color: "var(--ink)", minHeight: "26px" },
  ".cm-panel.cm-search [name=close]": { width: "24px", height: "24px", color: "var(--ink)", cursor: "pointer" },
  ".cm-specialChar": { color: "var(--lead)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--well)", border: "1px solid var(--line)", color: "var(--soft)" },
  ".cm-tooltip": { border: "1px solid var(--line)", backgroundColor: "var(--sheet)", color: "var(--ink)" },
  ".cm-mergeView": { backgroundColor: "var(--code)" },
  "&.cm-merge-a .cm-changedLine, .cm-deletedChunk": { backgroundColor: "var(--lead-wash)" },
  "&.cm-merge-b .cm-changedLine, .cm-inlineChangedLine": { backgroundColor: "var(--green-wash)" },
  "&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText": {
    background: "color-mix(in srgb, var(--lead) 26%, transparent)",
  },
  "&.cm-merge-b .cm-changedText": { background: "color-mix(in srgb, var(--green) 26%, transparent)" },
});

const colours = HighlightStyle.define([
  { tag: [t.comment, t.meta], color: "var(--soft)" },
  { tag: [t.keyword, t.operatorKeyword, t.modifier, t.controlKeyword], color: "var(--lead)", fontWeight: "600" },
  { tag: [t.string, t.special(t.string), t.regexp, t.character], color: "var(--green)" },
  { tag: [t.number, t.bool, t.null, t.atom, t.escape], color: "var(--amber)" },
  { tag: [t.propertyName, t.attributeName, t.definition(t.propertyName), t.function(t.variableName), t.standard(t.name)], color: "var(--blue)" },
  { tag: [t.definition(t.variableName), t.className, t.typeName, t.tagName, t.labelName, t.variableName], color: "var(--ink)" },
  { tag: [t.className, t.typeName, t.tagName], color: "var(--blue)", fontWeight: "600" },
  { tag: t.heading, fontWeight: "700" },
  { tag: t.invalid, color: "var(--lead)", textDecoration: "underline wavy" },
]);

/** How the editor looks: colours by the page's tokens, styles under the page's content security policy. */
export function look(): Extension {
  const nonce = document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce;
  return [frame, syntaxHighlighting(colours), nonce ? EditorView.cspNonce.of(nonce) : []];
}
