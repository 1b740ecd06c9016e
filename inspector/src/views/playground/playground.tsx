import { useLayoutEffect, useRef } from 'preact/hooks';
import { Composer } from './composer.tsx';
import { drawnTurns, isRunning, type Turn } from './conversation.ts';
import { Measures } from './measures.tsx';
import './playground.css';
import { Story } from './story.tsx';

/** A chat with any model, and what Corral did for it. */
export function Playground() {
  const place = useRef<HTMLDivElement>(null);
  const last = drawnTurns.value.at(-1);
  useLayoutEffect(() => {
    place.current?.scrollTo({ top: place.current.scrollHeight });
  }, [drawnTurns.value]);
  return (
    <div class="playground">
      <h1 class="unseen">Playground</h1>
      <section class="chat" aria-label="Chat">
        <div ref={place} class="transcript" tabIndex={0} role="group" aria-label="Conversation">
          {drawnTurns.value.length === 0 && (
            <p class="empty">
              Ask a model something. If it is not loaded, Corral loads it first, and says here what it had to
              do for that.
            </p>
          )}
          {drawnTurns.value.map((turn) => (
            <TurnBlock key={turn.id} turn={turn} />
          ))}
        </div>
        <Composer isBusy={isRunning(last)} />
        <p class="unseen" role="status">
          {last && !isRunning(last) ? `Reply ${last.state}` : ''}
        </p>
      </section>
      <section class="side panel" aria-labelledby="request-title">
        <h2 id="request-title">This request</h2>
        {last ? (
          <>
            <Measures turn={last} />
            <h3>What the scheduler did</h3>
            <Story turn={last} />
          </>
        ) : (
          <p class="empty">Its wait, its load, its first token and its speed will be here.</p>
        )}
      </section>
    </div>
  );
}

const TurnBlock = ({ turn }: { readonly turn: Turn }) => (
  <article class="turn" aria-busy={isRunning(turn)}>
    <p class="question">{turn.question}</p>
    <p class="turn-model">{turn.model}</p>
    {turn.thought !== '' && <p class="thought">{turn.thought}</p>}
    {turn.answer !== '' && <p class="answer">{turn.answer.trimStart()}</p>}
    {turn.state === 'waiting' && <Wait turn={turn} />}
    {turn.state === 'stopped' && <p class="turn-note">Stopped.</p>}
    {turn.problem !== null && (
      <p class="turn-problem" role="alert">
        {turn.problem}
      </p>
    )}
  </article>
);

function Wait({ turn: { progress, served } }: { readonly turn: Turn }) {
  if (served) return <p class="turn-note">Reading the prompt…</p>;
  if (!progress) return <p class="turn-note">Waiting…</p>;
  const { state, position, reason } = progress;
  return (
    <p class="turn-note">
      {state === 'loading' ? 'Loading' : `Waiting, number ${position}`}: {reason}
      {progress.progress !== null && (
        <progress value={progress.progress} aria-label="Load">
          {Math.round(progress.progress * 100)} %
        </progress>
      )}
    </p>
  );
}
