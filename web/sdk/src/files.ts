import type { Boatyard } from "./boatyard.js";

/** Writes files into a node, starting a session where there is none: `path` ends with a slash where it is a folder. Answers
 * what was written, in words. */
export async function sendFiles(yard: Boatyard, node: string, path: string, files: { name: string; content: Blob }[]): Promise<string> {
  await yard.node(node);
  const folder = path.endsWith("/");
  if (!folder && files.length > 1) throw new Error(`${path} is one file; a folder ends with a slash`);
  for (const { name, content } of files) await yard.upload(node, folder ? path + name : path, content);
  return files.length === 1 ? (folder ? path + files[0]!.name : path) : `${files.length} files`;
}
