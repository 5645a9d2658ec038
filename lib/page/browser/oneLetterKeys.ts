import { kept } from './kept.ts';

/** Whether keys are letters there, and no orders. */
export function isTypedInto(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return target.type !== 'checkbox';
  return target.matches('textarea, select') || target.isContentEditable;
}

const OFF = 'pman keys';

/** Whether keys of one letter work (WCAG 2.1.4). */
export function areKeysOn(): boolean {
  return kept.getItem(OFF) !== 'off';
}

export function setKeys(isOn: boolean): void {
  if (isOn) kept.removeItem(OFF);
  else kept.setItem(OFF, 'off');
}
