const KIBI = 1024;
const MEBI = KIBI * KIBI;

/** An amount of memory as `memory_limit` and Kubernetes write it: 16Mi, 3Ki, or bytes. */
export function memoryText(bytes: number): string {
  if (bytes % MEBI === 0) return `${bytes / MEBI}Mi`;
  return bytes % KIBI === 0 ? `${bytes / KIBI}Ki` : String(bytes);
}
