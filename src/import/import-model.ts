import { posix, win32 } from 'node:path';
import type { ModelInput } from '../config/schema.ts';
import { expandMacros } from './expand-macros.ts';
import { bracedIn } from '../../actors/process/placeholders.ts';
import { importCommand, MAY_BE_SECRET, programName } from './import-command.ts';
import { importFilters } from './import-filters.ts';
import { importArguments } from './import-arguments.ts';
import { swapModelSchema, type SwapModel } from './llama-swap-schema.ts';
import { splitCommand } from './split-command.ts';

/** One model of llama-swap as Corral has it, or why it cannot be had. */
export interface ModelImport {
  /** Null when it is left out. */
  readonly model: ModelInput | null;
  /** The llama-server that it was started with; null when it is left out. */
  readonly program: string | null;
  readonly notes: readonly string[];
}

export interface ModelSurroundings {
  readonly macros: ReadonlyMap<string, string>;
  readonly env: NodeJS.ProcessEnv;
}

const HUB_MODEL = /^[\w.-]+\/[\w.-]+(:[\w.-]+)?$/;
/** As Corral's commands have it; of a llama-server it goes with `--port`, which Corral sets itself. */
const PORT = '{port}';
/** Keys without a counterpart, and what happens instead. */
const WITHOUT_COUNTERPART: ReadonlyMap<string, string> = new Map(
  Object.entries({
    unlisted: 'Corral lists all its models',
    concurrencyLimit: 'requests beyond `slots` wait; `maxQueue:` bounds how many',
    useModelName: 'llama-server answers to the name that Corral gives it',
    cmdStop: 'Corral ends a process with SIGTERM, then SIGKILL',
    name: 'Corral has names and aliases only',
    description: 'Corral has names and aliases only',
    metadata: 'Corral has names and aliases only',
    sendLoadingState: 'Corral adds nothing to a stream',
    timeouts: 'no time limit cuts a running request',
    compat: 'WebSockets are not passed on',
  }),
);
const KNOWN = new Set([
  'cmd',
  'macros',
  'aliases',
  'env',
  'proxy',
  'checkEndpoint',
  'ttl',
  'filters',
  'unloadTimeout',
]);
/** What means something only where Corral does not start a llama-server itself. */
const OF_COMMANDS = new Set(['cmdStop', 'useModelName', 'concurrencyLimit']);

/** Converts one model. Never throws: what cannot be converted is left out, with the reason in its notes. */
export function importModel(id: string, raw: unknown, surroundings: ModelSurroundings): ModelImport {
  const parsed = swapModelSchema.safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return leftOut(`${issue?.path.join('.') || 'the entry'}: ${issue?.message ?? 'cannot be read'}`);
  }
  try {
    return convert(id, parsed.data, surroundings);
  } catch (error) {
    return leftOut(error instanceof Error ? error.message : String(error));
  }
}

const leftOut = (reason: string): ModelImport => ({
  model: null,
  program: null,
  notes: [`left out: ${reason}`],
});

function convert(id: string, swap: SwapModel, { macros, env }: ModelSurroundings): ModelImport {
  const own = new Map([
    ...macros,
    ...Object.entries(swap.macros ?? {}),
    ['MODEL_ID', id],
    ['PORT', PORT],
    // Known only when it is stopped.
    ['PID', '{pid}'],
  ]);
  const fill = (text: string): string => expandMacros(text, own, env).text;
  const { text, environment } = expandMacros(swap.cmd, own, env);
  const words = splitCommand(text);
  if (words.length === 0) throw new Error('its cmd is empty');
  const environmentOfModel = importEnvironment((swap.env ?? []).map(fill));
  const filters = importFilters([id, ...(swap.aliases ?? [])], swap.filters, fill);
  const started = startOf(words, swap, fill);
  const { devices } = environmentOfModel;
  return {
    program: started.program,
    model: {
      ...started.model,
      ...(swap.aliases?.length && { aliases: swap.aliases }),
      ...(Object.keys(filters.variants).length > 0 && { variants: filters.variants }),
      ...(typeof swap.ttl === 'number' && swap.ttl >= 0 && { keepAlive: keepAliveOf(swap.ttl) }),
      ...devices,
      ...(started.model.devices && { devices: started.model.devices }),
      ...(devices.devices &&
        started.model.devices && { devices: amongVisible(started.model.devices, devices.devices) }),
      ...(Object.keys(environmentOfModel.env).length > 0 && { env: environmentOfModel.env }),
    },
    notes: [
      ...environment.map((name) => `the environment's ${name} was filled in as it is now`),
      ...started.notes,
      ...environmentOfModel.notes,
      ...filters.notes,
      ...otherKeys(swap, started.program === null),
    ],
  };
}

interface Started {
  readonly model: ModelInput;
  /** The llama-server that Corral starts itself; null for another program. */
  readonly program: string | null;
  readonly notes: readonly string[];
}

/** With a llama-server of this machine and a file, Corral's own way to start it; anything else as it was written. */
function startOf(words: readonly string[], swap: SwapModel, fill: (text: string) => string): Started {
  const at = isWrapped(words) ? words.findIndex(isLlamaServer) : 0;
  const program = words[at] ?? '';
  const read = isLlamaServer(program) ? importArguments(words.slice(at + 1)) : null;
  if (read?.path != null) {
    const { path, model, notes } = read;
    const terminate = swap.unloadTimeout ? { limits: { terminate: `${swap.unloadTimeout}s` } } : {};
    return {
      program,
      model: { path, ...model, ...(at > 0 && { wrapper: words.slice(0, at) }), ...terminate },
      notes: [...notes, ...(isRelative(path) ? [`${path} is now taken from the folder of corral.yaml`] : [])],
    };
  }
  if (read !== null && read.remote === null) throw new Error('its cmd names no model file (-m)');
  const command = importCommand({
    swap: { ...swap, checkEndpoint: swap.checkEndpoint ? fill(swap.checkEndpoint) : null },
    words,
    stop: swap.cmdStop ? splitCommand(fill(swap.cmdStop)) : null,
    proxy: swap.proxy ? fill(swap.proxy) : null,
  });
  const pull = read?.remote != null ? [howToPull(read.remote)] : [];
  return { program: null, ...command, notes: [...pull, ...command.notes] };
}

/** Programs that start another one in their place, which Corral has a key for. */
const WRAPPERS = new Set(['numactl', 'taskset', 'nice', 'ionice', 'chrt', 'env', 'stdbuf']);
const isWrapped = ([first = '']: readonly string[]): boolean => WRAPPERS.has(programName(first));
const isLlamaServer = (program: string): boolean => /^llama-server/i.test(programName(program));
const isRelative = (path: string): boolean =>
  !posix.isAbsolute(path) && !win32.isAbsolute(path) && !path.startsWith('~/');

/** llama-swap's ttl is in seconds, and 0 means that a model stays. */
export const keepAliveOf = (ttl: number): string => (ttl === 0 ? 'forever' : `${ttl}s`);

const howToPull = (remote: string): string => {
  const command = HUB_MODEL.test(remote) ? `: \`corral pull hf:${remote}\` fetches it` : '';
  return `it is downloaded by llama-server itself; of a file Corral would know what it needs${command}`;
};

/** What was visible of GPUs becomes its devices; what may be a secret belongs into Corral's own environment, which processes inherit. */
function importEnvironment(entries: readonly string[]): {
  devices: Pick<ModelInput, 'devices' | 'placement'>;
  env: Record<string, string>;
  notes: readonly string[];
} {
  let devices: Pick<ModelInput, 'devices' | 'placement'> = {};
  const env: Record<string, string> = {};
  const notes: string[] = [];
  for (const entry of entries) {
    const [name, value] = splitAt(entry, '=');
    const visible = name === 'CUDA_VISIBLE_DEVICES' ? cudaDevices(value) : null;
    if (visible !== null) devices = visible.length === 0 ? { placement: 'cpu-only' } : { devices: visible };
    else if (MAY_BE_SECRET.test(name))
      notes.push(`env ${name} is left out, as it may be a secret: set it where Corral is started`);
    else if (!/^(?!CORRAL_)[A-Za-z_]\w*$/.test(name) || bracedIn(value).length > 0)
      notes.push(`env ${name} is left out: it would mean something to Corral`);
    else env[name] = value;
  }
  return { devices, env, notes };
}

/** `0,2` is CUDA0 and CUDA2; null when GPUs are named otherwise. */
function cudaDevices(value: string): string[] | null {
  const numbers = value.split(',').map((one) => one.trim());
  if (value === '' || value === '-1') return [];
  return numbers.every((one) => /^\d+$/.test(one)) ? numbers.map((one) => `CUDA${one}`) : null;
}

/** `--device CUDA0` counts among those that the environment leaves visible. */
const amongVisible = (wanted: readonly string[], visible: readonly string[]): string[] =>
  wanted.map((id) => visible[Number(/^CUDA(\d+)$/.exec(id)?.[1])] ?? id);

const splitAt = (text: string, separator: string): [string, string] => {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
};

function otherKeys(swap: SwapModel, isCommand: boolean): string[] {
  const notes = Object.entries(swap).flatMap(([key, value]) => {
    if (KNOWN.has(key) || isNothing(value) || (isCommand && OF_COMMANDS.has(key))) return [];
    return [`${key} is left out: ${WITHOUT_COUNTERPART.get(key) ?? 'it is not known to the importer'}`];
  });
  if (!isCommand && swap.checkEndpoint && swap.checkEndpoint !== '/health')
    notes.push('checkEndpoint is left out: Corral asks llama-server for /health');
  if (swap.proxy && !/^https?:\/\/(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?=[:/]|$)/.test(swap.proxy))
    notes.push('proxy is left out: Corral forwards to the processes that it has started');
  return notes;
}

const isNothing = (value: unknown): boolean =>
  value === null || value === undefined || value === false || value === '' || value === 0;
