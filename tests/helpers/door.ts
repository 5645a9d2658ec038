import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Guesses } from '../../lib/access/guesses.ts';
import { TokenStore } from '../../lib/access/tokenStore.ts';
import { silentLogger } from '../../lib/log.ts';
import { tempDir } from './tempDir.ts';

/** A door that knows these tokens, each good for everything. */
export function doorWith(tokens: readonly string[], guesses = new Guesses()): TokenStore {
  return doorOf('tokens', tokens.join('\n'), guesses);
}

/** A door that knows the tokens of such a file. */
export function doorOf(name: string, content: string, guesses = new Guesses()): TokenStore {
  const file = join(tempDir(), name);
  writeFileSync(file, content, { mode: 0o600 });
  const door = TokenStore.open(file, silentLogger(), guesses);
  door.close();
  return door;
}
