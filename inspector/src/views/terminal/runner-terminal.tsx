import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Terminal as Xterm, type ITheme } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import { command, follow } from '../../live/session.ts';
import { complain } from '../../shell/announcer.tsx';

interface Props {
  readonly runnerId: string;
  /** What to look for: the next place that has it is shown when this changes. */
  readonly sought: string;
  /** Whether keys go to the runner. */
  readonly isTyping: boolean;
}

/** What a runner writes to its terminal, as a terminal shows it; and what is typed to it, where that is wanted. */
export function RunnerTerminal({ runnerId, sought, isTyping }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const screen = useRef<Xterm | null>(null);
  const search = useRef<SearchAddon | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const terminal = new Xterm({
      disableStdin: true,
      convertEol: true,
      scrollback: 5_000,
      fontSize: 12,
      theme: themeNow(),
    });
    const fit = new FitAddon();
    search.current = new SearchAddon();
    terminal.loadAddon(fit);
    terminal.loadAddon(search.current);
    terminal.open(element);
    screen.current = terminal;
    // Tab goes on through the page, or nobody would get out of here by keyboard.
    terminal.attachCustomKeyEventHandler(({ key }) => key !== 'Tab');
    terminal.onData((text) => typeTo(runnerId, text));
    const size = new ResizeObserver(() => fit.fit());
    size.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const recolour = (): void => void (terminal.options.theme = themeNow());
    scheme.addEventListener('change', recolour);
    const unfollow = writeTo(terminal, runnerId, setProblem);
    return () => {
      unfollow();
      scheme.removeEventListener('change', recolour);
      size.disconnect();
      terminal.dispose();
    };
  }, [runnerId]);
  useEffect(() => {
    const { current: terminal } = screen;
    if (!terminal) return;
    terminal.options.disableStdin = !isTyping;
    terminal.textarea?.setAttribute('aria-label', `Terminal of ${runnerId}${isTyping ? '' : ', read only'}`);
    if (isTyping) terminal.focus();
  }, [runnerId, isTyping]);
  useEffect(() => {
    if (sought === '') search.current?.clearDecorations();
    else search.current?.findPrevious(sought);
  }, [sought]);
  return (
    <>
      {problem !== null && <p class="empty">{problem}</p>}
      <div class="terminal-frame">
        <div ref={place} class="terminal-screen" />
      </div>
    </>
  );
}

function writeTo(terminal: Xterm, runnerId: string, onProblem: (text: string | null) => void): () => void {
  let isFresh = true;
  onProblem(null);
  return follow(
    'terminal',
    { runnerId },
    ({ entries }, { type, data }) => {
      if (type === 'snapshot' || isFresh) terminal.reset();
      const news = isFresh ? entries : data.entries;
      isFresh = false;
      terminal.write(news.join(''));
    },
    ({ message }) => onProblem(message),
  );
}

/** As much as the server takes at a time. */
const TYPED_AT_A_TIME = 4_096;

function typeTo(runnerId: string, text: string): void {
  for (let at = 0; at < text.length; at += TYPED_AT_A_TIME)
    command('terminal.write', { runnerId, text: text.slice(at, at + TYPED_AT_A_TIME) }).catch(
      (error: Error) => complain(error.message),
    );
}

/** The page's own colours. */
function themeNow(): ITheme {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    background: colour('raised'),
    foreground: colour('ink'),
    cursor: colour('raised'),
    selectionBackground: colour('accent-soft'),
    red: colour('failed'),
    green: colour('ready'),
    yellow: colour('expiring'),
    blue: colour('loading'),
    magenta: colour('vram-recovering'),
  };
}
