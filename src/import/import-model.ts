import { posix, win32 } from 'node:path';
import type { ModelInput } from '../config/schema.ts';
import { expandMacros } from './expand-macros.ts';
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
/** Any number stands in for the port: it goes with `--port`, which Corral sets itself. */
const SOME_PORT = '0';
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
  }),
);
const KNOWN = new Set(['cmd', 'macros', 'aliases', 'env', 'proxy', 'checkEndpoint', 'ttl', 'filters']);

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
    ['PORT', SOME_PORT],
  ]);
  const { text, environment } = expandMacros(swap.cmd, own, env);
  const [program, ...words] = splitCommand(text);
  if (program === undefined) throw new Error('its cmd is empty');
  if (!isLlamaServer(program))
    throw new Error(`it is started with ${programName(program)}; Corral starts llama-server itself`);
  const { path, model, notes, remote } = importArguments(words);
  if (path === null)
    throw new Error(remote === null ? 'its cmd names no model file (-m)' : howToPull(remote));
  const { devices, notes: environmentNotes } = importEnvironment(swap.env ?? []);
  const filters = importFilters(
    [id, ...(swap.aliases ?? [])],
    swap.filters,
    (name) => expandMacros(name, own, env).text,
  );
  return {
    program,
    model: {
      path,
      ...(swap.aliases?.length && { aliases: swap.aliases }),
      ...(Object.keys(filters.variants).length > 0 && { variants: filters.variants }),
      ...(typeof swap.ttl === 'number' && swap.ttl >= 0 && { keepAlive: keepAliveOf(swap.ttl) }),
      ...devices,
      ...model,
      ...(devices.devices && model.devices && { devices: amongVisible(model.devices, devices.devices) }),
    },
    notes: [
      ...environment.map((name) => `the environment's ${name} was filled in as it is now`),
      ...notes,
      ...(isRelative(path) ? [`${path} is now taken from the folder of corral.yaml`] : []),
      ...environmentNotes,
      ...filters.notes,
      ...otherKeys(swap),
    ],
  };
}

const programName = (program: string): string => posix.basename(win32.basename(program));
const isLlamaServer = (program: string): boolean => /^llama-server/i.test(programName(program));
const isRelative = (path: string): boolean =>
  !posix.isAbsolute(path) && !win32.isAbsolute(path) && !path.startsWith('~/');

/** llama-swap's ttl is in seconds, and 0 means that a model stays. */
export const keepAliveOf = (ttl: number): string => (ttl === 0 ? 'forever' : `${ttl}s`);

const howToPull = (remote: string): string => {
  const command = HUB_MODEL.test(remote) ? `; \`corral pull hf:${remote}\` fetches it` : '';
  return `it is downloaded by llama-server, and Corral serves files${command}`;
};

/** Corral passes no environment on, but knows what this one variable is for. The values of others are not told. */
function importEnvironment(entries: readonly string[]): {
  devices: Pick<ModelInput, 'devices' | 'placement'>;
  notes: readonly string[];
} {
  let devices: Pick<ModelInput, 'devices' | 'placement'> = {};
  const notes: string[] = [];
  for (const entry of entries) {
    const [name, value] = splitAt(entry, '=');
    const visible = name === 'CUDA_VISIBLE_DEVICES' ? cudaDevices(value) : null;
    if (visible === null) notes.push(`env ${name} is left out: models have no environment of their own`);
    else devices = visible.length === 0 ? { placement: 'cpu-only' } : { devices: visible };
  }
  return { devices, notes };
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

function otherKeys(swap: SwapModel): string[] {
  const notes = Object.entries(swap).flatMap(([key, value]) => {
    if (KNOWN.has(key) || isNothing(value)) return [];
    return [`${key} is left out: ${WITHOUT_COUNTERPART.get(key) ?? 'it is not known to the importer'}`];
  });
  if (swap.checkEndpoint && swap.checkEndpoint !== '/health')
    notes.push('checkEndpoint is left out: Corral asks llama-server for /health');
  if (swap.proxy && !/^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(?=[:/]|$)/.test(swap.proxy))
    notes.push('proxy is left out: Corral forwards to the processes that it has started');
  return notes;
}

const isNothing = (value: unknown): boolean =>
  value === null || value === undefined || value === false || value === '' || value === 0;
