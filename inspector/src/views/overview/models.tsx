import { signal } from '@preact/signals';
import { memo } from 'preact/compat';
import { useEffect } from 'preact/hooks';
import { opened } from '../../history/player.ts';
import { followSpeeds, models, speeds } from '../../live/live.ts';
import { shown } from '../../live/shown.ts';
import { formatBytes } from '../../parts/format-bytes.ts';
import { formatDuration } from '../../parts/format-duration.ts';
import { StateMark } from '../../parts/state-mark.tsx';
import { linkTo } from '../../shell/route.ts';
import { KeepAlive } from './keep-alive.tsx';
import { ModelActions } from './model-actions.tsx';
import './models.css';
import { rosterOf, type RosterRow } from './roster.ts';

const isOnlyLoaded = signal(false);
const sought = signal('');

/** From this many models on, there is a filter. */
const MANY = 8;

/** All models, with what runs of them: their state, why, their memory, their requests, and what can be done. */
export function Models() {
  useEffect(followSpeeds, []);
  // A file has other models than this Corral; those are shown that run in it, or are waited for.
  const configured = opened.value ? [] : models.value;
  const all = rosterOf(configured, shown.runners.value, shown.queue.value);
  const rows = all.filter(
    ({ name, runner }) =>
      name.toLowerCase().includes(sought.value.toLowerCase()) && (!isOnlyLoaded.value || runner !== null),
  );
  return (
    <section class="panel models" aria-labelledby="models-title">
      <div class="panel-head">
        <h2 id="models-title">Models</h2>
        {all.length > MANY && <Filter />}
      </div>
      <table>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Model</th>
            <th scope="col" class="number">
              Memory
            </th>
            <th scope="col" class="number">
              Requests
            </th>
            <th scope="col" class="number">
              Tokens/s
            </th>
            <th scope="col" class="number">
              Stays
            </th>
            <th scope="col">
              <span class="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <ModelRow key={row.key} row={row} />
          ))}
        </tbody>
      </table>
      {rows.length === 0 && (
        <p class="empty">
          {all.length > 0
            ? 'None of that kind.'
            : opened.value
              ? 'No model is loaded then.'
              : 'No model is configured.'}
        </p>
      )}
    </section>
  );
}

const Filter = () => (
  <div class="models-filter">
    <input
      type="search"
      aria-label="Find a model"
      placeholder="Find a model"
      value={sought}
      onInput={(event) => (sought.value = event.currentTarget.value)}
    />
    <label>
      <input
        type="checkbox"
        checked={isOnlyLoaded}
        onChange={(event) => (isOnlyLoaded.value = event.currentTarget.checked)}
      />
      loaded only
    </label>
  </div>
);

interface RowProps {
  readonly row: RosterRow;
}

const isSameRow = ({ row: a }: RowProps, { row: b }: RowProps): boolean =>
  a.model === b.model && a.runner === b.runner && a.state === b.state && a.waiting === b.waiting;

const ModelRow = memo(({ row }: RowProps) => {
  const { name, model, runner, state, waiting } = row;
  const bytes = runner ? (runner.measuredBytes ?? runner.needBytes) : model?.options?.needBytes;
  const speed = runner && speeds.value.get(runner.id);
  return (
    <tr data-model={name} data-state={state}>
      <td class="cell-state">
        <StateMark state={state} />
      </td>
      <th scope="row" class="cell-model">
        <a
          class="model-name"
          href={linkTo('/charts', { actor: `model:${name}` })}
          title="Its chart: why it is there, or why not"
        >
          {name}
        </a>
        {model?.aliases.length ? <span class="model-alias">{model.aliases.join(', ')}</span> : null}
        <span class="model-why" title={whyOf(row)}>
          {runner && (
            <a href={linkTo('/terminal', { runner: runner.id })} aria-label={`Terminal of ${runner.id}`}>
              {runner.id}
            </a>
          )}{' '}
          {whyOf(row)}
        </span>
      </th>
      <td class="number">{bytes === undefined ? '' : formatBytes(bytes)}</td>
      <td class="number" data-label="requests">
        {runner ? `${runner.leases} / ${runner.slots}` : ''}
        {waiting > 0 && <span class="cell-waiting">{waiting} wait</span>}
      </td>
      <td class="number cell-speed" data-label="tokens/s">
        {speed ? speed.toFixed(1) : ''}
      </td>
      <td class="number cell-stays" data-label="stays">
        <KeepAlive runner={runner} isPinned={model?.options?.pinned ?? false} />
      </td>
      <td class="cell-actions">
        <ModelActions row={row} />
      </td>
    </tr>
  );
}, isSameRow);

function whyOf({ runner, model }: RosterRow): string {
  if (!runner) {
    const { problem, options } = model ?? {};
    return problem?.message ?? (options ? `about ${formatDuration(options.loadEstimateMs)} to load` : '');
  }
  const progress = runner.progress === null ? '' : ` ${Math.round(runner.progress * 100)} %`;
  return `${runner.reason}${progress}`;
}
