import { Connection } from './connection.ts';
import type { Contestant } from './contestants.ts';
import { cpuMs, residentMiB } from './process-figures.ts';
import { chatRequest, type StreamPace } from './requests.ts';

const REQUEST = chatRequest();

/** The value below which the share `q` of the sorted numbers lies. */
export const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;

export const median = (numbers: readonly number[]): number =>
  quantile(
    numbers.toSorted((a, b) => a - b),
    0.5,
  );

const cpuOf = ({ pid }: Contestant): number => (pid === null ? NaN : cpuMs(pid));

/** Latencies in µs, sorted, of so many small requests one after the other, with a pause between them. */
export async function latencies({ port }: Contestant, requests: number, pauseMs = 0): Promise<number[]> {
  const connection = await Connection.to(port);
  const all: number[] = [];
  for (let i = 0; i < requests; i++) {
    const startMs = performance.now();
    await connection.send(REQUEST);
    all.push((performance.now() - startMs) * 1_000);
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  connection.close();
  return all.toSorted((a, b) => a - b);
}

export interface Throughput {
  readonly perSecond: number;
  /** Of what stands between. */
  readonly cpuUsPerRequest: number;
}

/** Small requests for a while, each connection sending its next one when it has its reply. */
export async function throughput(
  contestant: Contestant,
  connections: number,
  forMs: number,
): Promise<Throughput> {
  const all = await Promise.all(Array.from({ length: connections }, () => Connection.to(contestant.port)));
  let requests = 0;
  const startCpuMs = cpuOf(contestant);
  const startMs = performance.now();
  const run = async (connection: Connection): Promise<void> => {
    while (performance.now() - startMs < forMs) {
      await connection.send(REQUEST);
      requests++;
    }
  };
  await Promise.all(all.map(run));
  const tookMs = performance.now() - startMs;
  const usedMs = cpuOf(contestant) - startCpuMs;
  for (const connection of all) connection.close();
  return { perSecond: (requests / tookMs) * 1_000, cpuUsPerRequest: (usedMs / requests) * 1_000 };
}

export interface Streams {
  readonly chunksPerCpuSecond: number;
  /** MiB while all streams run, and just before. */
  readonly busyMiB: number;
  readonly idleMiB: number;
}

/** So many streams at a time, each at the given pace. */
export async function streams(contestant: Contestant, count: number, pace: StreamPace): Promise<Streams> {
  const { pid, port } = contestant;
  const memory = (): number => (pid === null ? NaN : residentMiB(pid));
  const idleMiB = memory();
  const all = await Promise.all(Array.from({ length: count }, () => Connection.to(port)));
  const startCpuMs = cpuOf(contestant);
  const request = chatRequest({ pace });
  const over = Promise.all(all.map((connection) => connection.send(request)));
  let busyMiB = idleMiB;
  const timer = setInterval(() => (busyMiB = Math.max(busyMiB, memory())), 100);
  await over.finally(() => clearInterval(timer));
  const usedMs = cpuOf(contestant) - startCpuMs;
  for (const connection of all) connection.close();
  return { chunksPerCpuSecond: ((count * pace.chunks) / usedMs) * 1_000, busyMiB, idleMiB };
}
