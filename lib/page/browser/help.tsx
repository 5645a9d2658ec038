import { useState } from 'preact/hooks';
import { Dialog } from './dialog.tsx';
import { kept } from './kept.ts';
import { KEY_MAP } from './keys.ts';
import { areKeysOn, setKeys } from './oneLetterKeys.ts';
import { useApp } from './useApp.ts';

export interface HelpProps {
  readonly onClose: () => void;
}

/** The keys of the page, and what can be set. */
export function Help({ onClose }: HelpProps) {
  const app = useApp();
  const [isOn, setOn] = useState(areKeysOn);
  const [notify, setNotify] = useState(kept.getItem('pman notify') === 'yes');
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="keys">
        {KEY_MAP.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p>
        <label>
          <input
            type="checkbox"
            checked={isOn}
            onChange={({ currentTarget: { checked } }) => {
              setKeys(checked);
              setOn(checked);
            }}
          />{' '}
          Keys of one letter work
        </label>
      </p>
      {'Notification' in globalThis && (
        <p>
          <label>
            <input
              type="checkbox"
              checked={notify}
              onChange={({ currentTarget: { checked } }) => {
                kept.setItem('pman notify', checked ? 'yes' : 'no');
                setNotify(checked);
                if (checked) void Notification.requestPermission();
              }}
            />{' '}
            Notify me when the job that is open ends
          </label>
        </p>
      )}
      {app.live.hasToken && (
        <p>
          <button
            type="button"
            onClick={() => {
              onClose();
              app.live.useToken('');
            }}
          >
            Forget the token
          </button>
        </p>
      )}
      <p class="answers">
        <button type="button" class="deed" onClick={onClose}>
          Close
        </button>
      </p>
    </Dialog>
  );
}
