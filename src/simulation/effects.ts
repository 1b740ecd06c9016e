import { fromCallback } from 'xstate';
import type {
  ConversationsSpec,
  OuterEffects,
  HealthEvent,
  ProcessCommand,
  ProcessEvent,
  ProcessSpec,
  ReadyReport,
  ReadySpec,
  UseEvent,
  UseSpec,
} from '../../machines/effects.ts';
import type { Failure } from '../../machines/failures.ts';
import type { DeviceId, DeviceReading } from '../../machines/vocabulary.ts';
import { answerLater, type Answer } from './later.ts';
import { wholeOf, type World, type WorldProcess } from './world.ts';

/** The same effects as live, in virtual time, on a modelled world. */
export function simulatedEffects(world: World): OuterEffects {
  const { clock } = world;
  return {
    runProcess: fromCallback<ProcessCommand, ProcessSpec>(({ input, sendBack, receive }) => {
      const process = startProcess(world, input, sendBack);
      receive(({ type }) => {
        if (type !== 'process.serving') endProcess(world, process, type === 'process.kill');
      });
      return () => endProcess(world, process, true);
    }),
    awaitReady: answerLater<ReadyReport, ReadySpec>(clock, ({ runnerId }) => {
      const process = world.processes.get(runnerId);
      if (!process || neverGetsReady(process)) return 'never';
      const afterMs = Math.max(0, process.startedAtMs + process.loadMs - clock.now());
      return { afterMs, value: { contextTokens: null, slots: null } };
    }),
    watchHealth: fromCallback(({ input: { runnerId }, sendBack }) => {
      const process = world.processes.get(runnerId);
      if (process)
        process.stopAnswering = (message) => sendBack({ type: 'health.lost', message } satisfies HealthEvent);
    }),
    saveConversations: answerLater<void, ConversationsSpec>(clock, ({ modelName }) =>
      conversationsTake(world.modelOf(modelName).saveMs),
    ),
    restoreConversations: answerLater<void, ConversationsSpec>(clock, ({ modelName }) =>
      conversationsTake(world.modelOf(modelName).restoreMs),
    ),
    probeDevices: answerLater<readonly DeviceReading[], { deviceIds: readonly DeviceId[] | null }>(
      clock,
      ({ deviceIds }) => {
        if (world.probeFault === 'hangs') return 'never';
        if (world.probeFault === 'fails')
          return { afterMs: world.probeMs, error: new Error('the probe failed') };
        return { afterMs: world.probeMs, value: world.read(deviceIds) };
      },
    ),
    readAhead: fromCallback(({ input: { modelName } }) => {
      world.readAhead.add(modelName);
      return () => void world.readAhead.delete(modelName);
    }),
    watchUse: fromCallback<{ type: 'none' }, UseSpec>(({ input: { runnerId }, sendBack }) => {
      const process = world.processes.get(runnerId);
      if (!process) return;
      process.whole = wholeOf(process.spec, process.model);
      process.tellUse = () => sendBack({ type: 'use.measured', use: process.whole } satisfies UseEvent);
      if (process.model.realBytes !== null) clock.setTimeout(() => process.tellUse?.(), 0);
      return () => delete process.tellUse;
    }),
  };
}

function conversationsTake(ms: number | 'hangs' | 'fails' = 0): Answer<void> {
  if (ms === 'hangs') return 'never';
  if (ms === 'fails') return { afterMs: 0, error: new Error('No space left on device') };
  return { afterMs: ms, value: undefined };
}

function startProcess(
  world: World,
  spec: ProcessSpec,
  sendBack: (event: ProcessEvent) => void,
): WorldProcess {
  const { clock } = world;
  const model = world.modelOf(spec.modelName);
  const process: WorldProcess = {
    spec,
    model,
    startedAtMs: clock.now(),
    loadMs: model.loadMs,
    whole: wholeOf(spec, model),
    isAlive: true,
    exit: (signal, failure) => {
      if (!process.isAlive) return;
      world.letGo(process);
      world.processes.delete(spec.runnerId);
      sendBack({ type: 'process.exited', exitCode: signal === null ? 1 : null, signal, failure });
    },
  };
  world.processes.set(spec.runnerId, process);
  const endpoint = { baseUrl: `simulated:${spec.runnerId}`, apiKey: '' };
  clock.setTimeout(() => sendBack({ type: 'process.started', pid: null, endpoint }), 0);
  const { fault } = model;
  if (fault?.kind === 'fails-to-load') {
    clock.setTimeout(() => process.exit(null, fault.failure), fault.afterMs);
    if (fault.times !== undefined)
      model.fault = fault.times > 1 ? { ...fault, times: fault.times - 1 } : null;
  }
  if (model.signOfLifeMs !== undefined) showLife(world, process, model.signOfLifeMs, sendBack);
  return process;
}

const neverGetsReady = ({ model: { fault }, loadMs }: WorldProcess): boolean =>
  fault?.kind === 'never-ready' || (fault?.kind === 'goes-silent' && fault.afterMs < loadMs);

/** Writes to its log every so often while it loads, or until it goes silent. */
function showLife(
  world: World,
  process: WorldProcess,
  everyMs: number,
  sendBack: (event: ProcessEvent) => void,
): void {
  const { clock } = world;
  clock.setTimeout(() => {
    const { loadMs } = process;
    const { fault } = process.model;
    const elapsedMs = clock.now() - process.startedAtMs;
    if (!process.isAlive || elapsedMs >= loadMs) return;
    if (fault?.kind === 'goes-silent' && elapsedMs > fault.afterMs) return;
    sendBack({ type: 'process.activity', progress: elapsedMs / loadMs });
    showLife(world, process, everyMs, sendBack);
  }, everyMs);
}

function endProcess(world: World, process: WorldProcess, isKill: boolean): void {
  const { fault, exitMs } = process.model;
  if (fault?.kind === 'ignores-terminate' && !isKill) return;
  const extraMs = fault?.kind === 'ignores-kill' && isKill ? fault.forMs : 0;
  if (fault?.kind === 'ignores-kill' && !isKill) return;
  const failure: Failure = { code: 'stopped', message: `${process.spec.modelName} was ended.` };
  world.clock.setTimeout(() => process.exit(isKill ? 'SIGKILL' : 'SIGTERM', failure), exitMs + extraMs);
}
