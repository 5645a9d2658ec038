import { PmanClientError } from '../../client/index.ts';
import { terminalText } from '../../terminalText.ts';
import { useApp } from './useApp.ts';

/** What the server has against something, in its words, and a way to try again. */
export function Failure({
  error,
  onAgain,
  id,
}: {
  readonly error: unknown;
  readonly id?: string | undefined;
  readonly onAgain?: (() => void) | undefined;
}) {
  const app = useApp();
  const isOurs = error instanceof PmanClientError;
  return (
    <div class="failure" role="alert" id={id}>
      <p>{terminalText(error instanceof Error ? error.message : String(error))}</p>
      {isOurs && error.hint !== undefined && <p class="quiet">{terminalText(error.hint)}</p>}
      {isOurs && <p class="quiet mono">{error.code}</p>}
      {onAgain !== undefined && (
        <button type="button" onClick={onAgain} disabled={!app.canAct} title={app.off}>
          Try again
        </button>
      )}
    </div>
  );
}
