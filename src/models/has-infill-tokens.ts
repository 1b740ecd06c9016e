import { openFile } from '../files/read-file.ts';

/** By these texts llama.cpp knows the token before a gap where a header does not say which it is (llama-vocab.cpp). */
const BEFORE_A_GAP = [
  '<|fim_prefix|>',
  '<fim-prefix>',
  '<fim_prefix>',
  '<｜fim▁begin｜>',
  '<PRE>',
  '▁<PRE>',
  '<|code_prefix|>',
  '<|prefix|>',
];

/** As much as is read of a header at most. */
const MOST_BYTES = 1 << 26;

/** Searched as they stand in a GGUF file: the length, in eight bytes, then the text. */
const needles = BEFORE_A_GAP.map((token) => {
  const text = Buffer.from(token);
  const length = Buffer.alloc(8);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text]);
});

/** Whether the vocabulary of a GGUF file, whose header ends at `headerBytes`, has a token for filling gaps. */
export async function hasInfillTokens(path: string, headerBytes: number): Promise<boolean> {
  const file = await openFile(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(headerBytes, MOST_BYTES)), {
      position: 0,
    });
    const header = buffer.subarray(0, bytesRead);
    return needles.some((needle) => header.includes(needle));
  } finally {
    await file.close();
  }
}
