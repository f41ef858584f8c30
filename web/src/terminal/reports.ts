import type { IDisposable, Terminal } from "@xterm/xterm";

/**
 * Keeps a terminal's answers to what programs ask it (its kind, its cursor's place, its colours) from being sent while
 * `silent`: of several people before one terminal only one answers, or a program would read the others' answers as keys.
 */
export function silenceReports(terminal: Terminal, silent: () => boolean): IDisposable[] {
  const { parser } = terminal;
  const asked = (): boolean => silent();
  const csi = [
    { final: "c" },
    { prefix: ">", final: "c" },
    { prefix: "=", final: "c" },
    { final: "n" },
    { prefix: "?", final: "n" },
    { prefix: ">", final: "q" },
    { intermediates: "$", final: "p" },
    { prefix: "?", intermediates: "$", final: "p" },
  ];
  return [
    ...csi.map((id) => parser.registerCsiHandler(id, asked)),
    parser.registerDcsHandler({ intermediates: "$", final: "q" }, asked),
    // These also set colours: only a question is kept quiet.
    ...[4, 10, 11, 12].map((code) => parser.registerOscHandler(code, (data) => data.includes("?") && silent())),
  ];
}
