import type { Command } from 'commander';
import type { Override } from '../config/environment.ts';

/** What `corral serve` takes on the command line: each option is a setting, and wins over the file and the environment. */
export interface ServeFlags {
  readonly config?: readonly string[];
  readonly host?: string;
  readonly port?: string;
  readonly ollamaPort?: string;
  readonly watch?: boolean;
  readonly inspect?: boolean | string;
}

export const withServeFlags = (command: Command): Command =>
  command
    .option('--host <address>', 'listen on this address (listen.host)')
    .option('--port <port>', 'listen on this port; 0 takes a free one (listen.port)')
    .option('--ollama-port <port>', 'listen there as well, for clients of Ollama: 11434 (listen.ollamaPort)')
    .option('--watch', 'read the configuration again whenever it changes (watch)')
    .option(
      '--inspect [relay]',
      'let inspectors of statecharts attach at /inspect; push to a relay (ws://…) as well',
    );

/** The same as settings. They are checked with the configuration. */
export function overridesOfFlags({
  host,
  port,
  ollamaPort,
  watch,
  inspect,
}: ServeFlags): readonly Override[] {
  const number = (text: string | undefined): unknown =>
    text !== undefined && /^\d+$/.test(text) ? Number(text) : text;
  const overrides: readonly Override[] = [
    { source: '--host', path: ['listen', 'host'], value: host },
    { source: '--port', path: ['listen', 'port'], value: number(port) },
    { source: '--ollama-port', path: ['listen', 'ollamaPort'], value: number(ollamaPort) },
    { source: '--watch', path: ['watch'], value: watch },
    { source: '--inspect', path: ['inspect'], value: inspect },
  ];
  return overrides.filter(({ value }) => value !== undefined);
}
