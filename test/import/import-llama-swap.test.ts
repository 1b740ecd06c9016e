import { expect } from 'chai';
import { parse } from 'yaml';
import { parseConfig } from '../../src/config/load-config.ts';
import type { ModelInput } from '../../src/config/schema.ts';
import { importLlamaSwap } from '../../src/import/import-llama-swap.ts';
import { writeImported } from '../../src/import/write-imported.ts';

/** One model, `m`, with this command. */
const ofCommand = (
  cmd: string,
  more: object = {},
): { model: ModelInput | undefined; notes: readonly string[] } => {
  const { config, modelNotes } = importLlamaSwap(JSON.stringify({ models: { m: { cmd, ...more } } }));
  return { model: config.models?.['m'], notes: modelNotes.get('m') ?? [] };
};
const server = 'llama-server --port ${PORT} -m /m.gguf -np 1 -c 4096';

describe('a llama-swap configuration', () => {
  const whole = `
healthCheckTimeout: 300
logLevel: debug
startPort: 10001
globalTTL: 600
apiKeys: [sk-very-secret]
macros:
  llama: >
    /opt/llama-server
    --port \${PORT} --host 127.0.0.1
  ctx: 16384
models:
  qwen:
    cmd: |
      \${llama}
      # the big one
      --model "/models/my qwen.gguf" \\
      --ctx-size \${ctx} -np 2 -ngl 99 -fa on \\
      --mmproj /models/mmproj.gguf --lora /models/a.gguf
    aliases: [gpt-4o, qwen]
    ttl: 60
    env: ["CUDA_VISIBLE_DEVICES=1", "SECRET=hunter2"]
    filters:
      stripParams: "temperature, model"
      setParams: { top_p: 0.9, stream: false }
      setParamsByID:
        "\${MODEL_ID}:high": { chat_template_kwargs: { reasoning_effort: high } }
        gpt-4o: { top_p: 1 }
        embed: { top_p: 0 }
    unlisted: true
    concurrencyLimit: 4
  embed:
    cmd: \${llama} -m /models/e.gguf --embeddings -c 512 -ngl 0
    ttl: 0
  docker:
    proxy: http://127.0.0.1:9000
    cmd: docker run --rm image
  hub:
    cmd: \${llama} -hf user/repo:Q4_K_M
groups:
  forever: { persistent: true, swap: false, exclusive: false, members: [embed] }
selectors:
  big: { strategy: warm, targets: [qwen, "qwen:high", remote] }
  small: { strategy: pin, targets: [embed, qwen] }
  lost: { strategy: spillover, targets: [docker] }
  EMBED: { strategy: warm, targets: [qwen] }
hooks: { on_startup: { preload: [embed, qwen] } }
`;

  it('becomes one of Corral', () => {
    const { config } = importLlamaSwap(whole);

    expect(config).to.deep.equal({
      llamaServer: '/opt/llama-server',
      logLevel: 'debug',
      defaults: { keepAlive: '600s' },
      limits: { load: '300s' },
      anyOf: { big: ['qwen', 'qwen:high'], small: ['embed'] },
      models: {
        qwen: {
          path: '/models/my qwen.gguf',
          aliases: ['gpt-4o'],
          variants: {
            qwen: { strip: ['temperature'], set: { top_p: 0.9 } },
            'gpt-4o': { strip: ['temperature'], set: { top_p: 1 } },
            'qwen:high': {
              strip: ['temperature'],
              set: { top_p: 0.9, chat_template_kwargs: { reasoning_effort: 'high' } },
            },
          },
          keepAlive: '60s',
          preload: true,
          context: 8192,
          slots: 2,
          devices: ['CUDA1'],
          projector: '/models/mmproj.gguf',
          adapters: ['/models/a.gguf'],
          args: ['-fa', 'on'],
        },
        embed: {
          path: '/models/e.gguf',
          keepAlive: 'forever',
          context: 512,
          slots: 1,
          placement: 'cpu-only',
          kind: 'embedding',
          pin: true,
        },
        hub: {
          command: [
            '/opt/llama-server',
            '--port',
            '{port}',
            '--host',
            '127.0.0.1',
            '-hf',
            'user/repo:Q4_K_M',
          ],
          memory: '8GiB',
          paths: ['/v1/*', '/completion', '/infill', '/tokenize', '/detokenize', '/apply-template'],
        },
      },
    });
  });

  it('says for each thing that it leaves out why', () => {
    const { notes, modelNotes } = importLlamaSwap(whole);

    expect(notes.join('\n')).to.match(/group forever \(all of its models together\) is left out/);
    expect(notes.join('\n')).to.match(/apiKeys is left out/);
    expect(notes.join('\n'))
      .to.contain('selector big goes without remote')
      .and.to.contain('selector lost is left out: none of its targets')
      .and.to.contain('selector EMBED is left out: the name is taken');
    const qwen = modelNotes.get('qwen')?.join('\n');
    for (const word of ['env SECRET', 'filters: stream', 'unlisted', 'concurrencyLimit', 'alias qwen'])
      expect(qwen).to.contain(`${word} is left out`);
    expect(qwen).to.contain('the parameters of embed are left out: the name is taken');
    expect(modelNotes.get('docker')).to.deep.equal([
      'left out: its cmd does not say that it listens at port 9000, which Corral would have to choose',
    ]);
    expect(modelNotes.get('hub')?.[0]).to.contain('`corral pull hf:user/repo:Q4_K_M` fetches it');
  });

  it('is written with those reasons as comments, and no secrets', () => {
    const text = writeImported(importLlamaSwap(whole));

    expect(parse(text)).to.deep.equal(importLlamaSwap(whole).config);
    expect(Object.keys(parseConfig(text).models)).to.deep.equal(['qwen', 'embed', 'hub']);
    expect(text).to.match(/# unlisted is left out.*\n(?: *#.*\n)* {2}qwen:/);
    expect(text).to.match(/^# docker: left out: its cmd does not say/m);
    expect(text).not.to.match(/hunter2|very-secret/);
  });

  it('may be nearly empty', () => {
    expect(parseConfig(writeImported(importLlamaSwap('models: {}'))).models).to.deep.equal({});
  });

  for (const { title, text, says } of [
    { title: 'that is no YAML', text: 'models: [', says: /line 1/ },
    { title: 'that is a list', text: '- a', says: /the file: / },
    { title: 'whose models are a list', text: 'models: [a]', says: /^models: / },
  ])
    it(`${title} is refused`, () => expect(() => importLlamaSwap(text)).to.throw(says));

  it('with names that differ in capitals only keeps the first', () => {
    const { config, modelNotes } = importLlamaSwap(
      JSON.stringify({ models: { A: { cmd: server }, a: { cmd: server } } }),
    );

    expect(Object.keys(config.models ?? {})).to.deep.equal(['A']);
    expect(modelNotes.get('a')).to.deep.equal(['left out: it differs from A in capitals only']);
  });

  it('cannot end a comment early', () => {
    const text = writeImported(
      importLlamaSwap(JSON.stringify({ models: { 'x\nlisten: 1': { cmd: 'docker' } } })),
    );

    expect(parseConfig(text).listen.port).to.equal(8686);
  });

  it('with several llama-servers takes that of most, and leaves theirs to the others', () => {
    const { config } = importLlamaSwap(
      JSON.stringify({
        models: { a: { cmd: `/old/${server}` }, b: { cmd: `/new/${server}` }, c: { cmd: `/new/${server}` } },
      }),
    );

    expect(config.llamaServer).to.equal('/new/llama-server');
    expect(config.models?.['a']?.llamaServer).to.equal('/old/llama-server');
    expect(config.models?.['b']?.llamaServer).to.equal(undefined);
  });
});

describe("a model's command", () => {
  it('that Corral would give itself leaves nothing to say', () => {
    expect(ofCommand(`${server} -ngl all --metrics`)).to.deep.equal({
      model: { path: '/m.gguf', context: 4096, slots: 1 },
      notes: [],
    });
  });

  for (const { title, cmd, model, says } of [
    {
      title: 'keeps arguments that Corral does not know, in their order',
      cmd: `${server} -ctk q8_0 --jinja --chat-template-kwargs '{"a": 1}'`,
      model: { args: ['-ctk', 'q8_0', '--jinja', '--chat-template-kwargs', '{"a": 1}'] },
      says: null,
    },
    {
      title: 'without -np has one slot, which keeps all tokens',
      cmd: 'llama-server -m /m.gguf -c 8192',
      model: { context: 8192, slots: 1 },
      says: /no -np is given: one slot/,
    },
    {
      title: 'without -c has the context that Corral gives',
      cmd: 'llama-server -m /m.gguf -c 0 -np 2',
      model: { slots: 2 },
      says: /no context size is given/,
    },
    {
      title: 'that offloads some layers keeps that',
      cmd: `${server} -ngl 20`,
      model: { args: ['-ngl', '20'] },
      says: null,
    },
    {
      title: 'that names devices keeps them',
      cmd: `${server} --device CUDA1,CUDA0`,
      model: { devices: ['CUDA1', 'CUDA0'] },
      says: null,
    },
    {
      title: 'without devices is for the CPU',
      cmd: `${server} -dev none`,
      model: { placement: 'cpu-only' },
      says: null,
    },
    {
      title: 'that shares out tensors leaves that to Corral',
      cmd: `${server} --tensor-split 3,1`,
      model: {},
      says: /--tensor-split is left out/,
    },
    {
      title: 'with a key loses it, untold',
      cmd: `${server} --api-key hunter2`,
      model: {},
      says: /^--api-key is left out/,
    },
    {
      title: 'with a draft model keeps it',
      cmd: `${server} -md /draft.gguf`,
      model: { args: ['-md', '/draft.gguf'] },
      says: null,
    },
  ])
    it(title, () => {
      const found = ofCommand(cmd);

      expect(found.model).to.deep.include({ path: '/m.gguf', ...model });
      if (says === null) expect(found.notes).to.deep.equal([]);
      else expect(found.notes[0]).to.match(says);
      expect(JSON.stringify(found)).not.to.contain('hunter2');
    });

  it('counts devices among those that its environment shows', () => {
    const { model } = ofCommand(`${server} -dev CUDA0`, { env: ['CUDA_VISIBLE_DEVICES=2,3'] });

    expect(model?.devices).to.deep.equal(['CUDA2']);
  });

  it('with a relative path says from where it now starts', () => {
    expect(ofCommand('llama-server -m m.gguf -c 1 -np 1').notes).to.deep.equal([
      'm.gguf is now taken from the folder of corral.yaml',
    ]);
  });

  for (const { title, cmd, says } of [
    { title: 'at an unknown port', cmd: 'bash -c "vllm serve x"', says: /at which port it listens/ },
    { title: 'without a file', cmd: 'llama-server', says: /names no model file/ },
    { title: 'with an unknown macro', cmd: 'llama-server ${gone}', says: /\$\{gone\} is not defined/ },
    { title: 'with an open quote', cmd: 'llama-server "', says: /never closed/ },
    { title: 'that is empty', cmd: '', says: /empty/ },
    {
      title: 'with words in braces',
      cmd: 'serve --port ${PORT} --format {model}',
      says: /\{model\} in its cmd would mean something/,
    },
  ])
    it(`${title} is left out`, () => {
      const { model, notes } = ofCommand(cmd);

      expect(model).to.equal(undefined);
      expect(notes[0]).to.match(says);
    });
});
