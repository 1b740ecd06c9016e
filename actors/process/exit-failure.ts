import type { Failure, FailureCode } from '../../machines/failures.ts';
import type { LaunchOptions } from '../../machines/vocabulary.ts';

/** How a process ended, and what it had said. */
export interface ProcessExit {
  readonly modelName: string;
  readonly modelPath: string;
  /** What was started. */
  readonly binary: string;
  /** Absent: a llama-server. */
  readonly runtime?: LaunchOptions['runtime'];
  readonly phase: 'loading' | 'serving';
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Corral asked for it. */
  readonly isExpected: boolean;
  readonly lines: readonly string[];
  /** Why the system let no process be started; there was none, then. */
  readonly hindrance?: string | undefined;
  /** Whether the system has ended processes for lack of memory while this one ran; null if it does not tell. */
  readonly wasMemoryShort?: boolean | null;
}

/** Texts by which llama.cpp (v0.4, v0.5) and the drivers say that memory ran out. */
const OUT_OF_MEMORY =
  /out of memory|failed to allocate|cudaMalloc failed|hipMalloc failed|insufficient memory|ErrorOutOfDeviceMemory|cannot allocate memory|std::bad_alloc/i;
/** llama.cpp goes on after these, with memory that may be paged out, is not pinned, or in another way. */
const RECOVERED =
  /retrying without pipeline parallelism|failed to mlock|RLIMIT_MEMLOCK|of pinned memory|allocate pinned memory/i;
const MISSING = /failed to open GGUF file|No such file or directory/i;
const INVALID =
  /invalid magic characters|model is corrupted or incomplete|not within the file bounds|unknown model architecture|unsupported.*(format|version)|error loading model|failed to load model/i;
const SPAWN = /execvp\(3\) failed/i;
const NOTABLE =
  /\berror\b|failed|invalid|corrupt|couldn't|cannot|out of memory|GGML_ASSERT|terminate called|panic|exception/i;
/** What a program says when it gives up: what is beside it, traces of calls and the like, explains nothing. */
const LAST_WORDS =
  /what\(\):|\b(?:CUDA|ROCm|HIP|MUSA|SYCL|Vulkan|Metal) error:|GGML_ASSERT\(|terminate called|panic/i;
/** What was wrong with requests, which no llama-server has ever ended of. */
const OF_REQUESTS = /got exception|log_server_r|listening on/;
/** llama-server's closing words, which say that it ends but not why. */
const CLOSING = /exiting due to|cleaning up before exit|srv\s+llama_server: exiting/i;

/** What llama-server says of its daily work: it has nothing to do with its end, and names ports and addresses. */
const ROUTINE = /\b(?:srv|slot|que|main|cmn|init)\s*:?\s|listening on/;

/** Says why a process ended, in words that stand by themselves. */
export function exitFailure(exit: ProcessExit): Failure {
  if (exit.isExpected) return { code: 'stopped', message: `${exit.modelName} was unloaded.` };
  if (exit.hindrance !== undefined) return hindered(exit.modelName, exit.hindrance);
  const code = codeOf(exit);
  const line = tellingLine(exit.lines, code);
  const message = `${whatFailed(exit, code)}${line ? ` It said: ${line}` : ''}`;
  return { code, message, ...(line && { logLine: line }), ...(isPassing(code) && { retryAfterSeconds: 5 }) };
}

/** Neither the model nor its program is at fault. */
const hindered = (modelName: string, hindrance: string): Failure => ({
  code: 'spawn_failed',
  message: `${modelName} could not be started: the system lets Corral have no further process (${hindrance}). Check its limits of open files and processes (ulimit -n, ulimit -u).`,
  retryAfterSeconds: 5,
});

function codeOf({ phase, lines, signal, runtime }: ProcessExit): FailureCode {
  const said = (pattern: RegExp): boolean =>
    lines.some((line) => pattern.test(line) && !RECOVERED.test(line));
  if (said(SPAWN)) return 'spawn_failed';
  if (said(OUT_OF_MEMORY)) return phase === 'loading' ? 'load_out_of_memory' : 'out_of_memory';
  if (phase === 'serving') return 'runner_crashed';
  // Whether a file of theirs is missing or wrong, other programs say in words of their own.
  if (runtime === 'command') return 'load_failed';
  if (said(MISSING)) return 'model_file_missing';
  if (signal === null && said(INVALID)) return 'model_file_invalid';
  return 'load_failed';
}

function whatFailed(exit: ProcessExit, code: FailureCode): string {
  const { modelName, modelPath, binary, runtime } = exit;
  const key = runtime === 'command' ? `models.${modelName}.command` : 'llamaServer';
  const texts: Partial<Record<FailureCode, string>> = {
    spawn_failed: `${modelName} could not be started: ${binary} cannot be run. Check ${key} in corral.yaml.`,
    load_out_of_memory: `${modelName} ran out of memory while loading. Lower its context or slots, or raise its memory estimate.`,
    out_of_memory: `${modelName} ran out of memory while serving.`,
    model_file_missing: `${modelName} could not be loaded: its file ${modelPath} cannot be opened.`,
    model_file_invalid: `${modelName} could not be loaded: ${modelPath} is not a model that this runtime can read.`,
  };
  return (
    texts[code] ??
    `${modelName} ${exit.phase === 'loading' ? 'ended while loading' : 'crashed'}: ${how(exit)}.`
  );
}

function how({ exitCode, signal, wasMemoryShort }: ProcessExit): string {
  if (signal === 'SIGKILL') return `killed by signal 9, not by Corral${whyKilled(wasMemoryShort ?? null)}`;
  if (signal !== null) return `ended by ${signal}`;
  return `its process ended with exit code ${exitCode}`;
}

const whyKilled = (wasMemoryShort: boolean | null): string => {
  if (wasMemoryShort === null) return ' (look into the system log whether it ran out of memory)';
  return wasMemoryShort ? ' (probably the system ran out of memory: it has ended processes for it)' : '';
};

/** The line that tells most: the one that speaks of the failure, else its last words, else the last of any error, else the last that is not of its daily work. */
function tellingLine(lines: readonly string[], code: FailureCode): string | undefined {
  const candidates = lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && ![CLOSING, OF_REQUESTS, RECOVERED].some((one) => one.test(line)));
  const patterns: Partial<Record<FailureCode, RegExp>> = {
    load_out_of_memory: OUT_OF_MEMORY,
    out_of_memory: OUT_OF_MEMORY,
    model_file_missing: MISSING,
    model_file_invalid:
      /invalid magic|corrupted or incomplete|not within the file bounds|unknown model arch|error loading model: /i,
    spawn_failed: SPAWN,
  };
  const specific = patterns[code];
  return (
    (specific && candidates.find((line) => specific.test(line))) ??
    candidates.find((line) => LAST_WORDS.test(line)) ??
    candidates.findLast((line) => NOTABLE.test(line)) ??
    candidates.findLast((line) => !ROUTINE.test(line))
  );
}

const isPassing = (code: FailureCode): boolean =>
  code === 'runner_crashed' ||
  code === 'out_of_memory' ||
  code === 'load_out_of_memory' ||
  code === 'load_failed';
