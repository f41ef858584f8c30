/** Reads a port that was typed; a text says what is wrong with it. */
export function readPort(typed: string): number | string {
  const text = typed.trim().replace(/^:/, "");
  if (text === "") return "Which port? Type its number, such as 8080.";
  const port = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : "A port is a number from 1 to 65535.";
}
