import { useEffect, useState } from 'preact/hooks';
import { route, setQuery } from '../../shell/route.ts';
import { Comparison } from './comparison.tsx';
import { play, played } from './play.ts';
import { ScenarioEditor } from './scenario-editor.tsx';
import { ScenarioList } from './scenario-list.tsx';
import { scenarioTexts } from './scenario-texts.ts';
import './simulate.css';

/** Scenarios, those that come with Corral and one's own, played here in the browser under all policies. */
export function Simulate() {
  const named = route.value.query.get('scenario');
  const [text, setText] = useState(() => played.value?.text ?? '');
  const run = (name: string, scenario: string): void => {
    setText(scenario);
    void play({ name, text: scenario });
  };
  /** Of one's own: the address names it no more. */
  const runOwn = (name: string, scenario: string): void => {
    setQuery({});
    run(name, scenario);
  };
  useEffect(() => {
    const scenario = scenarioTexts.find(({ name }) => name === named);
    if (scenario && played.peek()?.name !== named) run(scenario.name, scenario.text);
  }, [named]);
  const now = played.value;
  const answer = now?.answer ?? null;
  const again = (): void => {
    const known = scenarioTexts.find((one) => one.text === text);
    if (known) run(known.name, known.text);
    else runOwn('your scenario', text);
  };
  return (
    <div class="simulate">
      <h1 class="unseen">Simulate</h1>
      <ScenarioList current={now?.name ?? null} onChoose={(name) => setQuery({ scenario: name })} />
      <section class="simulated" aria-label="Simulation">
        <ScenarioEditor
          text={text}
          isRunning={now !== null && answer === null && now.failure === null}
          problems={answer && 'problems' in answer ? answer.problems : []}
          onEdit={setText}
          onRun={again}
          onOpen={runOwn}
        />
        <p class="unseen" role="status">
          {answer && 'runs' in answer ? `${now?.name} was played.` : ''}
        </p>
        {now?.failure && (
          <p class="bad" role="alert">
            It was not played to its end: {now.failure}.
          </p>
        )}
        {now && answer && 'runs' in answer && (
          <Comparison name={now.name} about={answer.about} runs={answer.runs} />
        )}
        {!now && (
          <p class="empty">
            Choose a scenario, or write one: the statecharts that serve are played in virtual time, here in
            the browser, under Corral’s policy and under one that decides as Ollama does.
          </p>
        )}
      </section>
    </div>
  );
}
