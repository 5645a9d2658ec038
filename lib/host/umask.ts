let inherited: number | undefined;

/**
 * From here on this process makes files and folders without the rights that `umask` takes away. What it runs for others
 * is to have the umask that it was itself started with: `inheritedUmask`.
 */
export function setOwnUmask(umask: number): void {
  const before = process.umask(umask);
  inherited ??= before;
}

/** The umask that this process was started with. */
export function inheritedUmask(): number {
  return inherited ?? process.umask();
}
