import { expect, it } from '@jest/globals';
import { loggerOver } from '../../../lib/log.ts';

it('a logger that fails loses a line, and nothing else', () => {
  const lines: unknown[] = [];
  const fails = () => {
    throw new Error('the disk of the log is full');
  };
  const info = (message: string, fields?: object) => lines.push([message, fields]);
  const log = loggerOver({ debug: fails, info, warn: fails, error: fails });
  log.child({ component: 'x' }).warn('lost');
  log.error('lost');
  log.child({ component: 'x' }).info('told', { a: 1 });
  expect(lines).toEqual([['told', { component: 'x', a: 1 }]]);
});
