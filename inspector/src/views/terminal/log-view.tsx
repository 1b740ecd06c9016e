import { CorralError } from 'corral/client';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { follow } from '../../live/session.ts';
import { formatTime } from '../../parts/format-duration.ts';
import { levelOf, matches, type LogFilter, type LogLine } from './log-line.ts';
import type { Target } from './target.ts';

interface Log {
  readonly entries: readonly LogLine[];
  readonly leftOut: number;
}

interface Props {
  readonly target: Target;
  readonly filter: LogFilter;
}

/** The lines that a runner, or all runners of a model, have printed. Stays at the end until one scrolls up. */
export function LogView({ target, filter }: Props) {
  const { log, problem } = useLog(target);
  const place = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    const { current } = place;
    if (current && isAtEnd.current) current.scrollTop = current.scrollHeight;
  });
  const onScroll = (): void => {
    const { current } = place;
    if (current) isAtEnd.current = current.scrollHeight - current.scrollTop - current.clientHeight < 24;
  };
  const drawn = log.entries
    .map((line, index) => ({ line, number: log.leftOut + index }))
    .filter(({ line }) => matches(line, filter));
  const isMany = 'model' in target;
  return (
    <div class="log" ref={place} onScroll={onScroll} tabIndex={0} role="group" aria-label="Log">
      {drawn.length === 0 && <p class="empty">{problem ?? emptyText(log, filter)}</p>}
      <ol>
        {drawn.map(({ line, number }) => (
          <li key={number} data-level={levelOf(line.text)}>
            <time dateTime={line.at}>{formatTime(line.at)}</time>
            {isMany && <span class="log-runner">{line.runnerId}</span>}
            <span class="log-text">{marked(line.text, filter.text)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

const emptyText = ({ entries }: Log, { text }: LogFilter): string => {
  if (entries.length === 0) return 'Nothing was printed yet.';
  return text === '' ? 'No line is of that level.' : `No line has “${text}” in it.`;
};

function useLog(target: Target): { log: Log; problem: string | null } {
  const [log, setLog] = useState<Log>({ entries: [], leftOut: 0 });
  const [problem, setProblem] = useState<string | null>(null);
  const key = JSON.stringify(target);
  useEffect(() => {
    setLog({ entries: [], leftOut: 0 });
    setProblem(null);
    return follow('log', JSON.parse(key) as Target, setLog, (error: CorralError) =>
      setProblem(error.message),
    );
  }, [key]);
  return { log, problem };
}

/** The text with what was looked for set off. */
function marked(text: string, sought: string) {
  const at = sought === '' ? -1 : text.toLowerCase().indexOf(sought.toLowerCase());
  if (at < 0) return text;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + sought.length)}</mark>
      {text.slice(at + sought.length)}
    </>
  );
}
