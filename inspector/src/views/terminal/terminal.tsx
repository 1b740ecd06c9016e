import { useState } from 'preact/hooks';
import { models } from '../../live/live.ts';
import { hello } from '../../live/session.ts';
import { shown } from '../../live/shown.ts';
import { stateWord } from '../../parts/state-mark.tsx';
import { route, setQuery } from '../../shell/route.ts';
import { levels, type Level } from './log-line.ts';
import { LogView } from './log-view.tsx';
import { RunnerTerminal } from './runner-terminal.tsx';
import { firstTarget, targetOf, targetValue, type Target } from './target.ts';
import './terminal.css';

/** What runners print: one runner's terminal as it is, or the log of a runner or a model, line by line. */
export function Terminal() {
  const [sought, setSought] = useState('');
  const [level, setLevel] = useState<Level>('info');
  const [isTyping, setTyping] = useState(false);
  const target = targetOf(route.value.query) ?? firstTarget(shown.runners.value, models.value);
  if (!target) return <p class="empty">No model is configured, so nothing prints anything.</p>;
  const mayType = hello.value?.scopes.includes('manage') ?? false;
  const isTerminal = 'runnerId' in target && route.value.query.get('as') !== 'log';
  return (
    <div class="terminal-view">
      <h1 class="unseen">Terminal</h1>
      <div class="terminal-bar">
        <TargetChoice target={target} />
        <Tabs target={target} isTerminal={isTerminal} />
        <input
          type="search"
          aria-label="Search"
          placeholder="Search"
          value={sought}
          onInput={(event) => setSought(event.currentTarget.value)}
        />
        {isTerminal && (
          <button
            type="button"
            aria-pressed={isTyping}
            disabled={!mayType}
            title={
              mayType ? 'What you type goes to the process: Ctrl-C ends it' : 'Needs a key that may manage'
            }
            onClick={() => setTyping(!isTyping)}
          >
            Type into it
          </button>
        )}
        <select
          aria-label="Least level"
          value={level}
          hidden={isTerminal}
          onChange={(event) => setLevel(event.currentTarget.value as Level)}
        >
          {levels.map((one) => (
            <option key={one} value={one}>
              {one === 'info' ? 'all lines' : `${one}s${one === 'warning' ? ' and errors' : ''}`}
            </option>
          ))}
        </select>
      </div>
      {isTerminal ? (
        <RunnerTerminal runnerId={target.runnerId} sought={sought} isTyping={isTyping && mayType} />
      ) : (
        <LogView target={target} filter={{ text: sought, level }} />
      )}
    </div>
  );
}

function TargetChoice({ target }: { readonly target: Target }) {
  const runners = shown.runners.value;
  const isGone = 'runnerId' in target && !runners.some(({ id }) => id === target.runnerId);
  return (
    <select
      aria-label="Runner or model"
      class="terminal-target"
      value={targetValue(target)}
      onChange={({ currentTarget: { value } }) => setQuery(Object.fromEntries(new URLSearchParams(value)))}
    >
      <optgroup label="Runners">
        {isGone && <option value={targetValue(target)}>{target.runnerId} · gone</option>}
        {runners.map(({ id, model, state }) => (
          <option key={id} value={targetValue({ runnerId: id })}>
            {id} · {model} · {stateWord(state)}
          </option>
        ))}
      </optgroup>
      <optgroup label="All runners of a model">
        {models.value.map(({ name }) => (
          <option key={name} value={targetValue({ model: name })}>
            {name}
          </option>
        ))}
      </optgroup>
    </select>
  );
}

interface TabsProps {
  readonly target: Target;
  readonly isTerminal: boolean;
}

function Tabs({ target, isTerminal }: TabsProps) {
  if (!('runnerId' in target)) return null;
  const { runnerId } = target;
  return (
    <div class="choices" role="group" aria-label="Show as">
      <button type="button" aria-pressed={isTerminal} onClick={() => setQuery({ runner: runnerId })}>
        Terminal
      </button>
      <button
        type="button"
        aria-pressed={!isTerminal}
        onClick={() => setQuery({ runner: runnerId, as: 'log' })}
      >
        Log
      </button>
    </div>
  );
}
