import './no-eval.ts';
import { ConfigError, parseScenario, policyNames, simulate } from 'corral/simulation';
import type { Answer, Question } from './run-in-worker.ts';

/** Plays a scenario under every policy; what is wrong with it comes back with its line. */
function play({ text, name }: Question): Answer {
  try {
    const scenario = parseScenario(text, name);
    const runs = policyNames.map((policy) => {
      // What was told is only wanted in files, and is the most of it.
      const { events: _, ...result } = simulate(scenario, { policy });
      return { ...result, events: [] };
    });
    return { about: scenario.about ?? '', runs };
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems };
    return { problems: [{ line: 0, column: 0, key: '', message: String(error) }] };
  }
}

addEventListener('message', ({ data }: MessageEvent<Question>) => postMessage(play(data)));
