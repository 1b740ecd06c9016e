import type { Token } from 'node-llama-cpp';
import { notSupported } from './api-error.ts';
import type { Call } from './call.ts';
import { generate, type Outcome } from './generate.ts';
import { refuseUnsupported } from './refuse-unsupported.ts';
import { Reply, type Result, type Shape } from './replies.ts';
import { samplingOf } from './sampling.ts';
import { sendJson, startEvents, type Events } from './sending.ts';

/** Begins to complete a prompt. */
type Begin = () => AsyncGenerator<string, Outcome>;

/** Completes each prompt, one after the other; the reply tells them apart by their index. */
export async function complete(call: Call, shape: Shape, prompts: readonly Token[][]): Promise<void> {
  const { engine, args, body, response, signal } = call;
  const { slots } = engine;
  if (slots === null)
    throw notSupported('This server does not support completions. Start it without `--embedding`');
  refuseUnsupported(body);
  const sampling = samplingOf(body);
  const all = prompts.map(
    (prompt): Begin =>
      () =>
        generate(engine, slots, prompt, sampling, signal),
  );
  const reply = new Reply(shape, args.alias);
  if (body['stream'] === true) await stream(call, reply, all);
  else sendJson(response, 200, reply.whole(await resultsOf(all)));
}

async function resultsOf(all: readonly Begin[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const begin of all) {
    const steps = begin();
    let text = '';
    let step = await steps.next();
    for (; !step.done; step = await steps.next()) text += step.value;
    results.push({ text, outcome: step.value });
  }
  return results;
}

async function stream({ body, response }: Call, reply: Reply, all: readonly Begin[]): Promise<void> {
  let events: Events | null = null;
  for (const [index, begin] of all.entries()) {
    const steps = begin();
    // The very first step may throw, and the answer is then a plain error, not a stream.
    let step = await steps.next();
    events ??= startEvents(response);
    const opening = reply.opening();
    if (opening) await events.send(opening);
    for (; !step.done; step = await steps.next()) await events.send(reply.piece(step.value, index));
    for (const chunk of reply.closing(step.value, index, wantsUsage(body))) await events.send(chunk);
  }
  events?.end(reply.shape !== 'native');
}

const wantsUsage = ({ stream_options: options }: Call['body']): boolean =>
  typeof options === 'object' &&
  options !== null &&
  'include_usage' in options &&
  options.include_usage === true;
