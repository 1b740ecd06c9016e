import type { RunnerRow } from '../../machines/scheduler/tables.ts';
import { ledgerOf } from '../ledger-of.ts';
import type { ListParts } from '../http/send-models.ts';
import { followLines, lastLines, type LogChoice, type LogLine } from './follow-lines.ts';
import { onStateChange } from './on-state-change.ts';
import type { ControlParts } from './parts.ts';
import { processStateOf } from './states.ts';
import type { StreamText } from './send-stream.ts';

/** `/running`: what has a process, and what has none because it failed. Its command and address are nobody's business but Corral's. */
export const runningReply = ({ scheduler }: ControlParts): object => ({
  running: [...processesOf(scheduler), ...failedOf(scheduler)],
});

const processesOf = (scheduler: ControlParts['scheduler']): object[] =>
  [...ledgerOf(scheduler).runners.values()]
    .filter(({ state }) => processStateOf(state) !== 'stopped')
    .map(({ spec, state, keepAlive, pinned }) => ({
      model: spec.name,
      state: processStateOf(state),
      cmd: '',
      proxy: '',
      ttl: secondsOf({ keepAlive, pinned }),
      name: '',
      description: '',
    }));

const failedOf = (scheduler: ControlParts['scheduler']): object[] =>
  ledgerOf(scheduler)
    .failedModels()
    .map(([model, { message }]) => ({
      model,
      state: 'failed',
      cmd: '',
      proxy: '',
      ttl: 0,
      name: '',
      description: message,
    }));

/** 0 is never: an idle model that goes at once is said to stay for a second. */
const secondsOf = ({ keepAlive, pinned }: Pick<RunnerRow, 'keepAlive' | 'pinned'>): number =>
  keepAlive === 'forever' || pinned ? 0 : Math.max(1, Math.round(keepAlive / 1000));

const both = ['proxy', 'upstream'] as const;

/** What `/logs` and `/logs/stream/…` are asked for: `proxy`, `upstream`, a model, or nothing, which is everything. */
export function choiceOf(asked: string, findName: (name: string) => string): LogChoice {
  if (asked === '') return { sources: both, model: null };
  if (asked === 'proxy' || asked === 'upstream') return { sources: [asked], model: null };
  return { sources: ['upstream'], model: findName(asked) };
}

/** `/logs`. */
export const logText = (parts: ControlParts, choice: LogChoice): string =>
  lastLines(parts, choice)
    .map(({ text }) => `${text}\n`)
    .join('');

/** `/logs/stream`: what was printed until now, unless it is not wanted, and each further line. */
export const logStream = (parts: ControlParts, choice: LogChoice, withHistory: boolean): StreamText => ({
  type: 'text/plain',
  begin: (say, end) => {
    if (withHistory) say(logText(parts, choice));
    return followLines(parts, choice, { onLine: ({ text }) => say(`${text}\n`), onEnd: end });
  },
});

/** `/api/events`: the states of models whenever one changes, and what is decided and printed. */
export const eventStream = (parts: ControlParts & Pick<ListParts, 'models'>): StreamText => ({
  type: 'text/event-stream',
  sign: ':\n\n',
  begin: (say, end) => {
    let told = '';
    const sayStates = (): void => {
      const states = JSON.stringify(modelStates(parts));
      if (states !== told) say(eventOf('modelStatus', (told = states)));
    };
    const sayLines = (source: LogLine['source'], data: string): void => {
      if (data !== '') say(eventOf('logData', JSON.stringify({ source, data })));
    };
    for (const source of both) sayLines(source, logText(parts, { sources: [source], model: null }));
    sayStates();
    const unwatch = onStateChange(parts, { onChange: sayStates });
    const unfollow = followLines(
      parts,
      { sources: both, model: null },
      { onLine: ({ source, text }) => sayLines(source, `${text}\n`), onEnd: end },
    );
    return () => {
      unwatch();
      unfollow();
    };
  },
});

/** The data of an event is JSON within JSON, as llama-swap sends it. */
const eventOf = (type: string, data: string): string =>
  `event: message\ndata: ${JSON.stringify({ type, data })}\n\n`;

const modelStates = ({ scheduler, models }: ControlParts & Pick<ListParts, 'models'>): readonly object[] => {
  const ledger = ledgerOf(scheduler);
  return models().map(({ name, aliases, contextTokens, failure }) => {
    const runner = ledger.runnersOf(name).at(-1);
    return {
      id: name,
      name: '',
      description: failure ?? '',
      state: runner ? processStateOf(runner.state) : failure === undefined ? 'stopped' : 'failed',
      unlisted: false,
      peerID: '',
      aliases,
      context_length: contextTokens,
    };
  });
};
