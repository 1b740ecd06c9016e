import { z } from 'zod';
import { policyNames } from '../../machines/planning/view.ts';
import { placements } from '../../machines/vocabulary.ts';
import { KEY_HASH } from '../auth/key.ts';
import { scopes } from '../auth/scopes.ts';
import { MOST_CONTEXT_TOKENS } from '../models/bounds.ts';
import { keptKeys } from './kept-keys.ts';
import { faultsOfProgram, programKeys } from './program-keys.ts';
import { refusalOf } from './refused-arguments.ts';
import { argument, count, duration, host, name, path, port, rate, size } from './scalars.ts';
import { variant } from './variant-keys.ts';

/** An origin as browsers send it; `*` for the host only where no web site can have the scheme. */
const ORIGIN = /^(?:https?:\/\/[^/*@\s]+|(?!https?:|null)[a-z][a-z0-9+.-]*:\/\/(?:\*|[^/*@\s]+))$/;
const HOST = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/i;

/** What a key may be called; not as a key itself, which somebody may have pasted there. */
export const KEY_NAME = /^(?!corral_)[a-z][\w.-]{0,63}$/i;

const listen = z
  .strictObject({
    host: host
      .default('127.0.0.1')
      .describe("Address to listen on. Any but this machine's own loopback asks for `keys`."),
    port: port.default(8686).describe('Port; 0 takes a free one.'),
    ollamaPort: port
      .optional()
      .describe('A second port on the same address, for clients that look for Ollama: 11434. Default: none.'),
    tls: z
      .strictObject({
        cert: path.describe('PEM file: the certificate, and those between it and its authority.'),
        key: path.describe('PEM file: its private key, without a passphrase.'),
      })
      .optional()
      .describe('Serves https. The files are read again when they change.'),
    allowedHosts: z
      .array(
        z.string().regex(HOST, 'expected a name such as gpu.example.org or *.example.org, without a port'),
      )
      .default([])
      .describe(
        "Further names that clients may reach Corral by: gpu.example.org. IP addresses, localhost and this machine's name always may.",
      ),
    allowedOrigins: z
      .array(
        z
          .string()
          .regex(ORIGIN, 'expected an origin such as https://chat.example.org or app://*, without a path'),
      )
      .default([])
      .describe('Web pages of other origins that may call: https://chat.example.org, vscode-webview://*.'),
  })
  .refine(({ port, ollamaPort }) => ollamaPort !== port || port === 0, {
    path: ['ollamaPort'],
    message: "expected another port than listen.port, which answers Ollama's clients as well",
  });

const key = z.strictObject({
  hash: z
    .string()
    .regex(KEY_HASH, 'expected sha256: and 64 hexadecimal digits, as `corral key` prints them')
    .describe('What `corral key` has printed. The key itself is nowhere.'),
  scopes: z
    .array(z.enum(scopes))
    .min(1)
    .default(['inference'])
    .describe('What it opens: inference, read, manage. None implies another. See docs/security.md.'),
  requestsPerMinute: rate.optional().describe('Default: limits.requestsPerMinute.'),
  priority: z
    .enum(['interactive', 'normal', 'batch'])
    .optional()
    .describe(
      'Place in line of its requests, which may ask for less (X-Corral-Priority), but not for more. Default: that of the model.',
    ),
});

const serverArguments = z.array(argument).superRefine((args, check) => {
  args.forEach((one, i) => {
    const message = refusalOf(one, args[i + 1]);
    if (message !== null) check.addIssue({ code: 'custom', path: [i], message });
  });
});

const sharing = {
  context: z
    .union([count(MOST_CONTEXT_TOKENS), z.literal('auto')])
    .optional()
    .describe(
      'Tokens that one request may use. Default: what the model was trained for, at most 4096. auto: as much as the GPUs are meant for, less when memory runs out.',
    ),
  slots: count(256)
    .optional()
    .describe('Requests served at the same time. Default: 4; 1 for embedding models.'),
  keepAlive: duration({ mayBeNegative: true })
    .optional()
    .describe('How long an idle runner stays: 5m, 0, forever. Default: 5m.'),
  placement: z
    .enum(placements)
    .optional()
    .describe(
      'Where it may run. Default: gpu-or-cpu, which takes the CPU only for what no GPU could ever hold; cpu-if-full also when no GPU has room now; experts-on-cpu keeps the experts of a mixture in main memory, as the first two do by themselves where the whole could never fit.',
    ),
  runtime: z
    .enum(['auto', 'llama-server', 'embedded'])
    .optional()
    .describe('Which program runs it. Default: auto, which takes llama-server where there is one.'),
  args: serverArguments
    .optional()
    .describe(
      'Further llama-server arguments. What they say of context, slots, layers, devices, projector and adapters becomes the plan, and wins over the keys; address, key and the model itself are refused.',
    ),
  promptCache: size({ least: '0', most: '1TiB' })
    .optional()
    .describe(
      'What a runner may keep of earlier prompts in main memory: 2GiB; 0 for nothing. Default: a 32nd of main memory, at most 8GiB.',
    ),
  keepAliveLimit: duration({ mayBeNegative: true })
    .optional()
    .describe('The longest keep-alive that a request may ask for. Default: any.'),
  wait: duration().optional().describe('Longest wait of a request for it. Default: limits.wait.'),
  priority: z
    .enum(['interactive', 'normal', 'batch'])
    .optional()
    .describe('Place in line of requests that do not say theirs (X-Corral-Priority). Default: normal.'),
  spread: z
    .boolean()
    .optional()
    .describe('Over all GPUs of a library, even if one would hold it. Default: false.'),
  replicas: count(64)
    .optional()
    .describe('Most runners of it at a time; a further one starts when all slots are taken. Default: 1.'),
  maxQueue: count(1_000_000)
    .optional()
    .describe('Most requests that may wait for it. Default: limits.queue.'),
};

const modelKeys = z.strictObject({
  path: path
    .optional()
    .describe(
      'The GGUF file; of a split file the first part. Relative to this configuration. With a command it is what {model} stands for, a file, a folder or a name.',
    ),
  aliases: z
    .array(name)
    .default([])
    .describe(
      'Other names that requests may use; claude-* stands for all that begin so and are no other name.',
    ),
  variants: z
    .record(name, variant)
    .default({})
    .describe(
      'Names under which the same loaded model is asked in another way; its own name and aliases may be among them.',
    ),
  ...sharing,
  pin: z.boolean().default(false).describe('Loaded at start, never evicted, loaded again after a crash.'),
  preload: z
    .boolean()
    .default(false)
    .describe(
      'Loaded at start, and again when it had to go for another model that has gone since and nobody needs the room.',
    ),
  devices: z.array(name).optional().describe('The only devices it may use, in order of preference: [CUDA1].'),
  kind: z.enum(['auto', 'chat', 'embedding']).default('auto').describe('Default: by the file.'),
  projector: path.optional().describe('The mmproj file of a model that sees.'),
  adapters: z.array(path).default([]).describe('LoRA files.'),
  ...programKeys,
});

const model = modelKeys.superRefine((one, check) => {
  for (const [key, message] of faultsOfProgram(one))
    check.addIssue({ code: 'custom', path: [key], message, input: one[key as keyof typeof one] });
});

const store = z.union([z.boolean(), path], { error: 'expected true, false or a folder' }).default(false);

/** `corral.yaml`, as it is written. */
export const configSchema = z.strictObject({
  listen: listen.prefault({}).describe('Where clients find Corral, and who may call.'),
  keys: z
    .record(
      z.string().regex(KEY_NAME, 'expected a name of a letter first, then letters, digits, dots and dashes'),
      key,
    )
    .default({})
    .describe(
      'Who may call, by name; `corral key NAME` makes one. Without any, everybody on this machine may.',
    ),
  client: z
    .strictObject({
      keyFile: path
        .optional()
        .describe('A file with the key that `corral ps` and the like show. $CORRAL_API_KEY wins.'),
    })
    .prefault({})
    .describe("Corral's own commands."),
  models: z.record(name, model).default({}).describe('Models by name.'),
  anyOf: z
    .record(
      name,
      z
        .array(name)
        .min(1)
        .describe('Models that one name stands for: the first that is loaded serves, else the first.'),
    )
    .default({})
    .describe('Names that stand for several models.'),
  defaultModel: name
    .optional()
    .describe('Serves requests that name no model, or one that there is not. Default: they are refused.'),
  folders: z.array(path).default([]).describe('Folders that are searched for *.gguf.'),
  discover: z
    .strictObject({
      llamaCpp: store.describe("llama.cpp's cache, of `llama-server -hf`; true: where it usually is."),
      ollama: store.describe("Ollama's store, which is only read; true: where it usually is."),
      huggingFace: store.describe("Hugging Face's cache; true: where it usually is."),
    })
    .prefault({})
    .describe('Models of other programs to serve too: true, or a folder. See docs/models.md.'),
  defaults: z.strictObject(sharing).prefault({}).describe('For models that do not say otherwise.'),
  llamaServer: path
    .optional()
    .describe(
      'The llama-server program. Default: $LLAMA_SERVER, then PATH; without one the embedded runner is used.',
    ),
  devices: z
    .record(
      name,
      z.strictObject({
        memory: size().optional().describe('The most that Corral may use of it: 20GiB. Default: all.'),
        sharesMainMemory: z
          .boolean()
          .optional()
          .describe(
            'What it holds is main memory, and counts on CPU as well. Default: by its name (Apple, Intel, GB10, Orin, Thor); of an AMD GPU that is part of the processor, by what the kernel says is set aside for it.',
          ),
      }),
    )
    .default({})
    .describe('Settings of devices; `corral ps` shows their names. CPU is the main memory.'),
  limits: z
    .strictObject({
      queue: z
        .int()
        .min(0)
        .max(1_000_000)
        .default(512)
        .describe('Most requests that may wait, over all models.'),
      wait: duration().default(600_000).describe('Longest wait of a request for a runner.'),
      body: size({ least: '1', most: '2GiB' })
        .default(64 * 1024 ** 2)
        .describe('Largest request body.'),
      headers: size({ least: '1KiB', most: '16MiB' })
        .default(32 * 1024)
        .describe('Largest request headers.'),
      connections: count(1_000_000).default(4_096).describe('Most client connections at a time.'),
      requestsPerMinute: rate
        .default(6_000)
        .describe('Most requests of one key within a minute; a number or unlimited.'),
      heldBodies: size({ least: '1KiB', most: '1TiB' })
        .default(512 * 1024 ** 2)
        .describe('Request bodies held at a time, all together.'),
      loadStall: duration({ least: '1s' })
        .default(300_000)
        .describe('A load that shows no sign of life for this long has failed.'),
      load: duration({ least: '1s' }).default(Infinity).describe('Longest load.'),
      drain: duration().default(600_000).describe('How long an evicted model may finish what it is running.'),
      terminate: duration({ least: '100ms' })
        .default(5_000)
        .describe(
          'How long a process may take to end after SIGTERM; then it is killed. Slow drivers and large models take longer.',
        ),
      runners: count(1_000).optional().describe('Most runners at a time. Default: as many as fit.'),
    })
    .prefault({})
    .describe('Bounds.'),
  policy: z
    .strictObject({
      name: z.enum(policyNames).default('default').describe('Who is loaded and evicted, and when.'),
      keepAlive: z
        .enum(['strict', 'soft'])
        .default('strict')
        .describe('soft: a runner whose keep-alive has ended stays until its memory is wanted.'),
      gamma: z
        .number()
        .positive()
        .max(1_000)
        .default(0.4)
        .describe(
          'How much waiting justifies how much expected waiting: 0.25 favours latency, 1 throughput.',
        ),
      eviction: z
        .enum(['automatic', 'manual'])
        .default('automatic')
        .describe('manual: nothing is evicted without a command; who would need that is refused.'),
      readAhead: z
        .boolean()
        .default(true)
        .describe(
          'While others make room for a model, its file is read into main memory, as far as there is room.',
        ),
      abandonedLoads: z
        .enum(['keep', 'abort'])
        .default('keep')
        .describe('What becomes of a load when everybody who waited for it has left.'),
      starvation: duration()
        .default(Infinity)
        .describe('After this long a request may evict at any price, whatever loads take.'),
    })
    .refine(({ name, eviction }) => name === 'default' || eviction === 'automatic', {
      path: ['eviction'],
      error: 'manual goes with the default policy only',
    })
    .prefault({})
    .describe('Scheduling; see docs/policy.md.'),
  tracing: z
    .strictObject({
      endpoint: z
        .url({ protocol: /^https?$/, error: 'expected an address such as http://127.0.0.1:4318' })
        .optional()
        .describe(
          'An OpenTelemetry collector (OTLP over HTTP) that gets a trace of each request. Default: $OTEL_EXPORTER_OTLP_ENDPOINT; without one nothing is traced.',
        ),
      sampleRate: z
        .number()
        .min(0)
        .max(1)
        .default(1)
        .describe('The share of traces that is kept, of those that begin here.'),
    })
    .prefault({})
    .describe('Traces; see docs/tracing.md.'),
  inspect: z
    .union([z.boolean(), z.url({ protocol: /^wss?$/ })], {
      error: 'expected true, false or the address of a relay such as ws://localhost:8080',
    })
    .default(false)
    .describe(
      'Lets inspectors of statecharts attach at /inspect, such as that of Stately; an address is that of a relay that is pushed to as well. See docs/inspector.md.',
    ),
  shutdownGrace: duration().default(30_000).describe('How long running requests may go on after SIGTERM.'),
  dataFolder: path.optional().describe('What Corral learns and writes. Default: ~/.local/share/corral.'),
  logLevel: z
    .enum(['silent', 'error', 'warn', 'info', 'debug'])
    .default('info')
    .describe('How much is logged.'),
  logFormat: z
    .enum(['auto', 'json', 'pretty'])
    .default('auto')
    .describe('How the log is written. auto: for people on a terminal, else a JSON object per line.'),
  ...keptKeys,
  watch: z
    .boolean()
    .default(false)
    .describe(
      'Whether this file is read again whenever it changes, and folders whenever a model comes or goes.',
    ),
});

/** The configuration with all defaults filled in: sizes in bytes, durations in ms. */
export type Config = z.output<typeof configSchema>;
export type ModelConfig = Config['models'][string];
export type Variant = ModelConfig['variants'][string];
/** As it is written, before defaults. */
export type ConfigInput = z.input<typeof configSchema>;
/** One model as it is written. */
export type ModelInput = z.input<typeof model>;

/** The schema that editors complete from; kept in `corral.schema.json`. */
export const configJsonSchema = (): object => ({
  ...z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }),
  patternProperties: { '^x-': { description: 'Left alone: a place for YAML anchors.' } },
  title: 'corral.yaml',
});
