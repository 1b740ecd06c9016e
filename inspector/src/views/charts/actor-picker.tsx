import type { Actor } from '../../live/picture.ts';

interface Props {
  readonly actors: readonly Actor[];
  readonly actor: string;
  readonly onPick: (id: string) => void;
}

/** Picks the actor whose chart is shown: those that are there, and those that have just gone. */
export function ActorPicker({ actors, actor, onPick }: Props) {
  const of = (chart: string, isOver: boolean): readonly Actor[] =>
    actors.filter((one) => (one.chart === 'runner') === (chart === 'runner') && one.isOver === isOver);
  const groups = [
    { title: 'System', rows: of('system', false) },
    { title: 'Runners', rows: of('runner', false) },
    { title: 'Gone', rows: of('runner', true).toReversed() },
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
                    {[id, context['model'], state.split('.').at(-1)].filter(Boolean).join(' · ')}
                  </option>
                ))}
              </optgroup>
            ),
        )}
      </select>
    </label>
  );
}
