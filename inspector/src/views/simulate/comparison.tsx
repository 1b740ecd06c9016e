import type { SimulationResult } from 'corral/simulation';
import { timelineOfSimulation } from 'corral/timeline';
import { useMemo } from 'preact/hooks';
import { virtualFormat } from '../../timeline/time-formats.ts';
import { TimelineChart } from '../../timeline/timeline-chart.tsx';
import { Failures } from './failures.tsx';
import { MeasuresTable } from './measures-table.tsx';
import { RequestsTable } from './requests-table.tsx';

interface Props {
  readonly name: string;
  readonly about: string;
  readonly runs: readonly SimulationResult[];
}

/** What came of a scenario, policy beside policy. */
export function Comparison({ name, about, runs }: Props) {
  // The same times stand in the same places.
  const endMs = Math.max(...runs.map(({ endedAtMs }) => endedAtMs));
  return (
    <article class="comparison">
      <h2>{name}</h2>
      <p>{about}</p>
      <MeasuresTable runs={runs} />
      <div class="policies">
        {runs.map((run) => (
          <Run key={`${name} ${run.policy}`} run={run} endMs={endMs} />
        ))}
      </div>
      <RequestsTable runs={runs} />
    </article>
  );
}

function Run({ run, endMs }: { readonly run: SimulationResult; readonly endMs: number }) {
  const data = useMemo(() => ({ ...timelineOfSimulation(run), toMs: Math.max(1, endMs) }), [run, endMs]);
  return (
    <section class="policy" aria-label={`Under ${run.policy}`}>
      <h3>
        under {run.policy} <Verdict run={run} />
      </h3>
      <Failures failures={run.failures} />
      <TimelineChart
        name={`Timeline under ${run.policy}`}
        data={data}
        format={virtualFormat}
        isLive={false}
      />
    </section>
  );
}

function Verdict({ run: { failures, isChecked } }: { readonly run: SimulationResult }) {
  if (failures.length > 0) return <span class="bad">{failures.length} not as expected</span>;
  return <span class="dim">{isChecked ? 'all as expected' : 'nothing was expected'}</span>;
}
