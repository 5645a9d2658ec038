import { describe, expect, it } from '@jest/globals';
import { readPmanConfig } from '../../../../lib/config/pman.ts';
import { unknownVariables } from '../../../../lib/config/unknownVariables.ts';

const unknown = (names: readonly string[]) =>
  unknownVariables(Object.fromEntries(names.map((name) => [name, '3'])), 'PMAN_', [
    'PMAN_MAXJOBS',
    'PMAN_PORT',
  ]);

describe('variables that are no settings', () => {
  it('are told, with the name that is near', () => {
    expect(unknown(['PMAN_MAXJOB', 'PMAN_COLOUR', 'PMAN_MAXJOBS', 'HOME'])).toEqual([
      { variable: 'PMAN_MAXJOB', nearest: 'PMAN_MAXJOBS' },
      { variable: 'PMAN_COLOUR' },
    ]);
  });

  it('are not those that Docker and Kubernetes set for services', () => {
    expect(
      unknown([
        ...['PMAN_SERVICE_HOST', 'PMAN_SERVICE_PORT', 'PMAN_SERVICE_PORT_HTTP', 'PMAN_NAME'],
        ...[
          'PMAN_PORT_5010_TCP',
          'PMAN_PORT_5010_TCP_ADDR',
          'PMAN_DB_SERVICE_HOST',
          'PMAN_DB_PORT',
        ],
      ]),
    ).toEqual([]);
  });

  it('are found by pman among its own, and those of pman_do are not meant', () => {
    const env = { PMAN_MAXJOB: '3', PMAN_HOME: '/x', PMAN_DO_SAVETO: '/y', PMAN_DBPATH: '/z' };
    expect(readPmanConfig({ argv: [], env })).toMatchObject({
      kind: 'run',
      unknown: [{ variable: 'PMAN_MAXJOB', nearest: 'PMAN_MAXJOBS' }],
    });
  });
});
