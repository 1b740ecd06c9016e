import { askYesNo, canAsk } from '../terminal/ask-yes-no.ts';
import { stderr, stdout } from '../terminal/print.ts';
import { pullWithProgress } from '../pull/pull-with-progress.ts';
import { systemReason } from '../system-reason.ts';
import { ownName } from './own-name.ts';

/** A small model that answers in sentences, under Apache-2.0, made for the usual laptop. */
export const FIRST_MODEL = {
  reference: 'hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF:Q4_K_M',
  name: 'qwen2.5-0.5b',
  title: 'Qwen2.5 0.5B Instruct',
  about: 'Apache-2.0, about 0.5 GB',
} as const;

/** Who does not answer is not kept from the demonstration. */
const ANSWER_WITHIN_MS = 60_000;

/** How a real model is had later. */
export const pullLine = (): string =>
  `${ownName(process.argv, process.env)} pull ${FIRST_MODEL.reference} --to ~/models`;

/**
 * Offers a newcomer a real model: asks on a terminal, and pulls it only after a yes. Returns its path; null without one. A pull that
 * fails is told, and hinders nothing.
 */
export async function offerModel(folder: string): Promise<string | null> {
  if (!canAsk(process.env)) return null;
  const hub = process.env['HF_ENDPOINT'] || 'huggingface.co';
  stdout.write('There are demonstration models only, with made-up weights.\n');
  const question = `Fetch a real one, ${FIRST_MODEL.title} (${FIRST_MODEL.about}), from ${hub}? [y/N] `;
  if (!(await askYesNo(question, ANSWER_WITHIN_MS))) return null;
  try {
    const { reference } = FIRST_MODEL;
    const { pulled } = await pullWithProgress({ reference, folder, withProjector: false, force: false });
    return pulled.paths[0] ?? null;
  } catch (error) {
    stderr.write(`It could not be fetched: ${systemReason(error)}\nThe demonstration goes on without it.\n`);
    return null;
  }
}
