import type { ProcessSpec } from '../../machines/effects.ts';
import type { CommandLaunch, Endpoint, LlamaLaunch } from '../../machines/vocabulary.ts';
import { withoutArguments, withoutSettings } from './clean-env.ts';
import { deviceEnvironment, gpusOf, indexOf } from './device-environment.ts';
import { fillIn, type Values } from './placeholders.ts';
import { serverArguments, type RunnerPlaces } from './server-arguments.ts';
import type { StopCommand } from './stop-command.ts';

/** How one process is started, whatever it is a process of. */
export interface Start {
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Null: Corral's own. */
  readonly folder: string | null;
  /** Ends it; null: SIGTERM does. */
  readonly stop: StopCommand | null;
  /** What of its endpoint is other than a llama-server's. */
  readonly endpoint: Pick<Endpoint, 'health'> & { readonly believesAnybody: boolean };
}

export interface StartParts extends RunnerPlaces {
  readonly port: number;
  readonly apiKey: string;
  /** Corral's own. */
  readonly env: NodeJS.ProcessEnv;
  /** How the embedded runner is started: a program and its first arguments. */
  readonly embedded: { readonly file: string; readonly args: readonly string[] };
}

/** The program that has to be there before anything can be started; null for the one that Corral brings along. */
export function programFile({ launch }: Pick<ProcessSpec, 'launch'>): string | null {
  switch (launch.runtime) {
    case 'embedded':
      return null;
    case 'llama-server':
      return launch.binary ?? '';
    case 'command':
      return launch.program.command[0] ?? '';
  }
}

/** How a process is started. */
export function startOf(spec: ProcessSpec, parts: StartParts): Start {
  const { launch } = spec;
  return launch.runtime === 'command' ? ofCommand(spec, launch, parts) : ofLlama(spec, launch, parts);
}

/** The key is in its environment: arguments can be read by anybody who can list processes. */
function ofLlama(
  spec: ProcessSpec,
  { runtime, binary = '', wrapper = [], env = {} }: LlamaLaunch,
  { port, apiKey, embedded, env: inherited, ...places }: StartParts,
): Start {
  const own = runtime === 'embedded' ? embedded : { file: binary, args: [] };
  const [file = own.file, ...args] = [...wrapper, own.file, ...own.args];
  return {
    file,
    args: [...args, ...serverArguments(spec, port, places)],
    env: { ...withoutArguments(inherited), ...env, LLAMA_API_KEY: apiKey, NO_COLOR: '1' },
    folder: null,
    stop: null,
    endpoint: { believesAnybody: false },
  };
}

function ofCommand(
  { modelName, reservation }: ProcessSpec,
  { program, modelPath, slots, contextTokens }: CommandLaunch,
  { port, apiKey, env: inherited }: StartParts,
): Start {
  const gpus = gpusOf(reservation);
  const values: Values = {
    port: String(port),
    model: modelPath,
    name: modelName,
    device: gpus.length > 0 ? gpus.join(',') : 'CPU',
    index: gpus.map(indexOf).join(','),
    slots: String(slots),
    context: String(contextTokens),
    key: apiKey,
  };
  const filled = (texts: readonly string[]): string[] => texts.map((text) => fillIn(text, values));
  const [file = '', ...args] = filled(program.command);
  const own = Object.entries(program.env).map(([name, text]) => [name, fillIn(text, values)]);
  const env = {
    ...withoutSettings(inherited),
    ...deviceEnvironment(reservation, inherited),
    NO_COLOR: '1',
    ...Object.fromEntries(own),
  };
  const { folder, health, listener, stop } = program;
  return {
    file,
    args,
    env,
    folder,
    stop: stop && { command: filled(stop), folder, env },
    endpoint: { health, believesAnybody: listener === 'any' },
  };
}
