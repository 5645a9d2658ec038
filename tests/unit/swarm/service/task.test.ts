import { describe, expect, it } from '@jest/globals';
import { hasTerminal, newestFirst, parseTasks } from '../../../../swarm/service/task.ts';

const Status = { State: 'running' };

describe('newestFirst', () => {
  const sorted = (...times: readonly (string | undefined)[]) =>
    newestFirst(
      parseTasks(times.map((CreatedAt) => ({ ID: CreatedAt ?? 'none', CreatedAt, Status }))),
    ).map(({ ID }) => ID);

  it("reads the engine's times as times: they come without the zeros at the end", () => {
    const times = ['05', '05.1', '05.12', '05.120000001', '05.2', '06'].map(
      (seconds) => `2026-01-01T00:00:${seconds}Z`,
    );
    expect(sorted(...times)).toEqual([...times].reverse());
    expect(sorted(...[...times].reverse())).toEqual([...times].reverse());
  });

  it("keeps the engine's order where times are equal or missing", () => {
    const tasks = newestFirst(
      parseTasks([
        { ID: 'a', Status },
        { ID: 'b', CreatedAt: '', Status },
        { ID: 'c', Status },
      ]),
    );
    expect(tasks.map(({ ID }) => ID)).toEqual(['a', 'b', 'c']);
  });
});

describe('hasTerminal', () => {
  it.each([
    [{ ContainerSpec: { TTY: true } }, true],
    [{ ContainerSpec: {} }, false],
    [undefined, false],
  ])('reads of %j: %j', (Spec, expected) => {
    const [task] = parseTasks([{ ID: 't', Status, Spec }]);
    expect(task && hasTerminal(task)).toBe(expected);
  });
});
