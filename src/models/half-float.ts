/** float32 → float16 bits, for finite numbers; what is too small for a normal half becomes zero. */
export function toHalf(value: number): number {
  scratch[0] = value;
  const bits = scratchBits[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  if (exponent <= 0) return sign;
  if (exponent >= 31) return sign | 0x7bff;
  return sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** Numbers in the way that a GGUF file stores them. */
export const encode = (values: Float32Array, half: boolean): Buffer =>
  half
    ? Buffer.from(Uint16Array.from(values, toHalf).buffer)
    : Buffer.from(values.buffer, values.byteOffset, values.byteLength);
