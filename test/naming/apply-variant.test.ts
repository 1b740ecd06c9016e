import { expect } from 'chai';
import type { Variant } from '../../src/config/schema.ts';
import { applyVariant } from '../../src/http/variants/apply-variant.ts';

const variant = (over: Partial<Variant>): Variant => ({ set: {}, default: {}, strip: [], ...over });
const CHAT = '/v1/chat/completions';
const user = { role: 'user', content: 'hi' };

describe('what a variant makes of a body', () => {
  it('sets, fills in and takes away, in that order of strength', () => {
    const made = applyVariant(
      { model: 'm', temperature: 1, top_k: 5, seed: 7 },
      variant({ set: { temperature: 0.2 }, default: { top_k: 40, max_tokens: 9 }, strip: ['seed'] }),
      CHAT,
    );

    expect(made).to.deep.equal({ model: 'm', temperature: 0.2, top_k: 5, max_tokens: 9 });
  });

  it('fills in what it has stripped', () => {
    const made = applyVariant({ seed: 7 }, variant({ strip: ['seed'], default: { seed: 1 } }), CHAT);

    expect(made).to.deep.equal({ seed: 1 });
  });

  it('puts its system prompt first, unless the conversation has one', () => {
    const { messages } = applyVariant({ messages: [user] }, variant({ system: 'be kind' }), CHAT);
    expect(messages).to.deep.equal([{ role: 'system', content: 'be kind' }, user]);

    for (const role of ['system', 'developer']) {
      const own = { messages: [{ role, content: 'mine' }, user] };
      expect(applyVariant(own, variant({ system: 'be kind' }), CHAT)).to.deep.equal(own);
    }
  });

  it('says it as each API does', () => {
    const system = variant({ system: 'be kind' });

    expect(applyVariant({}, system, '/v1/messages')).to.deep.equal({ system: 'be kind' });
    expect(applyVariant({ system: 'mine' }, system, '/v1/messages')).to.deep.equal({ system: 'mine' });
    expect(applyVariant({}, system, '/v1/responses')).to.deep.equal({ instructions: 'be kind' });
    for (const path of ['/v1/completions', '/completion', '/infill', '/v1/embeddings'])
      expect(applyVariant({ prompt: 'x' }, system, path)).to.deep.equal({ prompt: 'x' });
  });

  it('turns thinking on and off, and leaves the other arguments of the template', () => {
    const given = { chat_template_kwargs: { enable_thinking: true, reasoning_effort: 'high', other: 1 } };

    expect(applyVariant(given, variant({ thinking: false }), CHAT)).to.deep.equal({
      chat_template_kwargs: { enable_thinking: false, other: 1 },
    });
    expect(applyVariant({}, variant({ thinking: 'low' }), CHAT)).to.deep.equal({
      chat_template_kwargs: { enable_thinking: true, reasoning_effort: 'low' },
    });
    expect(applyVariant({ prompt: 'x' }, variant({ thinking: true }), '/v1/completions')).to.deep.equal({
      prompt: 'x',
    });
  });

  it('leaves what is no conversation to the runner', () => {
    expect(applyVariant({ messages: 'none' }, variant({ system: 'x' }), CHAT)).to.deep.equal({
      messages: 'none',
    });
  });
});
