import { Command, InvalidArgumentError } from 'commander';
import { hashOf, newKey } from '../auth/key.ts';
import { scopes, type Scope } from '../auth/scopes.ts';
import { findConfig } from '../config/find-config.ts';
import { KEY_NAME } from '../config/schema.ts';
import { stdout } from '../terminal/print.ts';
import { printJson } from './context.ts';

/** `corral key NAME`: makes a key. It is printed once and kept nowhere; what is kept is its hash. */
export const keyCommand = (): Command =>
  new Command('key')
    .description('make a key for a client, and the lines for corral.yaml that let it in')
    .argument('<name>', 'whose it is: laptop, open-webui', nameOf)
    .option('-s, --scopes <list>', `what it opens: ${scopes.join(', ')}`, scopesOf, ['inference'] as Scope[])
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Scopes, none of which implies another:
  inference   asking models, and seeing which there are
  read        what runs, who waits, decisions, metrics, logs
  manage      load, unload, pin, stop, drain

Examples:
  corral key open-webui
  corral key me --scopes inference,read,manage
  CORRAL_API_KEY=corral_… corral ps`,
    )
    .action(
      (name: string, { scopes: wanted, json }: { scopes: Scope[]; json?: boolean }, command: Command) => {
        const key = newKey();
        const hash = hashOf(key);
        if (json) return printJson({ name, key, hash, scopes: wanted });
        const { config } = command.optsWithGlobals<{ config?: readonly string[] }>();
        const file = findConfig(config, process.env)[0] ?? 'corral.yaml';
        stdout.write(`The key of ${name}. It is shown this once:

  ${key}

Put this into ${file}, beside the keys that are there. Corral takes it over at its next start, or at once with \`corral reload\`:

keys:
  ${name}:
    hash: ${hash}
    scopes: [${wanted.join(', ')}]
`);
      },
    );

function nameOf(text: string): string {
  if (!KEY_NAME.test(text))
    throw new InvalidArgumentError('expected a letter first, then letters, digits, dots and dashes.');
  return text;
}

function scopesOf(text: string): Scope[] {
  return text.split(',').map((one) => {
    const scope = scopes.find((known) => known === one.trim());
    if (!scope) throw new InvalidArgumentError(`'${one.trim()}' is none of ${scopes.join(', ')}.`);
    return scope;
  });
}
