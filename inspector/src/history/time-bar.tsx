import { useRef, useState } from 'preact/hooks';
import { past } from '../live/shown.ts';
import { announce } from '../shell/announcer.tsx';
import { exportRecording } from './export-recording.ts';
import { openFile, type Opened } from './open-file.ts';
import { goLive, opened, play, seek, show, span, speed } from './player.ts';
import './time-bar.css';

/** So far does an arrow key go, in ms. */
const STEP = 250;
const SPEEDS = [0.25, 1, 4, 16];

/** What moment the page shows, and the way to another one. */
export function TimeBar() {
  const [times, setTimes] = useState(1);
  const known = span.value;
  const isPast = past.value !== null;
  const atMs = past.value?.atMs ?? known?.toMs ?? 0;
  // A whole number of steps, so that the last moment can be reached.
  const lastMs = known ? known.fromMs + Math.ceil((known.toMs - known.fromMs) / STEP) * STEP : 1;
  const isPlaying = speed.value > 0;
  return (
    <footer class="time-bar" data-past={isPast} aria-label="Time">
      <button type="button" class={isPast ? 'primary' : ''} disabled={!isPast} onClick={goLive}>
        {opened.value ? 'Close' : 'Live'}
      </button>
      <button
        type="button"
        class="time-play"
        disabled={!isPast}
        aria-label={isPlaying ? 'Stop' : 'Play'}
        onClick={() => play(isPlaying ? 0 : times)}
      >
        {isPlaying ? '❚❚' : '▶'}
      </button>
      <input
        type="range"
        aria-label="Moment"
        aria-valuetext={known ? `${timeOf(atMs)}, ${agoOf(atMs)}` : 'nothing is known yet'}
        min={known?.fromMs ?? 0}
        max={lastMs}
        step={STEP}
        value={isPast ? atMs : lastMs}
        disabled={!known}
        onInput={({ currentTarget }) => moveTo(Number(currentTarget.value))}
      />
      <output>
        <b>{known ? timeOf(atMs) : '–'}</b> {known && agoOf(atMs)}
      </output>
      <label>
        <span class="unseen">Speed</span>
        <select
          value={times}
          onChange={({ currentTarget }) => {
            setTimes(Number(currentTarget.value));
            if (isPlaying) play(Number(currentTarget.value));
          }}
        >
          {SPEEDS.map((one) => (
            <option key={one} value={one}>
              {one}×
            </option>
          ))}
        </select>
      </label>
      <Files />
    </footer>
  );
}

/** At the right end of what is live is the present. */
function moveTo(atMs: number): void {
  if (!opened.peek() && atMs >= (span.peek()?.toMs ?? 0)) goLive();
  else seek(atMs);
}

function Files() {
  const input = useRef<HTMLInputElement>(null);
  const [runs, setRuns] = useState<readonly Opened[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const save = async (): Promise<void> => {
    const hasScenario = await exportRecording();
    announce(
      hasScenario
        ? 'The recording is written: corral simulate plays it, and this page opens it.'
        : 'What the page has kept is written, without a scenario: the service did not give one.',
    );
  };
  const choose = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    try {
      const found = openFile(file.name, await file.text());
      setProblem(null);
      setRuns(found);
      if (found[0]) show(found[0]);
      announce(`${file.name} is shown.`);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <span class="time-files">
      {opened.value && runs.length > 1 && (
        <select
          aria-label="Run"
          value={opened.value.title}
          onChange={({ currentTarget }) => {
            const run = runs.find(({ title }) => title === currentTarget.value);
            if (run) show(run);
          }}
        >
          {runs.map(({ title }) => (
            <option key={title}>{title}</option>
          ))}
        </select>
      )}
      {opened.value && runs.length <= 1 && <span class="time-title">{opened.value.title}</span>}
      <button type="button" onClick={() => input.current?.click()}>
        Open…
      </button>
      <button type="button" disabled={!span.value} onClick={() => void save()}>
        Export
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".jsonl,.json"
        aria-label="A recording or a trace"
        onChange={({ currentTarget }) => {
          void choose(currentTarget.files?.[0]);
          currentTarget.value = '';
        }}
      />
      {problem !== null && (
        <span class="time-problem" role="alert">
          {problem}{' '}
          <button type="button" onClick={() => setProblem(null)}>
            Close
          </button>
        </span>
      )}
    </span>
  );
}

/** Virtual time begins at 0: its years are not told. */
const timeOf = (atMs: number): string => {
  const date = new Date(atMs);
  return date.getFullYear() < 2000 ? date.toISOString().slice(11, 23) : date.toLocaleTimeString('en-GB');
};

/** Where the moment is: before the present, or since the beginning of a file. */
function agoOf(atMs: number): string {
  if (past.value === null) return 'now';
  const { fromMs = 0, toMs = 0 } = span.value ?? {};
  if (opened.value) return `${secondsOf(atMs - fromMs)} of ${secondsOf(toMs - fromMs)}`;
  return `${secondsOf(toMs - atMs)} ago`;
}

const secondsOf = (ms: number): string =>
  ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
