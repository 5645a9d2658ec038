import type { Verb } from './verb.ts';

/** `pman token add|list|revoke`: what it needs to read flags and files is loaded when it is asked to do something. */
export const token: Verb = {
  usage: [
    'add NAME --scopes LIST [limits]   adds a token and prints it, once',
    'add NAME --all                    adds a token that is good for everything',
    'list                              shows what tokens there are, and what they allow',
    'revoke NAME                       removes a token',
  ],
  examples: [
    ['pman token add nightly --scopes run,read', 'a token that can run jobs and read'],
    ['pman token list', 'what there is'],
  ],
  flags: [],
  notes: [
    'All of them work on the file that --tokenPath or PMAN_TOKENPATH names. A pman or pfioh that runs with it sees the\nchange at once. "pman token add --help" lists the limits.',
  ],
  takesCommand: true,
  async run({ argv, env, streams }) {
    const { runToken } = await import('./tokenVerb.ts');
    streams.out.write(await runToken(argv, env));
    return 0;
  },
};
