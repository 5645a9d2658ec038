/** A value that is there already, or that comes. To wait for one that is there costs as much as to make it. */
export type Soon<T> = T | Promise<T>;

/** What `next` makes of a value: at once where that is there. What `next` throws then is thrown at once. */
export function whenThere<T, U>(value: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
