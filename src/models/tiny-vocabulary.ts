/** llama.cpp's token types. */
const TYPE = { normal: 1, unknown: 2, control: 3, unused: 5, byte: 6 } as const;
/** SentencePiece's mark for a leading space. */
const SPACE = '▁';
/** Vocabularies are padded to a multiple of this. */
const ALIGNMENT = 32;

export interface Vocabulary {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  readonly scores: readonly number[];
  readonly idOf: ReadonlyMap<string, number>;
}

export const TOKEN = { bos: 1, eos: 2, newline: '<0x0A>', chatEnd: '<|im_end|>' } as const;

const printable = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => String.fromCharCode(from + i));

/**
 * A SentencePiece vocabulary in which each of the given words is one token. The tokenizer merges in pairs, so every prefix
 * of a word has to be a token too.
 */
export function chatVocabulary(words: readonly string[]): Vocabulary {
  const table = new Table();
  table.add('<unk>', TYPE.unknown);
  for (const name of ['<s>', '</s>']) table.add(name, TYPE.control);
  for (let byte = 0; byte < 256; byte++)
    table.add(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, TYPE.byte);
  for (const name of ['<|im_start|>', TOKEN.chatEnd]) table.add(name, TYPE.control);
  table.add(SPACE, TYPE.normal);
  for (const letter of printable(33, 127)) table.add(letter, TYPE.normal);
  for (const letter of printable(97, 123)) table.add(SPACE + letter, TYPE.normal);
  for (const word of [...words, 'user', 'assistant', 'system'])
    for (let length = 1; length <= word.length; length++)
      table.add(SPACE + word.slice(0, length), TYPE.normal);
  const scoreOf = (token: string, type: number): number => {
    if (type === TYPE.normal) return token.length - 20;
    return type === TYPE.byte ? -50 : 0;
  };
  return table.finish(scoreOf);
}

/** The token of a word with its leading space. */
export const wordToken = (vocabulary: Vocabulary, word: string): number =>
  vocabulary.idOf.get(SPACE + word) ?? 0;

/** A WordPiece vocabulary of single characters, for the embedding model. */
export function embeddingVocabulary(): Vocabulary {
  const table = new Table();
  for (const name of ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'])
    table.add(name, name === '[UNK]' ? TYPE.unknown : TYPE.control);
  for (const letter of printable(33, 127)) {
    if (letter >= 'A' && letter <= 'Z') continue;
    table.add(SPACE + letter, TYPE.normal);
    table.add(letter, TYPE.normal);
  }
  return table.finish(() => 0);
}

class Table {
  readonly #tokens: string[] = [];
  readonly #types: number[] = [];
  readonly #idOf = new Map<string, number>();

  add(token: string, type: number): void {
    if (this.#idOf.has(token)) return;
    this.#idOf.set(token, this.#tokens.length);
    this.#tokens.push(token);
    this.#types.push(type);
  }

  finish(scoreOf: (token: string, type: number) => number): Vocabulary {
    while (this.#tokens.length % ALIGNMENT !== 0) this.add(`<extra_${this.#tokens.length}>`, TYPE.unused);
    const scores = this.#tokens.map((token, i) => scoreOf(token, this.#types[i] ?? 0));
    return { tokens: this.#tokens, types: this.#types, scores, idOf: this.#idOf };
  }
}
