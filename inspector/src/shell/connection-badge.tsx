import type { ConnectionState } from 'corral/client';
import { connection, hello } from '../live/session.ts';

const words: Readonly<Record<ConnectionState, string>> = {
  connecting: 'connecting',
  open: 'live',
  waiting: 'reconnecting',
  closed: 'no access',
};

/** Whether what the page shows is fresh. */
export function ConnectionBadge() {
  const state = connection.value;
  const version = hello.value?.version;
  return (
    <p class="connection" data-state={state} role="status" title={version && `Corral ${version}`}>
      <span class="connection-dot" aria-hidden="true" />
      {words[state]}
    </p>
  );
}
