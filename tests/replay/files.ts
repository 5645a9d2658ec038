import { existsSync, readdirSync } from 'node:fs';

/** Files below a folder by relative name, sorted; an empty folder ends in a slash, the folder itself is "./". */
export function listFiles(folder: string, prefix = ''): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  if (entries.length === 0) return [prefix === '' ? './' : prefix];
  const names = entries.flatMap((entry) => {
    const name = `${prefix}${entry.name}`;
    return entry.isDirectory() ? listFiles(`${folder}/${entry.name}`, `${name}/`) : [name];
  });
  return names.sort();
}
