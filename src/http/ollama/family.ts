import type { Family } from '../families.ts';
import type { HttpProblem } from '../openai-errors.ts';

const body = ({ message }: HttpProblem): string => JSON.stringify({ error: message });

/** Ollama's errors: `{"error": "…"}`, in a stream as a line of its own. */
export const ollama: Family = {
  name: 'ollama',
  errorBody: body,
  errorEvent: (problem) => `${body(problem)}\n`,
};
