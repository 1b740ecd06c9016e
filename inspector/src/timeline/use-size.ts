import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

/** Size and scroll place of an element, in px, as they are. */
export interface Size {
  readonly width: number;
  readonly height: number;
  readonly top: number;
}

/** Follows an element's size, and how far it is scrolled. */
export function useSize(ref: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 800, height: 600, top: 0 });
  const read = (): void => {
    const element = ref.current;
    if (!element) return;
    const { clientWidth: width, clientHeight: height, scrollTop: top } = element;
    setSize((known) =>
      known.width === width && known.height === height && known.top === top ? known : { width, height, top },
    );
  };
  useLayoutEffect(read);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const watching = new ResizeObserver(read);
    watching.observe(element);
    element.addEventListener('scroll', read, { passive: true });
    return () => {
      watching.disconnect();
      element.removeEventListener('scroll', read);
    };
  }, [ref]);
  return size;
}
