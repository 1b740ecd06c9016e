import type { Measures, SimulationResult } from 'corral/simulation';
import { PolicyHeads } from './policy-heads.tsx';

const ROWS: readonly { readonly name: string; readonly of: keyof Measures; readonly unit: string }[] = [
  { name: 'loads', of: 'loads', unit: '' },
  { name: 'time spent loading', of: 'loadSeconds', unit: ' s' },
  { name: 'evictions', of: 'evictions', unit: '' },
  { name: 'mean wait', of: 'meanWaitSeconds', unit: ' s' },
  { name: 'p95 wait', of: 'p95WaitSeconds', unit: ' s' },
  { name: 'longest wait', of: 'maxWaitSeconds', unit: ' s' },
];

/** Figures of each run; of each row the least, which is the best, stands out. */
export function MeasuresTable({ runs }: { readonly runs: readonly SimulationResult[] }) {
  const served = runs.map(({ requests }) => requests.filter(({ outcome }) => outcome === 'served').length);
  return (
    <table class="figures">
      <thead>
        <tr>
          <th scope="col">
            <span class="unseen">Figure</span>
          </th>
          <PolicyHeads runs={runs} />
        </tr>
      </thead>
      <tbody>
        <tr>
          <th scope="row">requests served</th>
          {runs.map(({ policy, requests }, i) => (
            <td key={policy} data-best={isAlone(served[i], Math.max(...served), served)}>
              {served[i]} of {requests.length}
            </td>
          ))}
        </tr>
        {ROWS.map(({ name, of, unit }) => {
          const values = runs.map(({ measures }) => measures[of]);
          return (
            <tr key={of}>
              <th scope="row">{name}</th>
              {runs.map(({ policy }, i) => (
                <td key={policy} data-best={isAlone(values[i], Math.min(...values), values)}>
                  {Math.round((values[i] ?? 0) * 100) / 100}
                  {unit}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Whether a value is the best, and not all have it. */
const isAlone = (value: number | undefined, best: number, all: readonly number[]): boolean =>
  value === best && all.some((other) => other !== best);
