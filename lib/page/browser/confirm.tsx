import { terminalText } from '../../terminalText.ts';
import { Dialog } from './dialog.tsx';
import type { Question } from './question.ts';
import { useApp, useChanges } from './useApp.ts';

/** So many names are shown. */
const SHOWN = 8;

/** Asks before something is done; the answer that changes nothing has the focus. */
export function Confirm({
  question: { title, text, names, verb, act },
  onClose,
}: {
  readonly question: Question;
  readonly onClose: () => void;
}) {
  const app = useApp();
  useChanges(app);
  return (
    <Dialog title={title} onClose={onClose}>
      <ul class="names">
        {names.slice(0, SHOWN).map((name) => (
          <li key={name} class="mono">
            <bdi>{terminalText(name)}</bdi>
          </li>
        ))}
        {names.length > SHOWN && <li>and {names.length - SHOWN} more</li>}
      </ul>
      <p>{text}</p>
      <p class="answers">
        {/* biome-ignore lint/a11y/noAutofocus: in a dialog the focus has to begin somewhere */}
        <button type="button" autoFocus onClick={onClose}>
          No
        </button>
        <button
          type="button"
          class="deed"
          disabled={!app.canAct}
          title={app.off}
          onClick={() => {
            onClose();
            act();
          }}
        >
          {verb}
        </button>
      </p>
    </Dialog>
  );
}
