import { expect } from 'chai';
import { UpstreamPools } from '../../src/http/upstream-pools.ts';
import { postChat, until } from './support/clients.ts';
import { SmallDesk } from './support/small-desk.ts';
import { Servers } from './support/started.ts';

describe('upstream pools', () => {
  const servers = new Servers();
  afterEach(() => servers.stopAll());

  it('keep one pool for each runner', () => {
    const pools = new UpstreamPools();
    const endpoint = { baseUrl: 'http://127.0.0.1:1', apiKey: 'key' };
    const first = pools.of('runner-1', endpoint);

    expect(pools.of('runner-1', endpoint)).to.equal(first);
    expect(pools.of('runner-2', endpoint)).to.not.equal(first);
    expect(pools.size).to.equal(2);

    pools.dropAll();
    expect(pools.size).to.equal(0);
    expect(first.closed).to.equal(true);
  });

  it('close the connections of a runner that goes', async () => {
    const upstream = await servers.upstream((request, response) => {
      request.resume();
      response.end('{}');
    });
    let open = 0;
    upstream.server.on('connection', (socket) => {
      open += 1;
      socket.on('close', () => (open -= 1));
    });
    const pools = new UpstreamPools();
    const { baseUrl } = await servers.corral(new SmallDesk(upstream.baseUrl), { pools });
    await (await postChat(baseUrl)).text();
    expect(open).to.equal(1);

    pools.drop('runner-0');

    await until('the connection to close', () => open === 0);
  });
});
