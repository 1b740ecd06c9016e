import { createActor, fromCallback, setup, assign, type ActorRefFrom } from 'xstate';
import type {
  HealthEvent,
  OuterEffects,
  ProcessCommand,
  ProcessEvent,
  ProcessSpec,
  ReadyReport,
  ReadySpec,
  UseSpec,
} from '../../machines/effects.ts';
import { Doors } from '../../actors/doors.ts';
import { runnerMachine } from '../../machines/runner.machine.ts';
import type { RunnerInput, RunnerReport } from '../../machines/runner/contract.ts';
import type { DeviceReading, KeepAlive } from '../../machines/vocabulary.ts';
import { answerLater, type Answer } from '../../src/simulation/later.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { aModel, GIB, settings } from './pool.ts';

const spec = aModel('a', 8, { launch: { ...aModel('a', 8).launch, slots: 4 } });

/** One runner by itself and its door: its process, its probes and its supervisor are in the test's hands. */
export class LoneRunner {
  readonly clock = new VirtualClock();
  readonly commands: string[] = [];
  readonly reports: RunnerReport[] = [];
  readonly actor: ActorRefFrom<typeof runnerMachine>;
  /** Requests that were let in, and those of them that lost their runner. */
  readonly granted: string[] = [];
  readonly lost: { readonly leaseId: string; readonly code: string }[] = [];
  readonly doors: Doors;
  /** What a probe answers, by turns; the last one stays. */
  readonly probes: Answer<readonly DeviceReading[]>[] = [{ afterMs: 0, value: [] }];
  readyAfterMs: number | null = 1_000;
  /** What becomes of its conversations. */
  saving: Answer<void> = { afterMs: 0, value: undefined };
  restoring: Answer<void> = { afterMs: 0, value: undefined };
  #tell: (event: ProcessEvent) => void = () => {};
  #lose: (event: HealthEvent) => void = () => {};

  constructor(over: Partial<RunnerInput> = {}) {
    const supervisor = createActor(this.#supervisor()).start();
    this.doors = new Doors({
      now: this.clock.now,
      later: (fire, delayMs) => void this.clock.setTimeout(fire, delayMs),
      tellWithinMs: 0,
      policy: () => 'default',
      send: () => {},
      onBroken: (error) => {
        throw error;
      },
    });
    this.doors.on('granted', ({ leaseId }) => this.granted.push(leaseId));
    this.doors.on('lost', ({ leaseId, failure: { code } }) => this.lost.push({ leaseId, code }));
    const { keepDoor } = this.doors;
    this.actor = createActor(runnerMachine.provide({ actors: { ...this.#effects(), keepDoor } }), {
      clock: this.clock,
      input: {
        runnerId: 'runner-1',
        spec,
        reservation: { CUDA0: 8 * GIB },
        laggingDevices: [],
        keepAlive: 10_000,
        keepAliveMode: 'strict',
        limits: { ...settings().runner, loadStallMs: 5_000 },
        supervisor,
        ...over,
      },
    });
  }

  start(): this {
    this.actor.start();
    this.clock.advance(0);
    return this;
  }

  /** Started, loaded and idle. */
  loaded(): this {
    this.start();
    this.clock.advance(1_000);
    return this;
  }

  tell(event: ProcessEvent): void {
    this.#tell(event);
  }
  exit(signal: string | null = null): void {
    const failure = { code: 'runner_crashed', message: 'a crashed.' } as const;
    this.#tell({ type: 'process.exited', exitCode: signal ? null : 1, signal, failure });
  }
  loseHealth(): void {
    this.#lose({ type: 'health.lost', message: 'no answer' });
  }
  /** A request comes: it is let in, or it would have to wait. */
  open(leaseId: string, keepAlive: KeepAlive | null = null): void {
    const rest = { priority: 'normal', waitLimitMs: Infinity, isRetry: false } as const;
    this.doors.request({ leaseId, spec, keepAlive, ...rest });
  }
  close(leaseId: string): void {
    this.doors.release(leaseId);
  }
  expire(drainMs = Infinity): void {
    this.actor.send({ type: 'runner.expire', reason: 'wanted elsewhere', drainMs });
  }

  /** The state's path, without the parts that say nothing: `loaded.idle.counting`. */
  get state(): string {
    const flat = (value: unknown): string =>
      typeof value === 'string'
        ? value
        : Object.entries(value as object)
            .map(([key, inner]) => `${key}.${flat(inner)}`)
            .join();
    return flat(this.actor.getSnapshot().value).replace(/^alive\./, '');
  }
  get moves(): string[] {
    return this.reports.flatMap((report) => (report.type === 'runner.moved' ? [report.state] : []));
  }
  of<Type extends RunnerReport['type']>(type: Type): Extract<RunnerReport, { type: Type }>[] {
    return this.reports.filter(
      (report): report is Extract<RunnerReport, { type: Type }> => report.type === type,
    );
  }

  #supervisor() {
    return setup({ types: { events: {} as RunnerReport } }).createMachine({
      on: { '*': { actions: assign(({ event }) => (this.reports.push(event), {})) } },
    });
  }

  #effects(): OuterEffects {
    return {
      runProcess: fromCallback<ProcessCommand, ProcessSpec>(({ sendBack, receive }) => {
        this.#tell = sendBack;
        receive(({ type }) => type !== 'process.serving' && this.commands.push(type));
        const endpoint = { baseUrl: 'http://runner', apiKey: 'key' };
        this.clock.setTimeout(() => sendBack({ type: 'process.started', pid: 1, endpoint }), 0);
      }),
      awaitReady: answerLater<ReadyReport, ReadySpec>(this.clock, () =>
        this.readyAfterMs === null
          ? 'never'
          : { afterMs: this.readyAfterMs, value: { contextTokens: null, slots: null } },
      ),
      watchHealth: fromCallback(({ sendBack }) => {
        this.#lose = sendBack;
      }),
      probeDevices: answerLater(
        this.clock,
        () => (this.probes.length > 1 ? this.probes.shift() : this.probes[0]) ?? 'never',
      ),
      saveConversations: answerLater(this.clock, () => this.saving),
      restoreConversations: answerLater(this.clock, () => this.restoring),
      readAhead: fromCallback(() => {}),
      watchUse: fromCallback<{ type: 'none' }, UseSpec>(() => {}),
    };
  }
}

/** A reading of CUDA0 with this much free. */
export const reading = (freeGib: number | null): readonly DeviceReading[] => [
  {
    id: 'CUDA0',
    name: 'GPU',
    library: 'CUDA',
    kind: 'discrete',
    totalBytes: 24 * GIB,
    freeBytes: freeGib === null ? null : freeGib * GIB,
  },
];
