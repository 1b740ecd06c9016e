/** A look may take so much of the time between looks, on slow disks. */
const LOOKING_SHARE = 20;

export interface Looks {
  /** What is there, as a text that is equal as long as it is the same. */
  readonly look: () => Promise<string>;
  /** What was there when those who are told have last read it. */
  readonly first: string;
  readonly onChange: () => void;
  readonly everyMs: number;
}

/**
 * Looks again and again, and tells of a change once two looks have seen the same: what is just being written is not interrupted. Ends
 * with the answer.
 */
export function followLooks({ look, first, onChange, everyMs }: Looks): () => void {
  let told = first;
  let seen = first;
  let timer: NodeJS.Timeout | null = null;
  const lookAgain = async (): Promise<void> => {
    const began = performance.now();
    const now = await look();
    // Meanwhile nobody may want to know any more.
    if (timer === null) return;
    if (now === seen && now !== told) {
      told = now;
      onChange();
    }
    seen = now;
    arm(Math.max(everyMs, (performance.now() - began) * LOOKING_SHARE));
  };
  const arm = (ms: number): void => void (timer = setTimeout(() => void lookAgain(), ms).unref());
  arm(everyMs);
  return () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };
}
