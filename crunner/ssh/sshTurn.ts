/** An sshd in its default configuration drops connections at random when ten or more have not logged in (MaxStartups). */
const AT_ONCE = 8;

interface Place {
  busy: number;
  readonly queue: Array<() => void>;
}

const places = new Map<string, Place>();

/**
 * Waits until few enough clients are logging in to a host.
 * @returns what lets the next one begin; to be called once
 */
export async function takeTurn(host: string): Promise<() => void> {
  const place = places.get(host) ?? { busy: 0, queue: [] };
  places.set(host, place);
  if (place.busy >= AT_ONCE) await new Promise<void>((resolve) => place.queue.push(resolve));
  else place.busy += 1;
  return () => {
    const next = place.queue.shift();
    if (next !== undefined) next();
    else {
      place.busy -= 1;
      if (place.busy === 0) places.delete(host);
    }
  };
}
