import type { JobEvent } from '../../../client/index.ts';

/** What a window says to the script that holds the stream. */
export type FromWindow =
  /** It wants what this token may see, behind this number. */
  | { readonly kind: 'join'; readonly token: string | null; readonly after: number | undefined }
  | { readonly kind: 'here' }
  | { readonly kind: 'leave' };

/** What that script says to a window. */
export type ToWindow =
  | { readonly kind: 'joined' }
  /** The script is there, whatever the server does; it wants to know whether the window is. */
  | { readonly kind: 'ping' }
  /** What has happened; without any events: the server says that it is there. */
  | { readonly kind: 'news'; readonly events: readonly JobEvent[] }
  /** The stream has ended, or is none for this window. */
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      readonly status: number | undefined;
    };
