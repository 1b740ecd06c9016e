import type { ModelInput } from '../config/schema.ts';
import { knownFlags, type FlagUse } from './llama-server-flags.ts';

/** From here on, -ngl means all layers. */
const ALL_LAYERS = 99;

export type ImportedArguments = Omit<ModelInput, 'path'>;

export interface ArgumentImport {
  /** Null when the model is not a file. */
  readonly path: string | null;
  readonly model: ImportedArguments;
  /** What could not be carried over, and what was decided instead. */
  readonly notes: readonly string[];
  /** What the model is downloaded from, when it is not a file: `user/repo:Q4_K_M`. */
  readonly remote: string | null;
}

/** The arguments of a llama-server, without the program, as keys of a model in corral.yaml. */
export function importArguments(words: readonly string[]): ArgumentImport {
  const values = new Map<FlagUse, string[]>();
  const args: string[] = [];
  const notes: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const known = knownFlags.get(word);
    if (!known) {
      args.push(word);
      continue;
    }
    const value = known.takesValue ? words[++i] : word;
    if (value === undefined) notes.push(`${word} has no value and is left out`);
    else values.set(known.use, [...(values.get(known.use) ?? []), value]);
    if (known.use === 'draft' && value !== undefined) args.push(word, value);
    const why = reasons[known.use];
    if (why !== undefined) notes.push(`${word} ${why}`);
  }
  const last = (use: FlagUse): string | undefined => values.get(use)?.at(-1);
  const devices = devicesOf(last('devices'));
  const layers = layersOf(last('layers'));
  const projector = last('projector');
  const model: ImportedArguments = {
    ...contextOf(last('context'), last('parallel'), notes),
    ...(devices.length > 0 && devices[0] !== 'none' && { devices }),
    ...((devices[0] === 'none' || layers === 0) && { placement: 'cpu-only' as const }),
    ...(values.has('embedding') && { kind: 'embedding' as const }),
    ...(projector !== undefined && { projector }),
    ...(values.has('adapters') && { adapters: values.get('adapters')?.flatMap((text) => text.split(',')) }),
  };
  if (layers !== null && layers > 0 && layers < ALL_LAYERS) args.push('-ngl', String(layers));
  return {
    path: last('model') ?? null,
    model: args.length > 0 ? { ...model, args } : model,
    notes,
    remote: values.get('remote')?.[0] ?? null,
  };
}

const reasons: Readonly<Partial<Record<FlagUse, string>>> = {
  secret: 'is left out: Corral gives each llama-server a key of its own',
  planned: 'is left out: Corral decides what goes onto which device, and watches the slots',
};

/** Corral's context is that of one request, llama-server's -c is that of all slots. */
function contextOf(
  contextText: string | undefined,
  parallelText: string | undefined,
  notes: string[],
): Pick<ImportedArguments, 'context' | 'slots'> {
  const slots = positive(parallelText);
  const total = positive(contextText);
  if (total === null) {
    notes.push('no context size is given (-c): Corral takes what the model was trained for, at most 4096');
    return slots === null ? {} : { slots };
  }
  if (slots === null) {
    notes.push(
      `no -np is given: one slot, so that one request keeps all ${total} tokens; \`slots:\` gives more`,
    );
    return { context: total, slots: 1 };
  }
  if (total % slots !== 0) notes.push(`-c ${total} cannot be shared out evenly by ${slots} slots`);
  return { context: Math.max(1, Math.floor(total / slots)), slots };
}

const positive = (text: string | undefined): number | null => {
  const number = Number(text);
  return Number.isSafeInteger(number) && number > 0 ? number : null;
};

/** Null means all of them. */
const layersOf = (text: string | undefined): number | null => {
  const number = Number(text);
  return text !== undefined && Number.isSafeInteger(number) && number >= 0 ? number : null;
};

const devicesOf = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
