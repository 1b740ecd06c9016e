import type { ConfigProblem } from 'corral/simulation';
import { useRef } from 'preact/hooks';
import { OpenScenario } from './open-scenario.tsx';
import { stop } from './play.ts';

interface Props {
  readonly text: string;
  readonly isRunning: boolean;
  readonly problems: readonly ConfigProblem[];
  readonly onEdit: (text: string) => void;
  readonly onRun: () => void;
  readonly onOpen: (name: string, text: string) => void;
}

/** A scenario as text, with the numbers of its lines, and what is wrong with it. */
export function ScenarioEditor({ text, isRunning, problems, onEdit, onRun, onOpen }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const numbers = useRef<HTMLPreElement>(null);
  const lines = text.split('\n');
  const wrong = new Set(problems.map(({ line }) => line));
  const goTo = (line: number): void => {
    const before = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
    area.current?.focus();
    area.current?.setSelectionRange(before, before + (lines[line - 1]?.length ?? 0));
  };
  return (
    <div class="scenario-editor">
      <div class="scenario-text" style={{ '--lines': Math.min(Math.max(lines.length, 6), 12) }}>
        <pre ref={numbers} aria-hidden="true">
          {lines.map((_, i) => (
            <span key={i} data-wrong={wrong.has(i + 1)}>
              {i + 1}
              {'\n'}
            </span>
          ))}
        </pre>
        <textarea
          ref={area}
          aria-label="Scenario, in YAML or JSON"
          aria-invalid={problems.length > 0}
          spellcheck={false}
          wrap="off"
          placeholder="devices: { CUDA0: 24GiB }&#10;models:&#10;  a: { needs: 16GiB }&#10;timeline:&#10;  - { at: 0s, request: a, for: 5s }"
          value={text}
          onInput={({ currentTarget }) => onEdit(currentTarget.value)}
          onScroll={({ currentTarget }) => {
            if (numbers.current) numbers.current.scrollTop = currentTarget.scrollTop;
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            onRun();
          }}
        />
      </div>
      <p class="scenario-actions">
        <button type="button" class="primary" disabled={text.trim() === '' || isRunning} onClick={onRun}>
          {isRunning ? 'Playing…' : 'Play under all policies'}
        </button>
        {isRunning && (
          <button type="button" onClick={stop}>
            Stop
          </button>
        )}
        <OpenScenario onOpen={onOpen} />
        <span class="hint">Ctrl + Enter plays it. The format: docs/scenarios.md.</span>
      </p>
      {problems.length > 0 && (
        <ul class="scenario-problems" role="alert">
          {problems.map(({ line, column, key, message }) => (
            <li key={`${line}:${column}:${key}:${message}`}>
              {line > 0 && (
                <button type="button" onClick={() => goTo(line)}>
                  Line {line}
                </button>
              )}{' '}
              {key !== '' && <code>{key}</code>} {message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
