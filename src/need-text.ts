import { formatBytes, type ModelSpec, type NeedPart } from '../machines/vocabulary.ts';

/** Less would be told as 0 MiB. */
const WORTH_A_WORD = 1024 ** 2 / 2;

type Need = Pick<ModelSpec, 'needBytes' | 'needSource' | 'hostBytes' | 'expertsAside'> & {
  readonly needParts?: readonly NeedPart[];
};

/** `18.9 GiB + 17.2 GiB of main memory (predicted)`. */
export function needText({ needBytes, needSource, hostBytes = 0 }: Need): string {
  const host = hostBytes > 0 ? ` + ${formatBytes(hostBytes)} of main memory` : '';
  return `${formatBytes(needBytes)}${host} (${needSource})`;
}

/** `weights 4.6 GiB, KV cache 512 MiB; in main memory: experts 17.2 GiB`; null where nothing was predicted. */
export function partsText({ needParts = [], needSource, expertsAside }: Need): string | null {
  const texts = (inMainMemory: boolean): string =>
    needParts
      .filter((part) => (part.inMainMemory ?? false) === inMainMemory && part.bytes >= WORTH_A_WORD)
      .map(({ of, bytes }) => `${of} ${formatBytes(bytes)}`)
      .join(', ');
  const host = texts(true);
  if (needParts.length === 0) return null;
  const other = expertsAside
    ? `; where no GPU holds that: ${formatBytes(expertsAside.needBytes)}, and ${formatBytes(expertsAside.hostBytes)} of main memory for its experts and what is there anyhow`
    : '';
  const own = `${texts(false)}${host === '' ? '' : `; in main memory: ${host}`}${other}`;
  return needSource === 'measured' ? `as predicted: ${own}` : own;
}

/** As the API tells them. */
export const toldParts = ({
  needParts = [],
}: Need): { of: NeedPart['of']; bytes: number; inMainMemory: boolean }[] =>
  needParts.map(({ of, bytes, inMainMemory = false }) => ({ of, bytes: Math.ceil(bytes), inMainMemory }));
