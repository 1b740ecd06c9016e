import { createLogUpdate } from 'log-update';
import { printable } from './printable.ts';

/** Another screen of the terminal, so that what was there comes back; and all of it wiped. */
const ENTER = '\u001B[?1049h\u001B[2J\u001B[H';
const WIPE = '\u001B[2J\u001B[H';
const LEAVE = '\u001B[?1049l';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const ENDING_KEYS = ['q', 'Q', CTRL_C, CTRL_D];
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A terminal that shows one picture at a time, until the user has had enough. */
export interface Screen {
  show(picture: string): void;
  /** Room for a picture. */
  readonly size: { readonly columns: number; readonly rows: number };
  /** Resolves when the user leaves. */
  readonly left: Promise<void>;
  /** Puts the terminal back as it was. */
  close(): void;
}

/** Takes the terminal of standard input and output over. `onResize` is told when it has another size. */
export function openScreen(onResize: () => void): Screen {
  const { stdout: output, stdin: input } = process;
  const update = createLogUpdate(output);
  let leave = (): void => {};
  const left = new Promise<void>((resolve) => (leave = resolve));
  const onKey = (key: Buffer): void => {
    if (ENDING_KEYS.some((ending) => key.toString().includes(ending))) leave();
  };
  const resized = (): void => {
    update.clear();
    output.write(WIPE);
    onResize();
  };
  output.write(ENTER);
  output.on('resize', resized).on('error', leave);
  for (const signal of ENDING_SIGNALS) process.on(signal, leave);
  if (input.isTTY) input.setRawMode(true).on('data', onKey).resume();
  return {
    show: (picture) => update(printable(picture)),
    get size() {
      // The cursor stands on a line of its own below the picture.
      return { columns: output.columns, rows: output.rows - 1 };
    },
    left,
    close: () => {
      output.off('resize', resized);
      for (const signal of ENDING_SIGNALS) process.off(signal, leave);
      if (input.isTTY) input.off('data', onKey).setRawMode(false).pause();
      update.clear();
      update.done();
      output.write(LEAVE);
    },
  };
}
