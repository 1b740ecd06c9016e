import { networkInterfaces } from 'node:os';
import { expect } from 'chai';
import { request } from 'undici';
import { startCorral } from '../support/corral.ts';

const addresses = new Set(
  Object.values(networkInterfaces())
    .flatMap((some) => some ?? [])
    .map((one) => one.address),
);
/** As they are written, and as they stand in a URL; of machines without IPv6 only the first. */
const hosts = [
  { written: 'localhost', shown: 'localhost' },
  { written: '127.0.0.1', shown: '127.0.0.1' },
  ...(addresses.has('::1')
    ? [
        { written: '::1', shown: '[::1]' },
        { written: '[::1]', shown: '[::1]' },
      ]
    : []),
];

describe('an address to listen at', () => {
  for (const { written, shown } of hosts)
    it(`may be ${written}`, async () => {
      const corral = await startCorral('embedded', { listen: { port: 0, host: written, ollamaPort: 0 } });
      const { statusCode, body } = await request(`${corral.url}/v1/models`);
      await body.dump();
      await corral.close();

      expect(corral.url)
        .to.match(/^http:/)
        .and.to.contain(`//${shown}:`);
      expect(corral.ollamaUrl).to.contain(`//${shown}:`);
      expect(statusCode).to.equal(200);
    });
});
