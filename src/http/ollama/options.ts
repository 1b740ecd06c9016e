import { badRequest, RequestError } from '../openai-errors.ts';

/** What became of a request's `options`. */
export interface MappedOptions {
  /** For llama-server. */
  readonly sampling: Readonly<Record<string, unknown>>;
  /** Names of those that have no effect here. */
  readonly ignored: readonly string[];
}

interface Mapping {
  readonly to: string;
  readonly type: string;
  readonly fits: (value: unknown) => boolean;
}

const isNumber = (value: unknown): value is number => Number.isFinite(value);
const real = (to: string): Mapping => ({ to, type: 'a number', fits: isNumber });
const whole = (to: string): Mapping => ({ to, type: 'a whole number', fits: Number.isInteger });

const isText = (value: unknown): boolean => typeof value === 'string';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

/** What says how to sample. The rest of Ollama's options says how to launch: that is decided in the configuration. */
const samplingOptions: Readonly<Record<string, Mapping>> = {
  temperature: real('temperature'),
  top_k: whole('top_k'),
  top_p: real('top_p'),
  min_p: real('min_p'),
  typical_p: real('typical_p'),
  seed: whole('seed'),
  stop: { to: 'stop', type: 'a list of strings', fits: (value) => isText(value) || isTexts(value) },
  num_predict: whole('n_predict'),
  num_keep: whole('n_keep'),
  repeat_last_n: whole('repeat_last_n'),
  repeat_penalty: real('repeat_penalty'),
  presence_penalty: real('presence_penalty'),
  frequency_penalty: real('frequency_penalty'),
  mirostat: whole('mirostat'),
  mirostat_tau: real('mirostat_tau'),
  mirostat_eta: real('mirostat_eta'),
};

/**
 * Maps Ollama's `options`. `num_ctx` asks for a context: the model's own (`contextTokens`) is what it gets, so that it is
 * ignored, and told, only when it asks for more. Throws a `RequestError` (400) for a value of the wrong type.
 */
export const mapOptions = (
  options: Readonly<Record<string, unknown>>,
  { contextTokens }: { readonly contextTokens: number },
): MappedOptions => {
  const sampling: Record<string, unknown> = {};
  const ignored: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    if (value === null) continue;
    const mapping = Object.hasOwn(samplingOptions, name) ? samplingOptions[name] : undefined;
    if (mapping) {
      if (!mapping.fits(value)) throw wrongType(name, mapping.type);
      // Negative is "until it ends, or the context is full", which is what absence means to llama-server.
      if (name !== 'num_predict' || (isNumber(value) && value >= 0)) sampling[mapping.to] = value;
    } else if (name !== 'num_ctx') ignored.push(name);
    else if (!isNumber(value)) throw wrongType(name, 'a number');
    else if (value > contextTokens) ignored.push(name);
  }
  return { sampling, ignored };
};

const wrongType = (name: string, type: string): RequestError =>
  new RequestError(
    badRequest(`option "${name}" must be ${type}`, 'invalid_value', { param: `options.${name}` }),
  );
