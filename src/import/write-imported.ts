import { Document, isMap, isScalar } from 'yaml';
import { parseConfig } from '../config/load-config.ts';
import type { Imported } from './import-llama-swap.ts';

const HEAD = `Converted from a llama-swap configuration. What could not be carried over is said where it belongs; \`corral check\`
says what each model needs. llama-swap runs one model at a time unless it is told otherwise, Corral as many as fit
(\`limits: { runners: 1 }\` gives the former).`;

/** The text of a corral.yaml, with the notes as comments. Throws a `ConfigError` if Corral could not read it. */
export function writeImported({ config, notes, modelNotes }: Imported): string {
  const document = new Document(config);
  document.commentBefore = asComment([...HEAD.split('\n'), ...(notes.length > 0 ? ['', ...notes] : [])]);
  const models = document.get('models');
  const kept = new Set(Object.keys(config.models ?? {}));
  if (isMap(models))
    for (const { key } of models.items)
      if (isScalar(key)) key.commentBefore = asComment(modelNotes.get(String(key.value)) ?? []) || null;
  const gone = [...modelNotes].filter(([id]) => !kept.has(id));
  document.comment = asComment(gone.flatMap(([id, told]) => told.map((note) => `${id}: ${note}`))) || null;
  const text = document.toString({ lineWidth: 110 });
  parseConfig(text);
  return text;
}

/** Control characters and line ends in what is quoted would end a comment early. */
const asComment = (lines: readonly string[]): string =>
  lines.map((line) => (line === '' ? '' : ` ${line.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')}`)).join('\n');
