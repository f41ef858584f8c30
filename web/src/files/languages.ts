import { StreamLanguage, type StreamParser } from "@codemirror/language";
import { javascript } from "@codemirror/lang-javascript";
import { json } from "@codemirror/lang-json";
import { python } from "@codemirror/lang-python";
import { yaml } from "@codemirror/lang-yaml";
import { css } from "@codemirror/legacy-modes/mode/css";
import { dockerFile } from "@codemirror/legacy-modes/mode/dockerfile";
import { nginx } from "@codemirror/legacy-modes/mode/nginx";
import { properties } from "@codemirror/legacy-modes/mode/properties";
import { shell } from "@codemirror/legacy-modes/mode/shell";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { html } from "@codemirror/legacy-modes/mode/xml";
import type { Extension } from "@codemirror/state";

/** A language of the editor. */
export interface Language {
  name: string;
  support: Extension;
  /** Spaces or a tab for one level of indentation, as the language has it. */
  indent: string;
}

const stream = (parser: StreamParser<unknown>): Extension => StreamLanguage.define(parser);
const make = (name: string, indent: string, support: () => Extension) => (): Language => ({ name, indent, support: support() });

const DOCKERFILE = make("Dockerfile", "    ", () => stream(dockerFile as StreamParser<unknown>));
const YAML = make("YAML", "  ", () => yaml());
const PYTHON = make("Python", "    ", () => python());
const SHELL = make("Shell", "    ", () => stream(shell as StreamParser<unknown>));
const JS = make("JavaScript", "  ", () => javascript({ jsx: true }));
const TS = make("TypeScript", "  ", () => javascript({ jsx: true, typescript: true }));
const JSON_ = make("JSON", "  ", () => json());
const TOML = make("TOML", "  ", () => stream(toml as StreamParser<unknown>));
const HTML = make("HTML", "  ", () => stream(html as StreamParser<unknown>));
const CSS = make("CSS", "  ", () => stream(css as StreamParser<unknown>));
const NGINX = make("nginx", "    ", () => stream(nginx as StreamParser<unknown>));
const SETTINGS = make("Settings", "    ", () => stream(properties as StreamParser<unknown>));
const TEXT = make("Text", "    ", () => []);
const MAKEFILE = make("Makefile", "\t", () => []);

/** By the whole name, then by what follows the last dot. */
const NAMES: [RegExp, () => Language][] = [
  [/^(docker|container)file(\..+)?$|\.(docker|container)file$/i, DOCKERFILE],
  [/^(gnu)?makefile$/i, MAKEFILE],
  [/^nginx.*\.conf$/i, NGINX],
  [/^\.?(bashrc|bash_\w+|profile|zshrc|envrc)$|^(entrypoint|docker-entrypoint)$/, SHELL],
  [/^\.env(\..+)?$|\.(ini|cfg|conf|properties|env|service)$/, SETTINGS],
  [/\.ya?ml$/i, YAML],
  [/\.pyw?$/i, PYTHON],
  [/\.(sh|bash|zsh|ash)$/i, SHELL],
  [/\.([cm]?js|jsx)$/i, JS],
  [/\.([cm]?ts|tsx)$/i, TS],
  [/\.(json|jsonc|webmanifest)$|^\.(prettier|eslint)rc$|^daemon\.json$/i, JSON_],
  [/\.(toml|lock)$/i, TOML],
  [/\.(html?|xml|svg)$/i, HTML],
  [/\.css$/i, CSS],
];

/** The language of a file by its name, else by its first line. */
export function languageOf(name: string, text: string): Language {
  const known = NAMES.find(([pattern]) => pattern.test(name));
  if (known) return known[1]();
  const first = /^#!\s*(\S+)(?:\s+(\S+))?/.exec(text);
  const program = first?.[1]?.endsWith("/env") ? first[2] : first?.[1];
  if (/python/.test(program ?? "")) return PYTHON();
  if (/(ba|da|a|z|k)?sh$/.test(program ?? "")) return SHELL();
  if (/node|bun|deno/.test(program ?? "")) return JS();
  return TEXT();
}
