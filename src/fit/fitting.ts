import { join } from 'node:path';
import type { Logger } from 'pino';
import type { DiskTrouble } from '../../actors/disk/in-background.ts';
import { withoutArguments } from '../../actors/process/clean-env.ts';
import type { Catalogue, CatalogueEntry } from '../catalogue.ts';
import { fittedNeed } from '../config/need-of.ts';
import type { ResolveParts } from '../config/resolve-models.ts';
import { FitCache } from './fit-cache.ts';
import { FitNeeds } from './fit-needs.ts';
import { askFitTool, findFitTool, type FitTool } from './fit-tool.ts';

const CACHE_NAME = 'fit-params.json';

export const fitCachePath = (dataFolder: string): string => join(dataFolder, CACHE_NAME);

export interface FittingParts {
  readonly llamaServer: string | null;
  readonly dataFolder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly trouble: DiskTrouble;
  readonly log: Logger;
}

/** Needs as `llama-fit-params` tells them, where it is: from the start those of before, and the others as they come in. */
export class Fitting {
  readonly source: NonNullable<ResolveParts['fit']>;
  readonly #cache: FitCache;
  readonly #needs: FitNeeds;
  readonly #ended = new AbortController();
  #catalogue: Catalogue | null = null;

  constructor(tool: FitTool, { dataFolder, env, trouble, log }: FittingParts) {
    const onNote = (note: string): void => log.warn({ event: 'state' }, note);
    this.#cache = new FitCache(fitCachePath(dataFolder), { trouble, onNote });
    this.source = { tool, answers: this.#cache };
    this.#needs = new FitNeeds({
      ask: ({ args }) => askFitTool(tool, args, { env: withoutArguments(env), signal: this.#ended.signal }),
      onAnswer: ({ spec }, question, rows) => {
        this.#cache.keep(question.key, rows);
        if (spec) this.#catalogue?.refine(spec.classKey, fittedNeed(question, rows));
      },
      onFailure: ({ name }, error) =>
        log.info({ event: 'fit-params', model: name }, `its need stays as predicted: ${textOf(error)}`),
    });
  }

  /** The models of a catalogue as they are now. */
  refine(catalogue: Catalogue): void {
    this.#catalogue = catalogue;
    this.#needs.refine(catalogue.entries);
  }

  /** Resolves when what is known has been written, or `withinMs` have passed. */
  end(withinMs: number): Promise<void> {
    this.#needs.end();
    this.#ended.abort();
    return this.#cache.flush(withinMs);
  }
}

/** Null where there is no such tool beside llama-server. */
export function startFitting(parts: FittingParts): Fitting | null {
  const tool = findFitTool(parts.llamaServer);
  return tool && new Fitting(tool, parts);
}

/** The same models with what the tool says of them, as far as it says that within a time in all. */
export async function fittedNow(
  entries: readonly CatalogueEntry[],
  tool: FitTool,
  { env, withinMs }: { readonly env: NodeJS.ProcessEnv; readonly withinMs: number },
): Promise<CatalogueEntry[]> {
  const endsAtMs = performance.now() + withinMs;
  const fitted: CatalogueEntry[] = [];
  for (const entry of entries) {
    const { spec, question } = entry;
    const leftMs = Math.floor(endsAtMs - performance.now());
    if (!spec || !question || leftMs <= 0) {
      fitted.push(entry);
      continue;
    }
    const asked = askFitTool(tool, question.args, { env: withoutArguments(env), withinMs: leftMs });
    // Without an answer the prediction stands.
    const rows = await asked.catch(() => null);
    fitted.push(rows ? { ...entry, spec: { ...spec, ...fittedNeed(question, rows) } } : entry);
  }
  return fitted;
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
