/** GGUF's numbers of the types that tests write. */
export const TYPE = { u32: 4, i32: 5, f32: 6, bool: 7, text: 8, list: 9, u64: 10, f64: 12 } as const;

/** A key of a header as it is written, whether it makes sense or not. */
export type RawPair = readonly [key: string, type: number, value: number | bigint | string | Buffer];

export interface RawHeader {
  readonly pairs: readonly RawPair[];
  readonly tensors?: readonly Buffer[];
  /** What the header says that it has; as many as it has without. */
  readonly pairCount?: bigint;
  readonly tensorCount?: bigint;
}

/** A header byte by byte: libraries that write GGUF do not write what is wrong. */
export const rawGguf = ({ pairs, tensors = [], pairCount, tensorCount }: RawHeader): Buffer =>
  Buffer.concat([
    Buffer.from('GGUF'),
    numberOf(TYPE.u32, 3),
    numberOf(TYPE.u64, tensorCount ?? BigInt(tensors.length)),
    numberOf(TYPE.u64, pairCount ?? BigInt(pairs.length)),
    ...pairs.map(([key, type, value]) =>
      Buffer.concat([rawText(key), numberOf(TYPE.u32, type), valueOf(type, value)]),
    ),
    ...tensors,
    Buffer.alloc(64),
  ]);

export const rawText = (text: string): Buffer =>
  Buffer.concat([numberOf(TYPE.u64, BigInt(Buffer.byteLength(text))), Buffer.from(text)]);

/** A list's type, how long it says that it is, and what it has. */
export const rawList = (type: number, length: bigint, content: Buffer): Buffer =>
  Buffer.concat([numberOf(TYPE.u32, type), numberOf(TYPE.u64, length), content]);

export const rawTensor = (name: string, lengths: readonly bigint[], type = 0, offset = 0n): Buffer =>
  Buffer.concat([
    rawText(name),
    numberOf(TYPE.u32, lengths.length),
    ...lengths.map((length) => numberOf(TYPE.u64, length)),
    numberOf(TYPE.u32, type),
    numberOf(TYPE.u64, offset),
  ]);

const valueOf = (type: number, value: RawPair[2]): Buffer => {
  if (Buffer.isBuffer(value)) return value;
  return typeof value === 'string' ? rawText(value) : numberOf(type, value);
};

function numberOf(type: number, value: number | bigint): Buffer {
  const bytes = Buffer.alloc(type === TYPE.bool ? 1 : type === TYPE.u64 || type === TYPE.f64 ? 8 : 4);
  if (type === TYPE.u64) bytes.writeBigUInt64LE(BigInt(value));
  else if (type === TYPE.f64) bytes.writeDoubleLE(Number(value));
  else if (type === TYPE.f32) bytes.writeFloatLE(Number(value));
  else if (type === TYPE.i32) bytes.writeInt32LE(Number(value));
  else if (type === TYPE.bool) bytes.writeUInt8(Number(value));
  else bytes.writeUInt32LE(Number(value));
  return bytes;
}
