import { UsageError } from '../errors.ts';
import { nearName } from '../wire/nearName.ts';

/** Settings as a program gives them to a module of ours: by the names of the flags; a list stands for commas between. */
export type SettingValues<Input> = {
  readonly [Name in keyof Input]?: SettingValue<Exclude<Input[Name], undefined>> | undefined;
};

type SettingValue<Text> = Text extends boolean ? boolean : string | number | readonly string[];

/**
 * Holds what a program gives to the names that there are: it may be of JavaScript, and a command line takes short names.
 * @param known the names of all settings
 * @param needed those that have to be there
 * @throws UsageError naming the setting
 */
export function requireSettings(
  given: object,
  known: readonly string[],
  needed: readonly string[],
): void {
  const said = new Map<string, unknown>(Object.entries(given));
  for (const name of needed) {
    if (said.get(name) === undefined) throw new UsageError(`the setting ${name} is missing`);
  }
  for (const name of said.keys()) {
    if (known.includes(name)) continue;
    const near = nearName(name, known);
    const advice = near === undefined ? '' : `; is ${near} meant?`;
    throw new UsageError(`there is no setting ${JSON.stringify(name.slice(0, 80))}${advice}`);
  }
}

/**
 * The command line that says the same as these settings, so that both are read by the same rules.
 * @param settings undefined is what is not set
 */
export function flagsOf(settings: object): string[] {
  return Object.entries(settings).flatMap(([name, value]: [string, unknown]) => {
    if (value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name}=${String(value)}`];
  });
}
