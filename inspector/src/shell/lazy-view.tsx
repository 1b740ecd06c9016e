import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { View } from './views.ts';

interface Props {
  readonly view: View;
  /** Told the path of the view when it is there, and undefined when it goes. */
  readonly onShown: (path: string | undefined) => void;
}

/** Shows a view as soon as its code is there. */
export function LazyView({ view, onShown }: Props) {
  const [Loaded, setLoaded] = useState<ComponentType | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let isWanted = true;
    view.load().then(
      (component) => isWanted && setLoaded(() => component),
      (error: unknown) => isWanted && setProblem(String(error)),
    );
    return () => {
      isWanted = false;
    };
  }, [view]);
  useEffect(() => {
    if (!Loaded) return;
    onShown(view.path);
    return () => onShown(undefined);
  }, [Loaded, view, onShown]);
  if (problem !== null)
    return (
      <p class="empty" role="alert">
        {view.title} could not be loaded: {problem}. Corral may have been updated; reload the page.
      </p>
    );
  return Loaded ? <Loaded /> : <p class="empty">Loading {view.title.toLowerCase()}…</p>;
}
