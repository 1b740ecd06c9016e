import { mode } from '../../live/shown.ts';
import { hello } from '../../live/session.ts';
import { ask } from '../../parts/confirm.tsx';
import { load, pin, stop, unload } from '../../shell/actions.ts';
import type { RosterRow } from './roster.ts';

/** What can be done to a model or its runner now. Asks first where requests would be lost. */
export function ModelActions({ row }: { readonly row: RosterRow }) {
  const { name, model, runner, state } = row;
  const isAllowed = mode.value === 'live' && (hello.value?.scopes.includes('manage') ?? false);
  const isPinned = runner?.pinned ?? model?.options?.pinned ?? false;
  const isEnding = state === 'unloading' || state === 'vram-recovering';
  if (state === 'unusable') return null;
  return (
    <>
      {runner ? (
        <button
          type="button"
          disabled={!isAllowed || isEnding}
          aria-label={`${state === 'expiring' ? 'Stop' : 'Unload'} ${name}`}
          onClick={() => unloadOf(row)}
        >
          {state === 'expiring' ? 'Stop now' : 'Unload'}
        </button>
      ) : (
        <button
          type="button"
          disabled={!isAllowed}
          aria-label={`Load ${name}`}
          title="Load it now, ahead of any request"
          onClick={() => load(name)}
        >
          Load
        </button>
      )}
      <button
        type="button"
        disabled={!isAllowed}
        aria-label={`${isPinned ? 'Unpin' : 'Pin'} ${name}`}
        title={isPinned ? 'Let it be evicted again' : 'Load it, and never evict it'}
        onClick={() => pin(name, !isPinned)}
      >
        {isPinned ? 'Unpin' : 'Pin'}
      </button>
    </>
  );
}

function unloadOf({ name, model, runner, waiting, state }: RosterRow): void {
  if (!runner) return;
  const isOnly = (model?.runners.length ?? 1) <= 1;
  const end = (isForced: boolean): void => (isOnly ? unload(name, isForced) : stop(runner.id, isForced));
  const lost = [
    ...(runner.leases > 0 ? [`${requests(runner.leases)} being served by ${runner.id}`] : []),
    ...(isOnly && waiting > 0 ? [`${requests(waiting)} waiting for ${name}, which will be refused`] : []),
  ];
  if (lost.length === 0) return end(false);
  const choices = [
    ...(state === 'expiring' ? [] : [{ label: 'Unload after they end', act: () => end(false) }]),
    { label: 'End them now', isDangerous: true, act: () => end(true) },
  ];
  ask({
    title: `Unload ${name}?`,
    text: `There is work that would be lost: ${lost.join('; ')}.`,
    choices: runner.leases > 0 ? choices : [{ label: 'Unload', isDangerous: true, act: () => end(false) }],
  });
}

const requests = (count: number): string => (count === 1 ? '1 request is' : `${count} requests are`);
