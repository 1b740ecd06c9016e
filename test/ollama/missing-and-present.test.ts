import { expect } from 'chai';
import { Ollama } from 'ollama';
import { request } from 'undici';
import { startCorral, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

describe("what Ollama's clients do to models", () => {
  let models: TestModels;
  let corral: Corral;
  let client: Ollama;
  before(async function () {
    this.timeout(60_000);
    models = await writeModels(['tiny']);
    corral = await startCorral('embedded', {
      models: models.config(['tiny'], { tiny: { aliases: ['small'] } }),
    });
    client = new Ollama({ host: corral.url });
  });
  after(async () => {
    await corral.close();
    await models.remove();
  });

  const post = async (path: string, body: object) => {
    const answer = await request(corral.url + path, { method: 'POST', body: JSON.stringify(body) });
    return {
      status: answer.statusCode,
      type: answer.headers['content-type'],
      text: await answer.body.text(),
    };
  };
  const failing = async (act: () => Promise<unknown>): Promise<unknown> =>
    act().catch((thrown: unknown) => thrown);

  it('a pull of what is there succeeds, by any of its names, streamed and not', async () => {
    for (const model of ['tiny', 'tiny:latest', 'small', 'TINY']) {
      const statuses: string[] = [];
      for await (const { status } of await client.pull({ model, stream: true })) statuses.push(status);
      expect(statuses.at(-1), model).to.equal('success');
      expect(await client.pull({ model }), model).to.include({ status: 'success' });
    }
    expect(await post('/api/pull', { name: 'tiny', stream: false })).to.deep.equal({
      status: 200,
      type: 'application/json; charset=utf-8',
      text: '{"status":"success"}\n',
    });
    expect((await post('/api/pull', { name: 'tiny' })).type).to.equal('application/x-ndjson');
    expect(corral.status().runners).to.deep.equal([]);
  });

  it('a pull of what is not there is refused, with the models that are and what to do', async () => {
    for (const stream of [true, false]) {
      const { status, text } = await post('/api/pull', { model: 'tinny', stream });

      expect(status).to.equal(404);
      expect(JSON.parse(text).error)
        .to.match(/model 'tinny' not found\. Did you mean 'tiny'\?/)
        .and.to.match(/corral pull.*corral\.yaml/);
    }
    expect((await post('/api/pull', {})).status).to.equal(400);
  });

  it('near misses are sought among the aliases, too', async () => {
    expect(String(await failing(() => client.show({ model: 'smal' })))).to.match(/Did you mean 'small'\?/);
  });

  it('create, copy, delete and push say what to do instead', async () => {
    for (const [act, instead] of [
      [() => client.push({ model: 'tiny' }), /publish/],
      [() => client.create({ model: 'x', from: 'tiny' }), /corral\.yaml/],
      [() => client.copy({ source: 'tiny', destination: 'x' }), /"aliases" in corral\.yaml/],
      [() => client.delete({ model: 'tiny' }), /corral\.yaml/],
    ] as const) {
      const thrown = await failing(act);
      expect(thrown).to.include({ name: 'ResponseError', status_code: 501 });
      expect(String(thrown)).to.match(instead);
    }
    expect(await (await fetch(`${corral.url}/api/status`)).json()).to.deep.equal({
      cloud: { disabled: true, source: 'none' },
    });
    // Ollama's command line asks this before it pushes, and is told then that it cannot.
    expect(await post('/api/me', {})).to.include({ status: 200 });
  });

  it('a blob is not there, and sending it says what to do instead', async () => {
    const path = '/api/blobs/sha256:abc';
    const head = await request(corral.url + path, { method: 'HEAD' });

    expect(head.statusCode).to.equal(404);
    const { status, text } = await post(path, {});
    expect(status).to.equal(501);
    expect(JSON.parse(text).error).to.match(/corral\.yaml/);
  });

  it('other methods and paths are 405 and 404, with an error in its form', async () => {
    for (const [path, expected] of [
      ['/api/tags', 405],
      ['/api/nothing', 404],
    ] as const) {
      const { status, text } = await post(path, {});
      expect(status, path).to.equal(expected);
      expect(JSON.parse(text)).to.have.property('error').that.is.a('string');
    }
  });
});
