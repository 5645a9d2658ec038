#!/usr/bin/env node
import { main } from '../crunner/cli/main.ts';

// No await: this program is bundled as a CommonJS module, which has none at its top.
void main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
