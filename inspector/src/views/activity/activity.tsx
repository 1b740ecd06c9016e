import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { follow } from '../../live/session.ts';
import { keyHeaders } from '../../live/key.ts';
import { arranged, columns, type Column, type Order, type Request } from './columns.ts';
import './activity.css';

/** Rows that are drawn; there may be more, which the filter finds. */
const DRAWN = 200;

const requests = signal<readonly Request[]>([]);
const filter = signal('');
const order = signal<Order>({ column: 'at', isDown: true });
const fault = signal('');

/** What was asked lately, of which model, by whom, and how fast; live. */
export function Activity() {
  useEffect(() => follow('activity', {}, ({ entries }) => (requests.value = entries)), []);
  const rows = arranged(requests.value, filter.value, order.value);
  const keeps = requests.value.some(({ hasBodies }) => hasBodies);
  return (
    <section class="panel activity" aria-labelledby="activity-title">
      <div class="panel-head">
        <h1 id="activity-title">Activity</h1>
        <input
          type="search"
          aria-label="Filter"
          placeholder="model, caller, path, status"
          value={filter}
          onInput={(event) => (filter.value = event.currentTarget.value)}
        />
        <button type="button" onClick={() => void download()}>
          CSV
        </button>
      </div>
      {keeps && (
        <p class="activity-warning" role="note">
          Bodies of requests are kept (activity.bodies): what people say to models can be read by keys that
          manage.
        </p>
      )}
      <p class="activity-fault" role="status">
        {fault}
      </p>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="activity-title">
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <Head key={column.id} column={column} />
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, DRAWN).map((request) => (
              <Line key={request.id} request={request} />
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p class="empty">Nothing was asked lately.</p>}
        {rows.length > DRAWN && <p class="empty">and {rows.length - DRAWN} more</p>}
      </div>
    </section>
  );
}

function Head({ column: { id, title, isNumber } }: { readonly column: Column }) {
  const { column, isDown } = order.value;
  const isSorted = column === id;
  const sort = (): void => void (order.value = { column: id, isDown: isSorted ? !isDown : isNumber });
  return (
    <th
      scope="col"
      class={isNumber ? 'number' : undefined}
      aria-sort={isSorted ? (isDown ? 'descending' : 'ascending') : 'none'}
    >
      <button type="button" onClick={sort}>
        {title}
        {isSorted && <span aria-hidden="true">{isDown ? ' ↓' : ' ↑'}</span>}
      </button>
    </th>
  );
}

const Line = ({ request }: { readonly request: Request }) => (
  <tr data-bad={request.status >= 400 ? '' : undefined}>
    {columns.map(({ id, isNumber, text }) => (
      <td key={id} class={isNumber ? 'number' : undefined}>
        {text(request)}
      </td>
    ))}
  </tr>
);

/** All that the service has kept, as a file. */
async function download(): Promise<void> {
  try {
    const answer = await fetch(new URL('api/v1/activity.csv', document.baseURI), { headers: keyHeaders() });
    if (!answer.ok) throw new Error(`The service says ${answer.status}.`);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(await answer.blob());
    link.download = 'activity.csv';
    link.click();
    URL.revokeObjectURL(link.href);
    fault.value = '';
  } catch (error) {
    fault.value = error instanceof Error ? error.message : String(error);
  }
}
