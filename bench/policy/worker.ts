import { parentPort } from 'node:worker_threads';
import { carryOut, type Task } from './tasks.ts';

/** A thread that carries out one task after the other. */
parentPort?.on('message', (task: Task) => parentPort?.postMessage(carryOut(task)));
