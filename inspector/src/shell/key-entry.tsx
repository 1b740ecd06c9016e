import { useRef } from 'preact/hooks';
import { key, keepKey } from '../live/key.ts';
import { isRefused, open } from '../live/session.ts';
import './key-entry.css';

/** Asks for a key where the server wants one. The page behind it goes on showing what it knew. */
export function KeyEntry() {
  const input = useRef<HTMLInputElement>(null);
  if (!isRefused.value) return null;
  const send = (event: Event): void => {
    event.preventDefault();
    const given = input.current?.value.trim() ?? '';
    if (given === '') return;
    keepKey(given);
    open();
  };
  return (
    <form class="key-entry" onSubmit={send} aria-labelledby="key-title">
      <h2 id="key-title">This Corral asks for a key</h2>
      <p>
        {key.value === null
          ? 'Enter one that may read; to load and unload it has to be one that may manage.'
          : 'It does not know the key that was entered, or that key may not read.'}{' '}
        The key is kept until this tab is closed.
      </p>
      <div>
        <input ref={input} type="password" aria-label="Key" autocomplete="off" spellcheck={false} autofocus />
        <button type="submit" class="primary">
          Connect
        </button>
      </div>
    </form>
  );
}
