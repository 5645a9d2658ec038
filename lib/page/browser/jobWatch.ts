import { useEffect, useRef } from 'preact/hooks';
import type { Job } from '../../client/index.ts';
import { terminalText } from '../../terminalText.ts';
import { kept } from './kept.ts';
import { groupOf, isOver, shortId, stateWords, type Told } from './shown.ts';
import { useApp } from './useApp.ts';

/** Says when the job that is open ends: to screen readers, and where that was allowed as a notification. */
export function useWatch(job: Job | undefined): void {
  const app = useApp();
  const before = useRef<{ readonly id: string; readonly wasOver: boolean }>();
  useEffect(() => {
    if (job === undefined) return;
    const was = before.current;
    const isNow = isOver(job.state);
    before.current = { id: job.id, wasOver: isNow };
    if (was === undefined || was.id !== job.id || was.wasOver || !isNow) return;
    const text = terminalText(`${job.jid || shortId(job.id)} ${stateWords(job)}`);
    app.say({ kind: 'done', text: `${groupOf(job.state).glyph} ${text}` });
    if (wantsNotifications())
      new Notification(text, { body: terminalText(job.command.slice(0, 200)), tag: job.id });
  }, [app, job]);
}

/** Whether a person has asked for notifications, and the browser allows them. */
export function wantsNotifications(): boolean {
  return (
    'Notification' in globalThis &&
    Notification.permission === 'granted' &&
    kept.getItem('pman notify') === 'yes'
  );
}

interface TabFacts {
  /** A job that was open when it was removed. */
  readonly gone: Pick<Job, 'id' | 'jid'> | undefined;
  readonly isAway: boolean;
  readonly running: number;
}

/** The title and the icon of the tab. */
export function useTabTitle(
  job: (Pick<Job, 'id' | 'jid'> & Told) | undefined,
  { gone, isAway, running }: TabFacts,
): void {
  useEffect(() => {
    const shown = job ?? gone;
    const words = job === undefined ? 'removed' : stateWords(job);
    const name = shown && terminalText(`${shown.jid || shortId(shown.id)} ${words}`);
    const mark = job === undefined ? '' : `${groupOf(job.state).glyph} `;
    document.title = `${isAway ? '(!) ' : ''}${name === undefined ? '' : `${mark}${name} · `}pman`;
    const group = job === undefined ? undefined : groupOf(job.state).name;
    const isBad = group === 'failed' || group === 'lost';
    const kind = isAway
      ? '-away'
      : isBad
        ? '-failed'
        : group === 'running' || (group === undefined && running > 0)
          ? '-running'
          : '';
    document.querySelector('link[rel=icon]')?.setAttribute('href', `/ui/icon${kind}.svg`);
  }, [job, gone, isAway, running]);
}
