import { effect, type ReadonlySignal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';

/** The value of a signal, at most once for each frame that the browser draws: however often it changes. */
export function useFrames<T>(source: ReadonlySignal<T>): T {
  const [value, setValue] = useState(() => source.peek());
  useEffect(() => {
    let frame: number | null = null;
    const stop = effect(() => {
      void source.value;
      frame ??= requestAnimationFrame(() => {
        frame = null;
        setValue(() => source.peek());
      });
    });
    return () => {
      stop();
      if (frame !== null) cancelAnimationFrame(frame);
    };
  }, [source]);
  return value;
}
