import { expect } from 'chai';
import { RequestError } from '../../src/http/openai-errors.ts';
import { generateCall } from '../../src/http/ollama/generation-call.ts';
import { toContext } from '../../src/http/ollama/conversation.ts';
import { parseTemplate } from '../../src/http/ollama/go-template.ts';
import { generateRequest, readRequest } from '../../src/http/ollama/requests.ts';

const values = { System: 'be brief', Prompt: 'hi', Response: null, Messages: [] };
const write = (template: string, over: object = {}): string =>
  parseTemplate(template)({ ...values, ...over });

describe("a template of Ollama's", () => {
  for (const [template, written] of [
    ['[INST] {{ .System }} {{ .Prompt }} [/INST]', '[INST] be brief hi [/INST]'],
    ['{{.Prompt}}{{.Response}}<end>', 'hi'],
    ['a  {{- .Prompt -}}  b', 'ahib'],
    ['a {{ .Prompt }} b', 'a hi b'],
    ['{{ if .System }}<s>{{ .System }}</s>{{ end }}{{ .Prompt }}', '<s>be brief</s>hi'],
    ['{{ if not .System }}none{{ else }}some{{ end }}', 'some'],
    ['{{ if .Response }}a{{ else if .Prompt }}b{{ else }}c{{ end }}', 'b'],
    ['{{ if and .System (eq .Prompt "hi") }}both{{ end }}', 'both'],
    ['{{ if or .Response (ne .Prompt "hi") }}x{{ end }}y', 'y'],
    ['{{/* said by nobody */}}x', 'x'],
    ['{{- if .Suffix }}fim{{ end }}plain', 'plain'],
    ['{{ if .constructor }}x{{ end }}', ''],
    ['{ "json": {} }', '{ "json": {} }'],
  ] as const)
    it(`is written as Ollama does: ${template}`, () => expect(write(template)).to.equal(written));

  it('may go through the messages, by who says what', () => {
    const Messages = [
      { Role: 'system', Content: 'be brief' },
      { Role: 'user', Content: 'hi' },
    ];
    const template =
      '{{- range .Messages }}{{ if eq .Role "user" }}U: {{ else }}S: {{ end }}{{ .Content }}\n{{ end }}A: {{ .Response }}';

    expect(write(template, { Messages })).to.equal('S: be brief\nU: hi\nA: ');
  });

  for (const template of [
    '{{ .Other }}',
    '{{ template "x" }}',
    '{{ if .Prompt }}x',
    'x{{ end }}',
    '{{ else }}',
    '{{ .Prompt',
    '{{ if len .Prompt }}x{{ end }}',
    '{{ if (.Prompt }}x{{ end }}',
    '{{ range $i, $m := .Messages }}{{ end }}',
    '{{ if .Prompt }}'.repeat(100) + '{{ end }}'.repeat(100),
  ])
    it(`is refused when it is not understood: ${template.slice(0, 40)}`, () => {
      expect(() => write(template)).to.throw(RequestError, /^template: .*is not understood here/);
    });

  it('may be long', () => {
    expect(() => write('{{'.repeat(500_000))).to.throw(RequestError);
    expect(write('{{/**/}}'.repeat(100_000))).to.equal('');
  });

  describe('of a generation', () => {
    const call = (request: object) =>
      generateCall(readRequest(generateRequest, { model: 'm', prompt: 'and you?', ...request }), {
        contextTokens: 512,
      });
    const template = '<u>{{ .Prompt }}</u><a>{{ .Response }}</a>';

    it('makes its prompt, sampled as it says', () => {
      expect(call({ template, options: { top_k: 3 } })).to.deep.include({ path: '/v1/completions' });
      expect(call({ template, options: { top_k: 3 } })?.body).to.include({
        prompt: '<u>and you?</u><a>',
        top_k: 3,
      });
    });

    it('goes on with a conversation, turn by turn', () => {
      const context = toContext([
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: 'hello' },
      ]);

      expect(call({ template, context })?.body).to.include({
        prompt: '<u>hi</u><a>hello</a><u>and you?</u><a>',
      });
    });

    it('has no place for images', () => {
      expect(() => call({ template, images: ['iVBOR'] })).to.throw(RequestError, /images/);
    });
  });
});
