import { posix, win32 } from 'node:path';
import { bracedIn } from '../../actors/process/placeholders.ts';
import type { ModelInput } from '../config/schema.ts';
import type { SwapModel } from './llama-swap-schema.ts';

/** A model that another program serves: its keys, and what is to be said of them. */
export interface CommandImport {
  readonly model: ModelInput;
  readonly notes: readonly string[];
}

export interface CommandParts {
  readonly swap: Pick<
    SwapModel,
    'checkEndpoint' | 'proxy' | 'useModelName' | 'concurrencyLimit' | 'unloadTimeout'
  >;
  /** Its words, with `{port}` where llama-swap would fill in a port. */
  readonly words: readonly string[];
  /** The same of the command that stops it; null where there is none. */
  readonly stop: readonly string[] | null;
  /** With `{port}`. */
  readonly proxy: string | null;
}

const PORT = '{port}';
/** Names of variables whose values are neither copied nor told. */
export const MAY_BE_SECRET = /(?:^|_)(?:key|token|secret|password|passwd|credentials?)$|apikey$/i;
/** In braces, and meant so. */
const OURS = new Set(['port', 'key', 'pid']);
/** Nobody can tell what it needs. */
const GUESS = '8GiB';
const CONTAINERS = /^(?:docker|podman|nerdctl)(?:\.exe)?$/i;
const MAKES_PICTURES = /sd-server|stable-?diffusion|comfyui/i;
/** What it has besides OpenAI's paths, where it is one that Corral does not start itself. */
const OF_LLAMA_SERVER = ['/v1/*', '/completion', '/infill', '/tokenize', '/detokenize', '/apply-template'];
const FIXED_PORT = /^https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]):(\d+)/;

export const programName = (program: string): string => posix.basename(win32.basename(program));

/** Converts a command that Corral does not start of itself. Throws an Error that says why it cannot be had. */
export function importCommand({ swap, words, stop, proxy }: CommandParts): CommandImport {
  const notes: string[] = [];
  const ported = atLoopback(withoutSecrets(withPort(words, proxy), notes), notes);
  const strange = [...ported, ...(stop ?? [])].flatMap(bracedIn).find((one) => !OURS.has(one));
  if (strange !== undefined) throw new Error(`{${strange}} in its cmd would mean something to Corral`);
  const { path, command } = withModel(ported);
  const boxed = isContainer(ported);
  const devices = boxed ? devicesOf(ported) : [];
  const usesPid = stop?.some((word) => word.includes('{pid}')) ?? false;
  notes.push(
    ...(path === null
      ? [`memory: ${GUESS} is a guess: say what it needs, or what each device holds of it`]
      : []),
    ...(boxed && stop === null
      ? ['a container has no cmdStop here: give it a --name, and `stop:` that ends it']
      : []),
    ...(usesPid ? ['cmdStop is left out: Corral itself signals what it has started'] : []),
    ...(swap.checkEndpoint === 'none'
      ? ['checkEndpoint none: Corral asks GET / until it is answered with 200']
      : []),
  );
  const { concurrencyLimit: slots, unloadTimeout } = swap;
  const model: ModelInput = {
    ...(path !== null && { path }),
    command: [...command],
    ...(stop !== null && !usesPid && { stop: [...stop] }),
    ...(boxed && { listener: 'any' as const }),
    ...readyOf(swap.checkEndpoint),
    ...(path === null && { memory: GUESS }),
    ...pathsOf(ported),
    ...(swap.useModelName && { calledAs: swap.useModelName }),
    ...(slots && slots > 0 && { slots }),
    ...(unloadTimeout && unloadTimeout > 0 && { limits: { terminate: `${unloadTimeout}s` } }),
    ...(devices.length > 0 && { devices, ...(devices.length > 1 && { spread: true }) }),
  };
  return { model, notes };
}

/** A key of its own becomes the one that Corral makes; what a container is given as a secret comes from the environment. */
function withoutSecrets(words: readonly string[], notes: string[]): readonly string[] {
  return words.map((word, i) => {
    const before = words[i - 1] ?? '';
    if (before === '--api-key') return '{key}';
    if (word.startsWith('--api-key=')) return '--api-key={key}';
    const [name = '', ...value] = word.split('=');
    if (!['-e', '--env'].includes(before) || value.length === 0 || !MAY_BE_SECRET.test(name)) return word;
    notes.push(
      `${before} ${name} goes without its value, as it may be a secret: set it where Corral is started`,
    );
    return name;
  });
}

/** Only Corral is to reach it. */
function atLoopback(words: readonly string[], notes: string[]): readonly string[] {
  const isBoxed = isContainer(words);
  const nearer = words.map((word, i) => {
    const before = words[i - 1] ?? '';
    if (isBoxed) return /^\{port\}:\d+/.test(word) && isPublish(before) ? `127.0.0.1:${word}` : word;
    return word === '0.0.0.0' && /^--?(?:host|ip|bind|listen)$/.test(before) ? '127.0.0.1' : word;
  });
  if (nearer.some((word, i) => word !== words[i]))
    notes.push('it listens at 127.0.0.1 now, and not at all addresses: clients come by Corral');
  return nearer;
}

const isPublish = (flag: string): boolean => flag === '-p' || flag === '--publish';

const isContainer = ([program = '', ...rest]: readonly string[]): boolean =>
  CONTAINERS.test(programName(program)) ||
  (programName(program) === 'sudo' && CONTAINERS.test(programName(rest[0] ?? '')));

/** A port that was fixed becomes Corral's, wherever it stands as a number of its own: `--port 9001`, `-p 9001:8080`. */
function withPort(words: readonly string[], proxy: string | null): readonly string[] {
  if (words.some((word) => word.includes(PORT))) return words;
  const fixed = FIXED_PORT.exec(proxy ?? '')?.[1];
  if (fixed === undefined) throw new Error('its cmd does not say at which port it listens');
  const number = new RegExp(`(?<![\\d.])${fixed}(?!\\d)`);
  const ported = words.map((word) => word.replace(number, PORT));
  if (ported.some((word) => word.includes(PORT))) return ported;
  throw new Error(`its cmd does not say that it listens at port ${fixed}, which Corral would have to choose`);
}

const MODEL_FLAGS = ['-m', '--model'];

/** The GGUF file among its arguments, if it is one of this machine: then its need can be told. */
function withModel(words: readonly string[]): {
  readonly path: string | null;
  readonly command: readonly string[];
} {
  const at = words.findIndex((word, i) => MODEL_FLAGS.includes(word) && /\.gguf$/i.test(words[i + 1] ?? ''));
  if (at < 0 || isContainer(words)) return { path: null, command: words };
  return { path: words[at + 1] ?? null, command: words.with(at + 1, '{model}') };
}

/** Of `--gpus '"device=2,3"'` the GPUs, which Corral books then. */
function devicesOf(words: readonly string[]): string[] {
  const numbers = words.map((word) => /device=([\d,]+)/.exec(word)?.[1]).find((found) => found !== undefined);
  return numbers?.split(',').flatMap((one) => (one === '' ? [] : [`CUDA${one}`])) ?? [];
}

function readyOf(checkEndpoint: string | null | undefined): Pick<ModelInput, 'ready'> {
  if (!checkEndpoint || checkEndpoint === '/health') return {};
  return { ready: { path: checkEndpoint === 'none' ? '/' : checkEndpoint } };
}

function pathsOf(words: readonly string[]): Pick<ModelInput, 'paths'> {
  if (words.some((word) => MAKES_PICTURES.test(word))) return { paths: ['/v1/*', '/sdapi/*'] };
  if (words.some((word) => /llama-server|llama\.cpp/i.test(word))) return { paths: [...OF_LLAMA_SERVER] };
  return {};
}
