import { expect } from 'chai';
import { parseConfig } from '../../src/config/load-config.ts';
import { unknownDevices } from '../../src/unknown-devices.ts';

describe('devices that a configuration names', () => {
  const config = parseConfig(`
devices: { CUDA0: { memory: 22GiB }, CPU: { memory: 1GiB } }
models:
  a: { path: a.gguf, devices: [CUDA1] }
  b: { path: b.gguf, devices: [CUDA1, CPU] }
`);

  it('are told of when this machine has them not', () => {
    expect(unknownDevices(config, ['CPU'])).to.deep.equal([
      'CUDA0 (devices) is no device of this machine, which has CPU.',
      'CUDA1 (models.a.devices, models.b.devices) is no device of this machine, which has CPU.',
    ]);
  });

  it('are nothing to tell of when they are there', () => {
    expect(unknownDevices(config, ['CUDA0', 'CUDA1', 'CPU'])).to.deep.equal([]);
  });
});
