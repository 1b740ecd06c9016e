import { expect } from 'chai';
import { SmallDesk } from './support/small-desk.ts';
import { Servers } from './support/started.ts';

describe('a reply that is to be continued', () => {
  const servers = new Servers();
  afterEach(() => servers.stopAll());

  it('is refused plainly, and loads nothing; null says nothing, and elsewhere it is none of our business', async () => {
    const upstream = await servers.upstream((_, response) => response.end('{}'));
    const desk = new SmallDesk(upstream.baseUrl);
    const { baseUrl } = await servers.corral(desk);
    const post = (path: string, previous: unknown): Promise<Response> =>
      fetch(baseUrl + path, {
        method: 'POST',
        body: JSON.stringify({ previous_response_id: previous, model: 'tiny', input: 'and then?' }),
      });

    const refused = await post('/v1/responses', 'resp_1');

    expect(refused.status).to.equal(400);
    expect(await refused.json())
      .to.have.property('error')
      .that.includes({ code: 'not_supported', param: 'previous_response_id' })
      .and.has.property('message')
      .that.contains('send the whole conversation');
    expect(desk.requests).to.deep.equal([]);
    expect((await post('/v1/responses', null)).status).to.equal(200);
    expect((await post('/v1/embeddings', 'resp_1')).status).to.equal(200);
  });
});
