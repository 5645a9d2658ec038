import { describe, expect, it } from '@jest/globals';
import { checkMeta } from '../../../../lib/pfioh/meta.ts';
import { parseTransfer } from '../../../../lib/purl/transferMessage.ts';

describe('what is wrong with a message', () => {
  it.each([
    [undefined, 'meta is missing'],
    [[], 'meta has to be an object {…}'],
    [{}, 'meta.local is missing; meta.remote is missing'],
    [{ local: { path: '' }, remote: {} }, 'meta.local.path is empty'],
    [{ local: { path: 5 }, remote: {} }, 'meta.local.path has to be a text'],
    [{ local: { path: 'x' }, remote: { key: {} } }, 'meta.remote.key has to be a text or a number'],
  ])('is said by purl in words (%j)', (meta, said) => {
    const message = { text: '', value: { action: 'pushPath', meta } };
    expect(() => parseTransfer(message)).toThrow(`pushPath: ${said}; see --man pushPath`);
  });

  it.each([
    [undefined, 'meta is missing'],
    [{ local: { mode: -1 } }, 'meta.local.mode is too small'],
    [{ transport: { resume: { id: 'x' } } }, 'meta.transport.resume.id is not as it has to be'],
    [{ transport: { copy: 1 } }, 'meta.transport.copy has to be an object {…}'],
  ])('is said by pfioh in words (%j)', (meta, said) => {
    expect(() => checkMeta(meta)).toThrow(`the request is not understood: ${said}`);
  });
});
