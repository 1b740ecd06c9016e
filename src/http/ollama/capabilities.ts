import type { LaunchOptions } from '../../../machines/vocabulary.ts';
import type { ChatRequest, GenerateRequest } from './requests.ts';

/** What a model can be asked for, in Ollama's words. */
export type Capability = 'completion' | 'embedding' | 'tools' | 'thinking' | 'insert' | 'vision';

/** The same in the words of other lists of models, which know of rerankers. */
export type Ability = Capability | 'rerank';

interface Abilities {
  /** All templates that the runner may use, one after the other. */
  readonly templates: string;
  readonly canInfill: boolean;
}

/** A template that never mentions tools cannot show them to the model. */
const TOOLS = /\btools\b|tool_call/;
/** As the templates of models that think spell it: a wish of the request, or the marks around what was thought. */
const THINKING =
  /\bthinking\b|enable_thinking|reasoning_(?:effort|content)|<\/?(?:seed:)?think|\[THINK\]|START_THINKING|◁think▷/;
const RERANKERS = ['--rerank', '--reranking'];
const EMBEDDERS = ['--embedding', '--embeddings', ...RERANKERS];
const PROJECTORS = ['--mmproj', '-mm', '--mmproj-url', '-mmu'];

/** What a model can do as it is launched. The embedded runner shows its model plain conversations only. */
export function capabilitiesOf(launch: LaunchOptions, { templates, canInfill }: Abilities): Capability[] {
  const { embedding, extraArgs, projectorPath, runtime } = launch;
  const has = (names: readonly string[]): boolean => extraArgs.some((one) => names.includes(one));
  if (embedding || has(EMBEDDERS)) return ['embedding'];
  if (runtime === 'embedded') return ['completion'];
  return [
    'completion',
    ...(TOOLS.test(templates) && !has(['--no-jinja']) ? (['tools'] as const) : []),
    ...(THINKING.test(templates) ? (['thinking'] as const) : []),
    ...(canInfill ? (['insert'] as const) : []),
    ...(projectorPath !== undefined || has(PROJECTORS) ? (['vision'] as const) : []),
  ];
}

/** A reranker as it is launched: what it makes are scores, and no embeddings. */
export const isReranker = ({ extraArgs, reranking = false }: LaunchOptions): boolean =>
  reranking ||
  extraArgs.some(
    (one, at) => RERANKERS.includes(one) || (one === '--pooling' && extraArgs[at + 1] === 'rank'),
  );

/** What a request needs of its model besides completing text. */
export function wantedBy({
  tools,
  think,
  suffix,
  images,
  messages,
}: ChatRequest & GenerateRequest): Capability[] {
  const hasImages = [{ images }, ...(messages ?? [])].some((one) => (one.images?.length ?? 0) > 0);
  return [
    ...(tools && tools.length > 0 ? (['tools'] as const) : []),
    ...(think ? (['thinking'] as const) : []),
    ...(suffix ? (['insert'] as const) : []),
    ...(hasImages ? (['vision'] as const) : []),
  ];
}
