import { useEffect, useState } from 'preact/hooks';
import type { Job, PmanClient } from '../../../client/index.ts';

export interface LogViewProps {
  readonly client: PmanClient;
  readonly job: Job;
  readonly line: { readonly from: number; readonly to: number } | undefined;
  readonly onLineChange: (line: { readonly from: number; readonly to: number } | undefined) => void;
}

const LINES = 200;

/** The end of what a job has written. */
export function LogView({ client, job }: LogViewProps) {
  const [text, setText] = useState('');
  useEffect(() => {
    const stop = new AbortController();
    void (async () => {
      try {
        for await (const piece of client.follow(job.id, { signal: stop.signal })) {
          setText((old) => (old + piece.text).split('\n').slice(-LINES).join('\n'));
        }
      } catch {
        // The page says that its server is away.
      }
    })();
    return () => stop.abort();
  }, [client, job.id]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys
    <pre class="log" role="log" aria-live="off" aria-label="Output" tabIndex={0}>
      {text}
    </pre>
  );
}
