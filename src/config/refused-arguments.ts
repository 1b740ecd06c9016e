import { apart, plainName } from '../../machines/planning/server-options.ts';

const REACHED = 'a runner is reached through Corral alone';
const ONE_MODEL = 'the path of a model says which file a runner loads';
const LOADS = 'Corral itself loads and unloads models';
const LOOKS = 'Corral looks at the slots';
const PLANNED = 'it changes what Corral has planned, which then runs out of memory';
const ENDS = 'it prints something and ends';

/** Arguments of llama-server that a runner of Corral cannot have, and why. */
const GROUPS: readonly (readonly [why: string, names: string])[] = [
  [REACHED, '--host --port --reuse-port --api-prefix --path --ssl-key-file --ssl-cert-file'],
  [REACHED, '--api-key --api-key-file'],
  [LOADS, '--models-dir --models-preset --models-max --models-autoload --no-models-autoload'],
  [ONE_MODEL, '-m --model -mu --model-url -hf -hfr --hf-repo -hff --hf-file -dr --docker-repo'],
  [PLANNED, '-fit --fit'],
  [LOOKS, '--no-slots'],
  [ENDS, '-h --help --usage --version --list-devices -cl --cache-list --completion-bash'],
];

const REFUSED: ReadonlyMap<string, string> = new Map(
  GROUPS.flatMap(([why, names]) => names.split(' ').map((name) => [name, why] as const)),
);

/** What is wrong with an argument; null where nothing is. `next` is the one after it. */
export function refusalOf(argument: string, next = ''): string | null {
  const [name = '', value = next] = apart(argument);
  if (/^(?:-cram|--cache-ram)$/.test(plainName(name)) && value.startsWith('-'))
    return `expected no ${plainName(name)} without a limit: main memory would be full one day; promptCache says how much it may be`;
  const why = REFUSED.get(plainName(name));
  if (why === undefined || (why === PLANNED && value === 'off')) return null;
  return `expected no ${plainName(name)}: ${why}`;
}
