import { useEffect, useRef, useState } from 'preact/hooks';
import { TimeBar } from '../history/time-bar.tsx';
import { hello, isRefused } from '../live/session.ts';
import { ConfirmDialog } from '../parts/confirm.tsx';
import { Announcer } from './announcer.tsx';
import { Header } from './header.tsx';
import { KeyEntry } from './key-entry.tsx';
import { LazyView } from './lazy-view.tsx';
import { route } from './route.ts';
import { views } from './views.ts';

/** The page: a header, and the view that the address names. */
export function App() {
  const { path } = route.value;
  const view = views.find((one) => one.path === path) ?? views[0];
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const [shownView, setShownView] = useState<string>();
  useEffect(() => {
    document.title = `${view.title} · Corral`;
    // Who reads the page by ear, or goes by keyboard, begins at the top of what has just come.
    if (!isFirst.current) main.current?.focus();
    isFirst.current = false;
  }, [view]);
  const skip = (event: Event): void => {
    event.preventDefault();
    main.current?.focus();
  };
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the view
      </a>
      <Header current={view} />
      <main ref={main} id="main" tabIndex={-1} aria-label={view.title} data-view={shownView}>
        <KeyEntry />
        {/* Without a key nothing is known that a view could show. */}
        {(hello.value !== null || !isRefused.value) && (
          <LazyView key={view.path} view={view} onShown={setShownView} />
        )}
      </main>
      <TimeBar />
      <Announcer />
      <ConfirmDialog />
    </>
  );
}
