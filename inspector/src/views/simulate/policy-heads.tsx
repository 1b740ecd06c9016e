import type { SimulationResult } from 'corral/simulation';

/** The heads of the columns that stand for runs: a policy each. */
export const PolicyHeads = ({ runs }: { readonly runs: readonly SimulationResult[] }) => (
  <>
    {runs.map(({ policy }) => (
      <th key={policy} scope="col">
        {policy}
      </th>
    ))}
  </>
);
