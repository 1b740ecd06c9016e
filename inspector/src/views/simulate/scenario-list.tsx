import { useState } from 'preact/hooks';
import { scenarioTexts } from './scenario-texts.ts';

interface Props {
  readonly current: string | null;
  readonly onChoose: (name: string) => void;
}

/** The scenarios that come with Corral, to be searched by name and by what they show. */
export function ScenarioList({ current, onChoose }: Props) {
  const [search, setSearch] = useState('');
  const words = search.toLowerCase().split(/\s+/);
  const found = scenarioTexts.filter(({ name, about }) =>
    words.every((word) => `${name} ${about}`.toLowerCase().includes(word)),
  );
  return (
    <nav class="scenarios" aria-label="Scenarios">
      <label>
        <span class="unseen">Search scenarios</span>
        <input
          type="search"
          placeholder={`Search ${scenarioTexts.length} scenarios`}
          value={search}
          onInput={({ currentTarget }) => setSearch(currentTarget.value)}
        />
      </label>
      <ul>
        {found.map(({ name, about }) => (
          <li key={name}>
            <button type="button" aria-current={name === current} onClick={() => onChoose(name)}>
              <b>{name}</b>
              <span>{about}</span>
            </button>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="empty">None of them has all of these words.</p>}
    </nav>
  );
}
