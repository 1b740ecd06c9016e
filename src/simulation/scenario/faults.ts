import { exitFailure } from '../../../actors/process/exit-failure.ts';
import type { Failure, FailureCode } from '../../../machines/failures.ts';
import type { World, WorldModel, WorldProcess } from '../world.ts';
import type { Fault } from './step-schema.ts';

/** What a process writes to its log before it ends in such a way. */
const LAST_WORDS: Partial<Record<FailureCode, string>> = {
  load_out_of_memory: 'ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory',
  out_of_memory: 'CUDA error: out of memory',
  model_file_missing: 'gguf_init_from_file: failed to open GGUF file',
  model_file_invalid: 'gguf_init_from_file: invalid magic characters',
};

const USUAL_PROBE_MS = 5;

interface Ending {
  readonly phase: 'loading' | 'serving';
  readonly signal?: string;
  readonly exitCode?: number;
  readonly code?: FailureCode;
}

/** The same words as for a real process that ends so. */
function failureOf(model: string, { phase, signal, exitCode, code }: Ending): Failure {
  const words = code && LAST_WORDS[code];
  return exitFailure({
    modelName: model,
    modelPath: `${model}.gguf`,
    binary: 'llama-server',
    phase,
    exitCode: signal === undefined ? (exitCode ?? 1) : null,
    signal: signal ?? null,
    isExpected: false,
    lines: words === undefined ? [] : [words],
  });
}

/** Makes something go wrong in the modelled world. `wedge` is told of runners whose requests end no more. */
export function applyFault(
  fault: Fault,
  world: World,
  answerLimitMs: number,
  wedge: (runnerId: string) => void,
): void {
  applyToProcesses(fault, world, answerLimitMs, wedge);
  applyToModels(fault, world);
  applyToDevices(fault, world);
}

const processesOf = (world: World, model: string): WorldProcess[] =>
  [...world.processes.values()].filter((process) => process.spec.modelName === model);

function applyToProcesses(
  fault: Fault,
  world: World,
  answerLimitMs: number,
  wedge: (runnerId: string) => void,
): void {
  const { crash, runsOutOfMemory, grows, holds = 0, takes = 0, stopsAnswering } = fault;
  if (crash !== undefined) {
    const { exitCode, signal = exitCode === undefined ? 'SIGKILL' : undefined } = fault;
    for (const process of processesOf(world, crash)) {
      const phase = process.stopAnswering ? 'serving' : 'loading';
      const ending = {
        phase,
        ...(signal && { signal }),
        ...(exitCode !== undefined && { exitCode }),
      } as const;
      process.exit(signal ?? null, failureOf(crash, ending));
    }
  }
  if (runsOutOfMemory !== undefined)
    for (const process of processesOf(world, runsOutOfMemory))
      process.exit(null, failureOf(runsOutOfMemory, { phase: 'serving', code: 'out_of_memory' }));
  if (grows !== undefined) for (const process of processesOf(world, grows)) world.grow(process, holds, takes);
  if (stopsAnswering !== undefined)
    for (const process of processesOf(world, stopsAnswering)) {
      wedge(process.spec.runnerId);
      world.clock.setTimeout(
        () => process.stopAnswering?.(`no answer for ${answerLimitMs / 1000} s`),
        answerLimitMs,
      );
    }
}

function applyToModels(fault: Fault, world: World): void {
  const { loadFails, fileDisappears, code = 'load_failed', after = 0, times } = fault;
  const set = (model: string | undefined, value: WorldModel['fault']): void => {
    if (model !== undefined) world.modelOf(model).fault = value;
  };
  if (loadFails !== undefined)
    set(loadFails, {
      kind: 'fails-to-load',
      afterMs: after,
      failure: failureOf(loadFails, { phase: 'loading', code }),
      ...(times !== undefined && { times }),
    });
  if (fileDisappears !== undefined) {
    const failure = failureOf(fileDisappears, { phase: 'loading', code: 'model_file_missing' });
    set(fileDisappears, { kind: 'fails-to-load', afterMs: 0, failure });
  }
  set(fault.neverReady, { kind: 'never-ready' });
  set(fault.goesSilent, { kind: 'goes-silent', afterMs: after });
  set(fault.ignoresTerminate, { kind: 'ignores-terminate' });
  set(fault.ignoresKill, { kind: 'ignores-kill', forMs: fault.for ?? Infinity });
  set(fault.heals, null);
}

function applyToDevices(fault: Fault, world: World): void {
  const back = world.devices.get(fault.memoryBack ?? '');
  if (back) {
    back.recoveryMs = fault.takes ?? back.recoveryMs;
    back.leakBytes = fault.leaks ?? 0;
  }
  const shared = world.devices.get(fault.otherProgram ?? '');
  if (shared) shared.othersBytes = fault.holds ?? 0;
  const misread = world.devices.get(fault.device ?? '');
  if (misread && fault.device !== undefined) {
    const [now] = world.read([fault.device]);
    misread.staleFreeBytes = now?.freeBytes ?? 0;
    misread.fault = fault.reads === undefined || fault.reads === 'true' ? 'none' : fault.reads;
  }
  if (fault.probe === undefined) return;
  world.probeFault = fault.probe === 'works' ? 'none' : fault.probe;
  world.probeMs = fault.takes ?? USUAL_PROBE_MS;
}
