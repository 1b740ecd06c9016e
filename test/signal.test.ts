import { expect } from 'chai';
import { LightSignal } from '../src/signal.ts';

describe('a light signal', () => {
  it('tells all who listen, once, and why', () => {
    const signal = new LightSignal();
    const told: unknown[] = [];
    signal.addEventListener('abort', () => told.push(['first', signal.aborted, signal.reason]));
    signal.addEventListener('abort', () => told.push('second'));

    signal.abort('gone');
    signal.abort('gone again');

    expect(told).to.deep.equal([['first', true, 'gone'], 'second']);
    expect(signal.reason).to.equal('gone');
  });

  it('tells nobody who has stopped listening, be it while others are told', () => {
    const signal = new LightSignal();
    const told: string[] = [];
    const later = () => told.push('later');
    const never = () => told.push('never');
    signal.addEventListener('abort', never);
    signal.removeEventListener('abort', never);
    signal.addEventListener('abort', () => signal.removeEventListener('abort', later));
    signal.addEventListener('abort', later);

    signal.abort(new Error('gone'));

    expect(told).to.deep.equal([]);
  });
});
