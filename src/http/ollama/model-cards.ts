import { createHash } from 'node:crypto';
import type { ModelSpec } from '../../../machines/vocabulary.ts';
import { hasInfillTokens } from '../../models/has-infill-tokens.ts';
import { capabilitiesOf, isReranker, type Ability, type Capability } from './capabilities.ts';
import { chatTemplateOf, TemplateFiles } from './chat-template.ts';
import { ModelFacts, type ModelDetails } from './model-details.ts';

/** What is told of one configured model. */
export interface ModelCard {
  /** Null when its file cannot be read. */
  readonly details: ModelDetails | null;
  /** The chat template that is in force. */
  readonly template: string;
  /**
   * Stands for its name, how it is launched, its file's size and time (all in the class key), and its template: clients remember by
   * the digest what a model can do. Two models of one file are two. Hashing the file itself would take minutes.
   */
  readonly digest: string;
}

/** Tells of configured models, from their files and from how they are launched. */
export class ModelCards {
  readonly #facts = new ModelFacts();
  readonly #templates = new TemplateFiles();
  /** By the details that they were found for, which are others once the file has changed. */
  readonly #infill = new WeakMap<ModelDetails, Promise<boolean>>();

  async of({ classKey, launch }: ModelSpec): Promise<ModelCard> {
    const details = await this.#facts.of(launch.modelPath);
    const template = await chatTemplateOf(launch, details, this.#templates);
    return { details, template, digest: digestOf(classKey, template) };
  }

  /** What it can do; null when its file cannot be read, and a load will say why. */
  async capabilitiesOf(spec: ModelSpec): Promise<readonly Capability[] | null> {
    const { launch } = spec;
    const { details, template } = await this.of(spec);
    if (details === null) return null;
    const isOwn = template === details.chatTemplate;
    const templates = isOwn ? `${template}\n${details.toolTemplate}` : template;
    return capabilitiesOf(launch, { templates, canInfill: await this.#canInfill(launch.modelPath, details) });
  }

  /** The same for lists that tell rerankers from embedders. */
  async abilitiesOf(spec: ModelSpec): Promise<readonly Ability[] | null> {
    return isReranker(spec.launch) ? ['rerank'] : this.capabilitiesOf(spec);
  }

  #canInfill(path: string, details: ModelDetails): Promise<boolean> {
    if (details.namesInfillTokens) return Promise.resolve(true);
    const known = this.#infill.get(details) ?? hasInfillTokens(path, details.headerBytes).catch(() => false);
    this.#infill.set(details, known);
    return known;
  }
}

/** For a model that cannot be used its name has to do. */
export const digestOf = (...facts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(facts)).digest('hex');
