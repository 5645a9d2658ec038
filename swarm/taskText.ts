import type { Task } from './task.ts';

/** A task as swarm.py prints it: one line of JSON in Python's layout, blanks after `,` and `:`, ASCII alone. */
export function taskText(task: Task): string {
  return escaped(layout(task));
}

function layout(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(layout).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([key, of]) => `${JSON.stringify(key)}: ${layout(of)}`,
    );
    return `{${members.join(', ')}}`;
  }
  return JSON.stringify(value);
}

function escaped(text: string): string {
  return text.replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
