/** The words used everywhere. Memory is in bytes, time in milliseconds, context in tokens. */

export type DeviceId = string;
export type RunnerId = string;
export type LeaseId = string;

/**
 * What one probe said of one device.
 * `freeBytes` is null when the probe could not tell: unknown is never zero.
 */
export interface DeviceReading {
  /** The id that the runtime takes for `--device`: `CUDA0`, `ROCm1`, `Metal`, `CPU`. */
  readonly id: DeviceId;
  readonly name: string;
  /** `CUDA`, `ROCm`, `Vulkan`, `Metal`, `CPU`…: devices of different libraries never share a model. */
  readonly library: string;
  readonly kind: 'discrete' | 'integrated' | 'cpu';
  /** It has no memory of its own: what it holds is main memory. Absent: it has. */
  readonly sharesMainMemory?: boolean;
  /** What other backends call the same card: listings that are left out. */
  readonly alsoListedAs?: readonly DeviceId[];
  readonly totalBytes: number;
  readonly freeBytes: number | null;
}

/** A keep-alive: how long an idle runner stays, counted from the end of its last lease. */
export type KeepAlive = number | 'forever';

/** What every launch says of its model; the machines plan with it. */
interface LaunchFacts {
  /** Its file; for another program whatever that calls its model, a folder or a name of a hub. */
  readonly modelPath: string;
  readonly projectorPath?: string;
  readonly adapterPaths: readonly string[];
  /** Tokens that one request may use; llama-server's `-c` is this times `slots`. */
  readonly contextTokens: number;
  readonly slots: number;
  readonly embedding: boolean;
  /** It ranks texts instead of making vectors of them; absent: it does not. */
  readonly reranking?: boolean;
  /** The most that the process may keep of prompts in main memory, so as not to read them again; absent: as its program has it. */
  readonly promptCacheMiB?: number;
  /** Its experts stay in main memory; absent: they go where their layers go. */
  readonly expertsOnCpu?: boolean;
  /** Layers that go to GPUs, the output included, where its user wants not all of them there; absent: as many as its place takes. */
  readonly gpuLayers?: number;
  /** Layers that can be offloaded to a GPU, the output included; absent when unknown, and then it is offloaded whole or not at all. */
  readonly layers?: number;
  /** Its file is read into memory and not mapped; absent: mapped. Chosen when a process is started, and no reason for a reload. */
  readonly readsFile?: boolean;
  /** Passed to the process after Corral's own arguments, which leave out what these say. */
  readonly extraArgs: readonly string[];
  /** How its conversations are kept while it is not loaded; absent: they are not. */
  readonly conversations?: KeptConversations;
}

/** A llama-server, or the runner that Corral brings along. */
export interface LlamaLaunch extends LaunchFacts {
  readonly runtime: 'embedded' | 'llama-server';
  /** Absolute path of the llama-server binary; absent for the embedded runner. */
  readonly binary?: string;
  /** Program and arguments that it is started through, such as `numactl --cpunodebind=0`; absent: it is started itself. */
  readonly wrapper?: readonly string[];
  /** Variables of its environment besides Corral's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Any other program that serves HTTP. */
export interface CommandLaunch extends LaunchFacts {
  readonly runtime: 'command';
  readonly program: Program;
}

/** What the launcher needs to start a process; the machines carry it and never look inside. */
export type LaunchOptions = LlamaLaunch | CommandLaunch;

/** How another program is started, asked and ended. Texts may have placeholders: `{port}`, `{model}`, `{device}`… */
export interface Program {
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The folder that it is started in; null: that of Corral. */
  readonly folder: string | null;
  readonly health: HealthQuestion;
  /** Run to end it, instead of SIGTERM; null: there is none. */
  readonly stop: readonly string[] | null;
  /** Who may listen at its port: itself and what it has started, or anybody, such as the service of its container. */
  readonly listener: 'own' | 'any';
}

/** How a program is asked whether it is well: `GET path`, and the status of a yes. */
export interface HealthQuestion {
  readonly path: string;
  readonly status: number;
}

/** What has been computed of a model's conversations is kept on disk when it is unloaded, and read again when it is loaded. */
export interface KeptConversations {
  /** Equal for processes that can read what each other have kept. */
  readonly fingerprint: string;
  /** Of one token in the cache of a slot. */
  readonly bytesPerToken: number;
}

/**
 * Where a model may run. `gpu-or-cpu` takes the CPU only for what no GPU could ever hold, `cpu-if-full` also when none has room now;
 * `experts-on-cpu` is as `gpu-or-cpu`, with the experts of a mixture of them in main memory from the first.
 */
export const placements = ['gpu-only', 'gpu-or-cpu', 'cpu-if-full', 'cpu-only', 'experts-on-cpu'] as const;
export type Placement = (typeof placements)[number];

/** One configured model, resolved: all that scheduling needs to know of it. */
export interface ModelSpec {
  readonly name: string;
  /** Equal for two requests that one process can serve without a reload. */
  readonly classKey: string;
  readonly launch: LaunchOptions;
  /** Memory that a runner of it holds on its devices, in total. */
  readonly needBytes: number;
  readonly needSource: NeedSource;
  /** Of main memory beside that, wherever it runs: what stays there of a model whose layers are on GPUs. Absent: nothing. */
  readonly hostBytes?: number;
  /** What it was predicted to be made of, also where it has been measured since; absent where nothing was predicted. */
  readonly needParts?: readonly NeedPart[];
  readonly keepAlive: KeepAlive;
  readonly pinned: boolean;
  /** The only devices it may use, in order of preference; null means any. */
  readonly devices: readonly DeviceId[] | null;
  readonly placement: Placement;
  /** Of the model's file, all parts together; absent when unknown. */
  readonly fileBytes?: number;
  /** Expected load time, from earlier loads or from the file's size. */
  readonly loadEstimateMs: number;
  /** Most requests that may wait for this model. */
  readonly maxQueue: number;
  /** Its place among the models of a configuration, from 0 on; the `fifo` policy keeps those that come first. */
  readonly rank?: number;
  /** Of requests that do not say theirs; absent: normal. */
  readonly priority?: Priority;
  /** Longest wait for this model; absent: what the request brings along. */
  readonly waitLimitMs?: number;
  /** The longest keep-alive that a request may ask for; absent: any. */
  readonly keepAliveLimit?: KeepAlive;
  /** Most runners of it at a time; absent: 1. */
  readonly replicas?: number;
  /** What each device holds of it where that is said, in bytes; absent: Corral shares it out. */
  readonly shares?: Reservation;
  /** What is different for clients where another program than llama-server serves it; absent: nothing. */
  readonly foreign?: Foreign;
  /** Time limits of its own; absent: those of all. */
  readonly limits?: ModelLimits;
  /** Why its conversations are not kept when it is unloaded; absent: they are. */
  readonly conversationsLost?: string;
  /** When it had to go for another one, it is loaded again once nobody needs the room; absent: not by itself. */
  readonly comesBack?: boolean;
  /** Over all GPUs of a library, even if one would hold it. */
  readonly spread?: boolean;
  /** What it needs with its experts in main memory, where Corral may choose that. */
  readonly expertsAside?: Required<Pick<ModelSpec, 'needBytes' | 'hostBytes'>>;
  /** For a context that Corral chooses: what can be chosen, the largest first, which is the one in `launch`. Absent: fixed. */
  readonly contexts?: readonly ContextChoice[];
}

/** What another program than llama-server makes different for clients. */
export interface Foreign {
  /** What the model is called in the requests that it gets. */
  readonly calledAs: string;
  /** What it serves; `*` at the end stands for all that begin so. */
  readonly paths: readonly string[];
}

/** Time limits of a model's runners, in ms. */
export interface ModelLimits {
  readonly loadStallMs?: number;
  readonly loadTotalMs?: number;
  readonly terminateGraceMs?: number;
}

/** Where the figure of a need is from. */
export const needSources = ['configured', 'measured', 'fit-params', 'predicted'] as const;
export type NeedSource = (typeof needSources)[number];

/** What memory is needed for. */
export const needsOf = [
  'weights',
  'experts',
  'KV cache',
  'compute buffers',
  'projector',
  'adapters',
  'draft model',
  'prompt cache',
  /** What has been computed of tokens: logits, vectors. */
  'outputs',
  /** States to go back to. */
  'checkpoints',
  /** The program itself. */
  'runtime',
] as const;

/** A part of a need, as it was predicted. */
export interface NeedPart {
  readonly of: (typeof needsOf)[number];
  readonly bytes: number;
  /** It is in main memory, wherever the layers are. */
  readonly inMainMemory?: boolean;
}

/** A context, and what the model needs in all with it. */
export interface ContextChoice {
  readonly contextTokens: number;
  readonly needBytes: number;
}

/** Memory promised to a runner, per device, from spawn until vram-recovering ends. */
export type Reservation = Readonly<Record<DeviceId, number>>;

/** Where a runner answers. */
export interface Endpoint {
  /** Without a trailing slash, e.g. `http://127.0.0.1:40123`. */
  readonly baseUrl: string;
  /** A Unix socket that is used instead, if there is one at this path. */
  readonly socketPath?: string;
  /** The leader of the process group that has to be listening at `baseUrl`; absent: whoever listens is believed. */
  readonly groupPid?: number;
  /** Sent upstream as `Authorization: Bearer …`; the runner refuses anyone else. */
  readonly apiKey: string;
  /** How it is asked whether it is well, where it is no llama-server; absent: as one. */
  readonly health?: HealthQuestion;
}

export type Priority = 'interactive' | 'normal' | 'batch';

export const sumBytes = (reservation: Reservation): number => {
  let sum = 0;
  for (const id in reservation) sum += reservation[id] ?? 0;
  return sum;
};

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** Bytes for people: `19.8 GiB`, below one GiB `450 MiB`. */
export const formatBytes = (bytes: number): string =>
  Math.abs(bytes) >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${Math.round(bytes / MIB)} MiB`;
