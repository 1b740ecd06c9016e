import { MOST_LAYERS } from './bounds.ts';

/** A list of the header. Vocabularies are lists too: texts, and lists longer than any per-layer one, are only counted. */
export interface GgufList {
  readonly length: number;
  /** Booleans as 0 and 1; empty when the list was only counted. */
  readonly values: readonly number[];
}

export type GgufValue = string | number | boolean | GgufList;

export interface GgufTensor {
  readonly name: string;
  readonly elements: number;
  /** ggml's number of the type. */
  readonly type: number;
  /** Bytes from the start of the data section. */
  readonly offsetBytes: number;
}

export interface GgufHeader {
  readonly pairs: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  /** Bytes from the start of the file to the data of the first tensor. */
  readonly dataOffsetBytes: number;
}

/** "GGUF", read as a little-endian number. */
const MAGIC = 0x46554747;
/** llama.cpp reads 2 and 3; they differ in byte order only. */
const VERSIONS = [2, 3];
const DEFAULT_ALIGNMENT = 32;
/** Lists that say something of each layer are no longer. */
const LONGEST_KEPT_LIST = MOST_LAYERS;
/** Chat templates are far shorter; what is longer (a whole tokenizer, a book) is cut. */
const LONGEST_KEPT_TEXT_BYTES = 256 * 1024;
/** Ten times what the largest models have. What is told of a header is bounded by these, whatever its counts say. */
const MOST_PAIRS = 4_096;
const MOST_TENSORS = 65_536;
const MOST_WORDS = 4_000_000;
const MOST_TEXT_BYTES = 4 * 1024 ** 2;
/** ggml's own bounds (GGML_MAX_DIMS, GGML_MAX_NAME; the latter with room). */
const MOST_DIMENSIONS = 4;
const LONGEST_NAME_BYTES = 256;
const MOST_ALIGNMENT = 2 ** 20;
const TYPE = { u32: 4, bool: 7, text: 8, list: 9, u64: 10 } as const;

const NUMBERS: Readonly<Record<number, { bytes: number; read: (view: DataView, at: number) => number }>> = {
  0: { bytes: 1, read: (view, at) => view.getUint8(at) },
  1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  2: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  3: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  [TYPE.u32]: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  5: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  6: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  [TYPE.bool]: { bytes: 1, read: (view, at) => view.getUint8(at) },
  [TYPE.u64]: { bytes: 8, read: readU64 },
  11: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  12: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

/** Exact up to 2⁵³, as numbers are; a vocabulary has hundreds of thousands, and BigInts take several times as long. */
function readU64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

/**
 * Reads a GGUF header from the beginning of a file; null when the header goes on beyond these bytes. Throws an Error that says
 * what is wrong when they are no header at all. The layout is ggml's docs/gguf.md.
 *
 * A reader of our own, because the vocabulary is most of a header and none of our business: stepping over 200,000 tokens takes
 * a few hundredths of a second, building them (as `@huggingface/gguf` does) one and a half.
 */
export function parseGgufHeader(bytes: Uint8Array): GgufHeader | null {
  try {
    return parse(new Cursor(bytes));
  } catch (error) {
    if (error instanceof BytesEnd) return null;
    throw error;
  }
}

function parse(cursor: Cursor): GgufHeader {
  checkMagic(cursor);
  const version = cursor.u32();
  if (!VERSIONS.includes(version))
    throw new Error(`it is of GGUF version ${version}, only ${VERSIONS.join(' and ')} are known`);
  const tensorCount = upTo(MOST_TENSORS, cursor.u64(), 'tensors');
  const pairCount = upTo(MOST_PAIRS, cursor.u64(), 'keys');
  const pairs = new Map<string, GgufValue>();
  for (let i = 0; i < pairCount; i++) pairs.set(cursor.text(), cursor.value());
  const tensors: GgufTensor[] = [];
  for (let i = 0; i < tensorCount; i++) tensors.push(tensorOf(cursor));
  const alignment = alignmentOf(pairs);
  return { pairs, tensors, dataOffsetBytes: Math.ceil(cursor.at / alignment) * alignment };
}

function upTo(most: number, count: number, what: string): number {
  if (count > most)
    throw new Error(`its header has ${count} ${what}, more than the ${most} that any model has`);
  return count;
}

/** A power of two, as llama.cpp asks for. */
function alignmentOf(pairs: ReadonlyMap<string, GgufValue>): number {
  const stated = pairs.get('general.alignment') ?? DEFAULT_ALIGNMENT;
  if (
    typeof stated === 'number' &&
    Number.isInteger(Math.log2(stated)) &&
    stated >= 1 &&
    stated <= MOST_ALIGNMENT
  )
    return stated;
  throw new Error(`its general.alignment is ${JSON.stringify(stated)}, where a power of two belongs`);
}

function checkMagic(cursor: Cursor): void {
  if (cursor.u32() === MAGIC) return;
  throw new Error(`it begins with ${JSON.stringify(cursor.first(4))}, a GGUF file with "GGUF"`);
}

function tensorOf(cursor: Cursor): GgufTensor {
  const name = cursor.text(LONGEST_NAME_BYTES);
  const dimensions = upTo(MOST_DIMENSIONS, cursor.u32(), `dimensions of ${name}`);
  let elements = 1;
  for (let i = 0; i < dimensions; i++) elements *= cursor.u64();
  return { name, elements, type: cursor.u32(), offsetBytes: cursor.u64() };
}

/** The header needs more bytes than there are. */
class BytesEnd extends Error {}

class Cursor {
  at = 0;
  #textBytes = 0;
  #words = 0;
  readonly #view: DataView;
  readonly #bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  first(count: number): string {
    return this.#bytes.toString('latin1', 0, count);
  }

  /** By GGUF's number of a type. */
  number(type: number): number {
    const kind = NUMBERS[type];
    if (kind === undefined) throw new Error(`its header has a value of the unknown type ${type}`);
    return kind.read(this.#view, this.#step(kind.bytes));
  }

  u32(): number {
    return this.number(TYPE.u32);
  }

  u64(): number {
    return this.number(TYPE.u64);
  }

  /** Cut after `mostBytes`. */
  text(mostBytes = LONGEST_KEPT_TEXT_BYTES): string {
    const length = this.u64();
    const from = this.#step(length);
    const kept = Math.min(length, mostBytes);
    this.#textBytes += kept;
    if (this.#textBytes > MOST_TEXT_BYTES)
      throw new Error(`its header has more than ${MOST_TEXT_BYTES} bytes of text besides its vocabulary`);
    return this.#bytes.toString('utf8', from, from + kept);
  }

  value(): GgufValue {
    const type = this.u32();
    if (type === TYPE.text) return this.text();
    if (type === TYPE.list) return this.#list();
    return type === TYPE.bool ? this.number(type) !== 0 : this.number(type);
  }

  #list(): GgufList {
    const type = this.u32();
    const length = this.u64();
    if (type === TYPE.text) {
      this.#words = upTo(MOST_WORDS, this.#words + length, 'words');
      for (let i = 0; i < length; i++) this.#step(this.u64());
      return { length, values: [] };
    }
    if (length <= LONGEST_KEPT_LIST)
      return { length, values: Array.from({ length }, () => this.number(type)) };
    const kind = NUMBERS[type];
    if (kind === undefined) throw new Error(`its header has a list of the unknown type ${type}`);
    this.#step(kind.bytes * length);
    return { length, values: [] };
  }

  /** Moves on and returns where it was. */
  #step(count: number): number {
    const from = this.at;
    if (from + count > this.#bytes.length) throw new BytesEnd();
    this.at = from + count;
    return from;
  }
}
