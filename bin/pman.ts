#!/usr/bin/env node
import { endWhenWritten } from '../lib/programOutput.ts';
import { main } from '../lib/verbs/runVerb.ts';

// No await: this program is bundled as a CommonJS module, which has none at its top. The server stays a file of its own.
void main(process.argv.slice(2), process.env, async (flags, help) =>
  (await import('./pmanServe.ts')).serve(flags, help),
)
  // Nothing that was begun for a verb holds up its end, such as a server that is asked again.
  .then(endWhenWritten);
