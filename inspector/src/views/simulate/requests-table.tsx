import type { RequestResult, SimulationResult } from 'corral/simulation';
import { formatTime } from 'corral/timeline';
import { PolicyHeads } from './policy-heads.tsx';

/** More rows than these are for files. */
const MOST = 500;

/** What became of each request, policy beside policy. */
export function RequestsTable({ runs }: { readonly runs: readonly SimulationResult[] }) {
  const byId = runs.map(({ requests }) => new Map(requests.map((request) => [request.id, request])));
  const ids = [...new Set(runs.flatMap(({ requests }) => requests.map(({ id }) => id)))];
  const any = (id: string): RequestResult | undefined => byId.find((known) => known.has(id))?.get(id);
  return (
    <details class="requests">
      <summary>
        {ids.length} {ids.length === 1 ? 'request' : 'requests'}
      </summary>
      <div class="wide" tabIndex={0} role="region" aria-label="Requests">
        <table>
          <thead>
            <tr>
              <th scope="col">request</th>
              <th scope="col">model</th>
              <th scope="col">came</th>
              <PolicyHeads runs={runs} />
            </tr>
          </thead>
          <tbody>
            {ids.slice(0, MOST).map((id) => (
              <tr key={id}>
                <th scope="row">{id}</th>
                <td>{any(id)?.model}</td>
                <td>{formatTime(any(id)?.submittedAtMs ?? 0)}</td>
                {runs.map(({ policy }, i) => (
                  <td key={policy}>{fateOf(byId[i]?.get(id))}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {ids.length > MOST && <p>and {ids.length - MOST} more</p>}
      </div>
    </details>
  );
}

function fateOf(request: RequestResult | undefined): string {
  if (!request) return '–';
  const { submittedAtMs, grantedAtMs, runnerId, outcome, failure } = request;
  const waited = grantedAtMs === null ? '' : `, waited ${formatTime(grantedAtMs - submittedAtMs)}`;
  const by = runnerId === null ? '' : ` by ${runnerId}`;
  return `${outcome}${by}${waited}${failure ? `: ${failure.message}` : ''}`;
}
