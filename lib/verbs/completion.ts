import { UsageError } from '../errors.ts';
import { SHELL_SCRIPTS } from './completionScripts.ts';
import type { Verb } from './verb.ts';

/** `pman completion SHELL`: the script that has a shell complete the words of pman. */
export const completion: Verb = {
  usage: [...SHELL_SCRIPTS.keys()],
  examples: [
    ['source <(pman completion bash)', 'in ~/.bashrc'],
    ['source <(pman completion zsh)', 'in ~/.zshrc, behind compinit'],
    ['pman completion fish | source', 'in ~/.config/fish/config.fish'],
  ],
  flags: [],
  async run({ argv: [shell = '', ...more], streams }) {
    const script = SHELL_SCRIPTS.get(shell);
    if (script === undefined || more.length > 0) {
      throw new UsageError(`say which shell: ${[...SHELL_SCRIPTS.keys()].join(', ')}`);
    }
    streams.out.write(script);
    return 0;
  },
};
