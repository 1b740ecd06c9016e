import type { z } from 'zod';

/** The keys that a schema allows at a path: walked through its own definition. */
export function knownKeysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let node: unknown = schema;
  for (const key of path) {
    const definition = definitionOf(unwrap(node));
    node = fieldOf(definition['shape'], String(key)) ?? definition['valueType'] ?? definition['element'];
  }
  const shape = definitionOf(unwrap(node))['shape'];
  return typeof shape === 'object' && shape !== null ? Object.keys(shape) : [];
}

/** Through optionals, defaults and preprocessing, to the object inside; of a union, its object. */
function unwrap(node: unknown): unknown {
  const definition = definitionOf(node);
  if (Array.isArray(definition['options'])) {
    const options: unknown[] = definition['options'];
    return options.find((option) => 'shape' in definitionOf(unwrap(option))) ?? node;
  }
  const inner = definition['innerType'] ?? (definition['type'] === 'pipe' ? definition['out'] : undefined);
  return inner === undefined ? node : unwrap(inner);
}

function definitionOf(node: unknown): Record<string, unknown> {
  const definition = fieldOf(node, 'def');
  return typeof definition === 'object' && definition !== null ? { ...definition } : {};
}

const fieldOf = (node: unknown, key: string): unknown =>
  typeof node === 'object' && node !== null && key in node ? node[key as keyof typeof node] : undefined;
