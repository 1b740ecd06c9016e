/** What texts of another program's start may have in braces, and what stands for it. */
export const placeholders = {
  port: 'the port that it has to listen at',
  model: 'its `path`',
  name: 'what Corral calls the model',
  device: 'the devices that it may use, as Corral calls them: CUDA0,CUDA1',
  index: 'the numbers of these: 0,1',
  slots: 'how many requests it serves at a time',
  context: 'tokens that one request may use',
  key: 'a key that Corral sends with every request: Authorization: Bearer …',
} as const;

export type Placeholder = keyof typeof placeholders;
export type Values = Readonly<Record<Placeholder, string>>;

/** Braces around a single word; JSON among arguments has quotes in its own. */
const BRACED = /\{([a-z]+)\}/gi;

const isKnown = (name: string): name is Placeholder => Object.hasOwn(placeholders, name);

/** A text with values in place of what is in braces; what has no value stays as it is. */
export const fillIn = (text: string, values: Values): string =>
  text.replaceAll(BRACED, (whole, name: string) => (isKnown(name) ? values[name] : whole));

/** What stands in braces in a text, known or not. */
export const bracedIn = (text: string): readonly string[] =>
  [...text.matchAll(BRACED)].map(([, name = '']) => name);

/** Those that nothing is known of. */
export const strangeIn = (text: string): readonly string[] => bracedIn(text).filter((name) => !isKnown(name));
