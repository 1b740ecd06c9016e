import { z } from 'zod';
import { kinds } from './scalars.ts';
import { configSchema } from './schema.ts';

/** What can be written for a setting. `text or switch` and the like are several. */
export type Kind = 'text' | 'number' | 'switch' | 'size' | 'duration' | 'choice' | 'list' | 'map' | 'mixed';

/** One setting of `corral.yaml`, as its schema tells of it. */
export interface Setting {
  /** `['limits', 'queue']`; a `*` stands for a name that people choose. */
  readonly path: readonly string[];
  readonly kind: Kind;
  /** What may be written, in words: `duration`, `strict, soft`. */
  readonly takes: string;
  readonly description: string;
  /** Bytes of a size, ms of a duration; undefined where there is none, or the description tells it. */
  readonly defaultValue: unknown;
}

/** Every setting, in the order of the schema: what has parts is told part by part, and a map of names also as a whole. */
export const settings = (): readonly Setting[] => settingsOf(configSchema, []);

/** The schema of a setting, without what makes it optional; undefined where there is no such setting. */
export function schemaAt(path: readonly PropertyKey[]): z.ZodType | undefined {
  let node: z.ZodType | undefined = configSchema;
  for (const key of path) {
    const inner: z.ZodType | undefined = node && bare(node);
    if (inner instanceof z.ZodObject) node = inner.shape[String(key)] as z.ZodType | undefined;
    else node = inner instanceof z.ZodRecord ? (inner.valueType as z.ZodType) : undefined;
  }
  return node && bare(node);
}

/** The keys that may stand at a path. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  const schema = schemaAt(path);
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function settingsOf(schema: z.ZodType, path: readonly string[]): Setting[] {
  const inner = bare(schema);
  if (inner instanceof z.ZodObject)
    return Object.entries(inner.shape).flatMap(([key, field]) =>
      settingsOf(field as z.ZodType, [...path, key]),
    );
  const { kind, takes } = kindOf(inner);
  const whole: Setting = {
    path,
    kind,
    takes,
    description: descriptionOf(schema),
    defaultValue: schema instanceof z.ZodDefault ? schema.def.defaultValue : undefined,
  };
  if (!(inner instanceof z.ZodRecord)) return [whole];
  return [whole, ...settingsOf(inner.valueType as z.ZodType, [...path, '*'])];
}

/** Without default, optional and the like. */
function bare(schema: z.ZodType): z.ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable
  )
    return bare(schema.def.innerType as z.ZodType);
  return schema;
}

/** The outermost that is told. */
function descriptionOf(schema: z.ZodType): string {
  if (schema.description !== undefined) return schema.description;
  const inner = 'innerType' in schema.def ? (schema.def.innerType as z.ZodType) : undefined;
  return inner ? descriptionOf(inner) : '';
}

function rangeOf({ minValue, maxValue }: z.ZodNumber): string {
  const isBounded = minValue !== null && maxValue !== null && maxValue < Number.MAX_SAFE_INTEGER;
  return isBounded ? `${minValue} to ${maxValue}` : 'number';
}

function kindOf(schema: z.ZodType): { readonly kind: Kind; readonly takes: string } {
  const named = kinds.get(schema)?.kind;
  if (named) return { kind: named, takes: named };
  if (schema instanceof z.ZodPipe) return kindOf(bare(schema.def.in as z.ZodType));
  if (schema instanceof z.ZodEnum) return { kind: 'choice', takes: schema.options.join(', ') };
  if (schema instanceof z.ZodLiteral) return { kind: 'choice', takes: [...schema.values].join(', ') };
  if (schema instanceof z.ZodBoolean) return { kind: 'switch', takes: 'true, false' };
  if (schema instanceof z.ZodNumber) return { kind: 'number', takes: rangeOf(schema) };
  if (schema instanceof z.ZodString) return { kind: 'text', takes: 'text' };
  if (schema instanceof z.ZodArray) return { kind: 'list', takes: 'list' };
  if (schema instanceof z.ZodRecord) return { kind: 'map', takes: 'map' };
  if (schema instanceof z.ZodUnion)
    return {
      kind: 'mixed',
      takes: schema.options.map((option) => kindOf(bare(option as z.ZodType)).takes).join(', '),
    };
  return { kind: 'mixed', takes: 'anything' };
}
