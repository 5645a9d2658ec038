import { FLAG_FORMS } from './flags.ts';

export const USAGE = 'usage: crunner -c CMD [flags]\n';

/** The text of `--help`. */
export function helpText(): string {
  const forms: readonly { names: readonly string[]; value?: string; help: string }[] =
    Object.values(FLAG_FORMS);
  const rows = forms.map(({ names, value, help }) => {
    const left = `  ${names.join(', ')}${value === undefined ? '' : ` ${value}`}`;
    return left.length < 30 ? left.padEnd(30) + help : `${left}\n${' '.repeat(30)}${help}`;
  });
  return [
    USAGE,
    'Runs a command line in /bin/sh, here or on another host, and exits with its status.',
    '',
    ...rows,
    '',
  ].join('\n');
}
