/** What the reader of the page may do in its session: each includes those before it. */
export type Right = "watch" | "type" | "own";

const ORDER: Right[] = ["watch", "type", "own"];

/** Whether the reader may do what needs `right`. The page only spares them what is of no use: the server judges each
 * request by itself. */
export function may(right: Right): boolean {
  const has = (document.body.dataset.right ?? "own") as Right;
  return ORDER.indexOf(has) >= ORDER.indexOf(right);
}

/** The server's close code of a socket where the owner has ended the share through which the page came. */
export const UNSHARED = 4010;
