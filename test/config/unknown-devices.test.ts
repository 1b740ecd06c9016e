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
    expect(
      unknownDevices(
        config,
        ['CPU'].map((id) => ({ id })),
      ),
    ).to.deep.equal([
      'CUDA0 (devices) is no device of this machine, which has CPU.',
      'CUDA1 (models.a.devices, models.b.devices) is no device of this machine, which has CPU.',
    ]);
  });

  it('are nothing to tell of when they are there', () => {
    expect(
      unknownDevices(
        config,
        ['CUDA0', 'CUDA1', 'CPU'].map((id) => ({ id })),
      ),
    ).to.deep.equal([]);
  });

  it('are told of by their other name where a second backend lists them', () => {
    const readings = [{ id: 'CUDA0', alsoListedAs: ['CUDA1'] }, { id: 'CPU' }];
    expect(unknownDevices(config, readings)).to.deep.equal([
      'CUDA1 (models.a.devices, models.b.devices) is CUDA0, listed by another backend too, and is left out.',
    ]);
  });
});
