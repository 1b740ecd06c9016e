import { z } from 'zod';
import { isArgumentVariable } from '../../actors/process/clean-env.ts';
import { bracedIn, placeholders, strangeIn } from '../../actors/process/placeholders.ts';
import { guess } from './guess.ts';
import { argument, duration, name, path, size } from './scalars.ts';

const KNOWN = Object.keys(placeholders);
const IN_BRACES = KNOWN.map((name) => `{${name}}`).join(', ');

/** Text of a program's start; what is in braces has to be known. */
const filledText = argument.superRefine((text, check) => {
  const [strange] = strangeIn(text);
  if (strange === undefined) return;
  check.addIssue({ code: 'custom', message: `expected one of ${IN_BRACES}.${guess(strange, KNOWN)}` });
});

/** A program and its arguments. No shell reads them, so that a single text would be taken apart by nobody. */
const commandLine = z
  .array(filledText, {
    error:
      "expected a list of a program and its arguments: [vllm, serve, '{model}', --port, '{port}']; no shell reads it",
  })
  .min(1);

const VARIABLE = /^(?!CORRAL_)[A-Za-z_][A-Za-z0-9_]*$/;
const URL_PATH = /^\/[^\s?#]*$/;
const aPath = (example: string) =>
  z.string().regex(URL_PATH, `expected a path such as ${example}, without a query`);

const BYTES = size({ least: '1MiB', most: '1024TiB' });

/** Keys of models that say how a process of theirs is started, and by which program. */
export const programKeys = {
  command: commandLine
    .optional()
    .describe(
      `Another program than llama-server that serves it over HTTP, and its arguments. In braces: ${IN_BRACES}. See docs/models.md.`,
    ),
  env: z
    .record(
      z.string().regex(VARIABLE, 'expected a variable of its environment, and none of CORRAL_*'),
      filledText.describe('Its value.'),
    )
    .default({})
    .describe('Variables of the environment of its processes, besides those of Corral.'),
  folder: path.optional().describe('The folder that its command is started in. Default: that of Corral.'),
  ready: z
    .strictObject({
      path: aPath('/health')
        .default('/health')
        .describe('What its command is asked to see whether it is well.'),
      status: z.int().min(100).max(599).default(200).describe('What it answers when it is.'),
    })
    .optional()
    .describe(
      'How its command is asked whether it is ready, and still well. Default: GET /health, which is to say 200.',
    ),
  stop: commandLine
    .optional()
    .describe(
      'A command that ends what its command has started, run instead of SIGTERM, and again after a crash of Corral: [docker, stop, vllm].',
    ),
  listener: z
    .enum(['own', 'any'])
    .optional()
    .describe(
      "Who may listen at its command's port. Default: own, the command and what it starts; any believes whoever does, which the ports of containers need.",
    ),
  paths: z
    .array(aPath('/v1/audio/speech or /sdapi/*'))
    .min(1)
    .optional()
    .describe(
      'The paths that its command serves; * at the end stands for all that begin so. Default: [/v1/*].',
    ),
  calledAs: z
    .string()
    .min(1)
    .max(1_024)
    .optional()
    .describe(
      'What the model is called in the requests that its command gets. Default: as it is called here.',
    ),
  llamaServer: path
    .optional()
    .describe('A llama-server of its own, such as another build. Default: llamaServer.'),
  wrapper: z
    .array(argument)
    .min(1)
    .optional()
    .describe('What its llama-server is started through: [numactl, --cpunodebind=0].'),
  limits: z
    .strictObject({
      load: duration({ least: '1s' }).optional().describe('Longest load. Default: limits.load.'),
      loadStall: duration({ least: '1s' })
        .optional()
        .describe('Longest load without a sign of life. Default: limits.loadStall.'),
      terminate: duration({ least: '100ms' })
        .optional()
        .describe(
          'How long it may take to end before it is killed. Default: limits.terminate; 30s with a stop.',
        ),
    })
    .optional()
    .describe('Time limits of its own.'),
  memory: z
    .union([BYTES, z.record(name, BYTES)], {
      error: 'expected a size such as 20GiB, or one for each device: {CUDA0: 20GiB, CPU: 2GiB}',
    })
    .optional()
    .describe(
      'What it needs on its devices, if you know better than Corral: 20GiB; or of each: {CUDA0: 20GiB, CPU: 2GiB}, which are then its devices. The prompt cache comes on top, in main memory.',
    ),
};

type Programmed = Readonly<Record<string, unknown>> & {
  readonly command?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly path?: string | undefined;
  readonly memory?: unknown;
};

/** What a command has no use for, and what nothing else has. */
const OF_LLAMA_SERVER = ['args', 'projector', 'adapters', 'runtime', 'promptCache', 'llamaServer', 'wrapper'];
const OF_COMMANDS = ['folder', 'ready', 'stop', 'listener', 'paths', 'calledAs'];

const isSaid = (value: unknown): boolean =>
  value !== undefined && !(Array.isArray(value) && value.length === 0);

type Fault = readonly [key: string, message: string];

/** What is wrong with how a model is started. */
export function faultsOfProgram(model: Programmed): readonly Fault[] {
  const { command, path: file, env } = model;
  if (command === undefined) {
    const alone = OF_COMMANDS.filter((key) => isSaid(model[key]));
    return [
      ...(file === undefined
        ? [['path', 'expected the GGUF file, or a command that serves the model'] as const]
        : []),
      ...alone.map((key) => [key, 'expected a command beside it: it says how that is run'] as const),
      ...Object.keys(env)
        .filter(isArgumentVariable)
        .map((name) => ['env', `expected no ${name}: args says what llama-server is started with`] as const),
    ];
  }
  const said = OF_LLAMA_SERVER.filter((key) => isSaid(model[key]));
  return [
    ...said.map(
      (key) => [key, 'expected none of it: it is for llama-server, and the model has a command'] as const,
    ),
    ...faultsOfTexts(model, command),
    ...(isSaid(model.memory) || isGguf(file)
      ? []
      : [
          [
            'memory',
            'expected what it needs, such as 6GiB or {CUDA0: 6GiB}: Corral can tell that of GGUF files only',
          ] as const,
        ]),
  ];
}

function faultsOfTexts({ env, path: file }: Programmed, command: readonly string[]): readonly Fault[] {
  const used = new Set([...command, ...Object.values(env)].flatMap(bracedIn));
  return [
    ...(used.has('port')
      ? []
      : [['command', 'expected {port} among its arguments, or in env: Corral chooses it'] as const]),
    ...(used.has('model') && file === undefined
      ? [['path', 'expected what {model} stands for'] as const]
      : []),
  ];
}

export const isGguf = (file: string | undefined): boolean => file?.toLowerCase().endsWith('.gguf') ?? false;
