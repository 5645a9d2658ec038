import type { Engine } from '../jobs/container/engine.ts';
import type { Meter } from './meter.ts';

/** An engine whose calls are counted. */
export function meteredEngine(engine: Engine, { engineCalls, engineSeconds }: Meter): Engine {
  const counted = async <T>(call: keyof Engine, piece: () => Promise<T>): Promise<T> => {
    try {
      const value = await piece();
      engineCalls.inc({ call, result: 'ok' });
      return value;
    } catch (error) {
      engineCalls.inc({ call, result: 'error' });
      throw error;
    }
  };
  const timed = async <T>(call: keyof Engine, piece: () => Promise<T>): Promise<T> => {
    const stop = engineSeconds.startTimer({ call });
    try {
      return await counted(call, piece);
    } finally {
      stop();
    }
  };
  return {
    check: (request, options) => timed('check', () => engine.check(request, options)),
    start: (request, options) => timed('start', () => engine.start(request, options)),
    look: (works, options) => timed('look', () => engine.look(works, options)),
    end: (work, order) => timed('end', () => engine.end(work, order)),
    remove: (work) => timed('remove', () => engine.remove(work)),
    logs: (workers, limitBytes) => timed('logs', () => engine.logs(workers, limitBytes)),
    owner: (name) => timed('owner', () => engine.owner(name)),
    follow: (worker, options) => counted('follow', () => engine.follow(worker, options)),
    changes: (onChange, options) => counted('changes', () => engine.changes(onChange, options)),
  };
}
