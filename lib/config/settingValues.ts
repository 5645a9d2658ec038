/** Settings as a program gives them to a module of ours: by the names of the flags; a list stands for commas between. */
export type SettingValues<Input> = {
  readonly [Name in keyof Input]?: SettingValue<Exclude<Input[Name], undefined>> | undefined;
};

type SettingValue<Text> = Text extends boolean ? boolean : string | number | readonly string[];

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
