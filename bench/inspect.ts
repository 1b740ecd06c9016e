/** `npm run bench:inspect`: what inspectors cost the service, per event that they are told of. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { InspectionEvent } from 'xstate';
import { Inspection } from '../src/inspect/inspection.ts';
import type { Scheduler } from '../src/ledger-of.ts';
import { loadedPool, type LoadedPool } from './loaded-pool.ts';

const CYCLES = 5_000;
const RUNS = 7;
/** A reader in a process of its own, so that what it does itself is not measured. */
const READER = `import { WebSocket } from 'ws'; new WebSocket(process.argv[1]).on('message', () => {});`;

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;

/** Requests and their ends; in between, sockets may send. Mean µs of CPU per cycle. */
async function costOfCycle({ request }: LoadedPool): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < CYCLES; i++) {
    request()();
    if (i % 50 === 0) await new Promise(setImmediate);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / CYCLES;
}

async function costs(pool: LoadedPool): Promise<number> {
  await costOfCycle(pool);
  const all: number[] = [];
  for (let i = 0; i < RUNS; i++) all.push(await costOfCycle(pool));
  return median(all);
}

/** Events of one request and its end that the wire format has. */
function eventsOfCycle(scheduler: Scheduler, { request }: LoadedPool): number {
  let events = 0;
  const watching = scheduler.system.inspect(({ type }: InspectionEvent) => {
    if (type === '@xstate.event' || type === '@xstate.snapshot') events++;
  });
  request()();
  watching.unsubscribe();
  return events;
}

const pool = loadedPool({ queued: 10, runners: 10 });
const { scheduler, now } = pool;
const events = eventsOfCycle(scheduler, pool);
const off = await costs(pool);
const inspection = new Inspection(scheduler, { now });
const server = createServer();
new WebSocketServer({ server, path: '/inspect' }).on('connection', (socket, request) =>
  inspection.admit(socket, request.socket),
);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const none = await costs(pool);
const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/inspect`;
const reader = spawn(process.execPath, ['--input-type=module', '--eval', READER, url], { stdio: 'inherit' });
while (inspection.readerCount === 0) await new Promise((resolve) => setTimeout(resolve, 20));
const one = await costs(pool);
reader.kill();

const say = (what: string, cost: number): void =>
  void process.stdout.write(
    `${what.padEnd(40)} ${(cost / events).toFixed(1)} µs per event (${cost.toFixed(0)} µs per request of ${events} events)\n`,
  );
say('not inspected', off);
say('--inspect, nobody attached', none);
say('--inspect, one inspector attached', one);
process.exit();
