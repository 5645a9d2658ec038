/** What the client needs of an answer: that of `fetch` has it. */
export interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: { getReader(): AnswerReader } | null;
  text(): Promise<string>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

export interface AnswerReader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
}

export interface Sending {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
}

/** Sends a request, and resolves when the head of its answer is there; `fetch` is one. */
export type Transport = (url: string, sending: Sending) => Promise<Answer>;
