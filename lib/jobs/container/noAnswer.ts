import { PmanError } from '../../errors.ts';

/** Of an engine that says nothing for so long. */
export const noAnswer = (ms: number) =>
  new PmanError('unavailable', `the container engine has not answered for ${ms} ms`);
