import { useState } from 'preact/hooks';
import { Failure } from './failure.tsx';
import { clock } from './shown.ts';
import { useApp, useChanges, useNow } from './useApp.ts';

/** What has to be known of the connection: that it is lost, or what the server has against it. */
export function Banner() {
  const app = useApp();
  useChanges(app);
  const { contact } = app.live;
  const isAway = contact.kind === 'away';
  const now = useNow(isAway, Date.now);
  return (
    <div aria-live="polite">
      {isAway && (
        <p class="banner">
          Not connected since {clock(contact.since, true)}, what you see is from then.{' '}
          <span aria-hidden="true">
            {contact.nextAt === undefined
              ? 'Trying…'
              : `Again in ${Math.max(0, Math.ceil((contact.nextAt - now) / 1000))} s`}{' '}
          </span>
          <button type="button" onClick={() => app.live.now()}>
            Now
          </button>
        </p>
      )}
      {contact.kind === 'refused' && (
        <Failure error={contact.error} onAgain={() => app.live.start()} />
      )}
    </div>
  );
}

/** Asks for the token of the server; it is kept until the tab is closed. */
export function TokenForm({ wasRefused }: { readonly wasRefused: boolean }) {
  const app = useApp();
  const [token, setToken] = useState('');
  return (
    <form
      class="panel alone token"
      onSubmit={(event) => {
        event.preventDefault();
        if (token.trim() !== '') app.live.useToken(token.trim());
      }}
    >
      <h2>This server wants a token</h2>
      {wasRefused && (
        <p class="state failed" role="alert">
          ✗ It does not know that one.
        </p>
      )}
      <div class="field">
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autoComplete="off"
          spellcheck={false}
          // biome-ignore lint/a11y/noAutofocus: there is nothing else to do here
          autoFocus
          value={token}
          onInput={({ currentTarget }) => setToken(currentTarget.value)}
        />
        <small>It is kept in this tab until you close it. `pman token add` makes one.</small>
      </div>
      <p class="answers">
        <button type="submit" class="deed">
          Go on
        </button>
      </p>
    </form>
  );
}
