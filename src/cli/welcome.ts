import type { LoadedConfig } from '../config/load-config.ts';
import type { Served } from '../serve.ts';
import { ledgerOf } from '../ledger-of.ts';
import { FIRST_MODEL, pullLine } from './offer-model.ts';
import { ownName } from './own-name.ts';

/** What is told once Corral serves: where, what, and a request that works. */
export function welcome(
  { url, ollamaUrl, catalogue, scheduler, llamaServer }: Served,
  { path, config }: LoadedConfig,
  { isDemo }: { readonly isDemo: boolean },
): string {
  const models = catalogue.list(ledgerOf(scheduler)).map(({ name }) => name);
  const chat = models.find((name) => !/embed/i.test(name)) ?? models[0] ?? 'MODEL';
  const keys = Object.keys(config.keys);
  const auth = keys.length > 0 ? ` -H "authorization: Bearer $CORRAL_API_KEY"` : '';
  const inspectors = config.inspect
    ? `  inspectors      ${url.replace('http', 'ws')}/inspect   or, with Stately's: ${url}/inspect\n`
    : '';
  const ollama = ollamaUrl ? `  as Ollama       ${ollamaUrl}\n` : '';
  const real =
    isDemo && !models.includes(FIRST_MODEL.name)
      ? `  a real model    ${pullLine()}   (${FIRST_MODEL.about}),\n` +
        `                  then put into corral.yaml: folders: [~/models]\n`
      : '';
  // What listens everywhere is called by a name that is somewhere.
  const callUrl = url.replace(/\/\/(0\.0\.0\.0|\[::\]):/, '//127.0.0.1:');
  const body = `{"model":"${chat}","messages":[{"role":"user","content":"Hello"}]}`;
  return `
Corral serves ${models.length} ${models.length === 1 ? 'model' : 'models'} at ${url}

  models          ${models.join(', ') || `none yet: name some in ${path}`}
  runs them with  ${llamaServer ?? 'the embedded runner (no llama-server found)'}
  configuration   ${path}
  keys            ${keys.join(', ') || 'none: everybody on this machine may do everything'}
  status          ${callUrl}/   or: ${ownName(process.argv, process.env)} ps
${ollama}${inspectors}${real}
Try:
  curl ${callUrl}/v1/chat/completions -H 'content-type: application/json'${auth} -d '${body}'

Ctrl-C stops it.
`;
}
