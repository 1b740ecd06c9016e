import type { Actor } from '../../live/picture.ts';

interface Props {
  readonly actors: readonly Actor[];
  readonly actor: string;
  readonly onPick: (id: string) => void;
}

/** The model's name, where the id does not have it. */
const nameIn = ({ model }: Actor['context'], id: string): Actor['context'][string] =>
  id === `model:${String(model)}` ? null : (model ?? null);

/** The innermost state; of regions side by side those that tell something. */
const statesIn = (state: string): string =>
  state
    .split(' ')
    .map((path) => path.split('.').at(-1) ?? '')
    .filter((name, _, all) => all.length === 1 || !AT_REST.has(name))
    .join(', ');

/** What most models are most of the time. */
const AT_REST: ReadonlySet<string> = new Set(['none', 'allowed', 'shared', 'free', 'held']);

/** Picks the actor whose chart is shown: those that are there, and those that have just gone. */
export function ActorPicker({ actors, actor, onPick }: Props) {
  const here = actors.filter(({ isOver }) => !isOver);
  const groups = [
    { title: 'System', rows: here.filter(({ chart }) => chart !== 'runner' && chart !== 'model') },
    { title: 'Models', rows: here.filter(({ chart }) => chart === 'model') },
    { title: 'Runners', rows: here.filter(({ chart }) => chart === 'runner') },
    { title: 'Gone', rows: actors.filter(({ isOver }) => isOver).toReversed() },
  ];
  const isKnown = actors.some(({ id }) => id === actor);
  return (
    <label class="actor-picker">
      Chart of{' '}
      <select value={actor} onChange={({ currentTarget }) => onPick(currentTarget.value)}>
        {!isKnown && <option value={actor}>{actor}</option>}
        {groups.map(
          ({ title, rows }) =>
            rows.length > 0 && (
              <optgroup key={title} label={title}>
                {rows.map(({ id, context, state }) => (
                  <option key={id} value={id}>
                    {[id, nameIn(context, id), statesIn(state)].filter(Boolean).join(' · ')}
                  </option>
                ))}
              </optgroup>
            ),
        )}
      </select>
    </label>
  );
}
