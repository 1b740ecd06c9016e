import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const ms = z.number().min(0);

const workloadSchema = z.strictObject({
  about: z.string(),
  /** Equal seeds give equal pauses. */
  seed: z.int(),
  seconds: z.number().positive(),
  /** How many of the models may be in memory at a time. */
  room: z.int().positive(),
  clients: z
    .array(
      z.strictObject({
        /** Asked for in turn. */
        models: z.array(z.string()).min(1),
        /** Mean pause between an answer and the next request, exponential unless `isSteady`. */
        thinkMs: ms,
        isSteady: z.boolean().default(false),
        tokens: z.int().positive(),
        startMs: ms.default(0),
      }),
    )
    .min(1),
});

/** Clients that each ask, wait for the whole answer, think, and ask again. */
export interface Workload extends z.output<typeof workloadSchema> {
  readonly name: string;
}

const folder = fileURLToPath(new URL('workloads/', import.meta.url));
const EXTENSION = '.json';

/** The workloads that come with the bench. */
export const workloadNames = (): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(EXTENSION))
    .map((name) => basename(name, EXTENSION))
    .toSorted();

/** One of those that come with the bench, or a file of the same form. Throws an Error that names what is wrong in it. */
export function readWorkload(nameOrPath: string): Workload {
  const isOwn = workloadNames().includes(nameOrPath);
  const path = isOwn ? join(folder, nameOrPath + EXTENSION) : nameOrPath;
  try {
    const workload = workloadSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return { ...workload, name: basename(path, EXTENSION) };
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new Error(
      `There is no workload in ${path}: ${reason}\nIts name is ${workloadNames().join(', ')}, or a file.`,
      { cause: error },
    );
  }
}

/** The names of its models, each once, in the order in which they are asked for. */
export const modelsOf = ({ clients }: Workload): string[] => [
  ...new Set(clients.flatMap(({ models }) => models)),
];
