import { expect } from 'chai';
import { parseConfig } from '../../src/config/load-config.ts';
import { applicable } from '../../src/reload/diff-settings.ts';

describe('a configuration that is taken over', () => {
  it('is the same when nothing has changed: what is not set stays so, be it within a part that needs a restart', () => {
    const config = parseConfig('models: {}');

    expect(applicable(config, config)).to.deep.equal(config);
    expect(applicable(config, config).listen).not.to.have.property('tls');
  });

  it('keeps what needs a restart, whether it comes, goes or changes', () => {
    const config = parseConfig('models: {}');
    const tls = { cert: 'cert.pem', key: 'key.pem' };
    const secure = { ...config, listen: { ...config.listen, tls } };

    expect(applicable(config, secure)).to.deep.equal(config);
    expect(applicable(secure, config)).to.deep.equal(secure);
    expect(
      applicable(secure, { ...secure, listen: { ...secure.listen, tls: { ...tls, cert: 'other.pem' } } }),
    ).to.deep.equal(secure);
  });
});
