import { expect } from 'chai';
import { stepDevice } from '../../machines/device/step.ts';

describe('a device', () => {
  it('is paused, and what becomes of who needs it is told anew each time', () => {
    const waiting = stepDevice(undefined, { type: 'device.pause', refuse: false });
    const refusing = stepDevice(waiting, { type: 'device.pause', refuse: true });

    expect(waiting).to.equal('queueing');
    expect(refusing).to.equal('refusing');
    expect(stepDevice(refusing, { type: 'device.pause', refuse: false })).to.equal('queueing');
  });

  it('is given back, also when it was not paused', () => {
    expect(stepDevice('refusing', { type: 'device.resume' })).to.equal(undefined);
    expect(stepDevice(undefined, { type: 'device.resume' })).to.equal(undefined);
  });
});
