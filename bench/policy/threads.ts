import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Done, Task } from './tasks.ts';

/** Carries out tasks, as many at a time as the machine has cores; what comes of them is in their order. */
export async function carryOutAll(tasks: readonly Task[]): Promise<readonly Done[]> {
  const results: Done[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.js', import.meta.url));
    for (let index = next++; index < tasks.length; index = next++) {
      worker.postMessage(tasks[index]);
      const [done] = (await once(worker, 'message')) as [Done];
      results[index] = done;
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), tasks.length) }, work));
  return results;
}
