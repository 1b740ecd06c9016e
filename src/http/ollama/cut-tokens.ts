/**
 * The first tokens, and the marks that end a text where the model has such: `marks` are the tokens of an empty text, some of which
 * stand before every text, and the others after it. All of them where they are no more than `limit`.
 */
export function cutTokens(
  tokens: readonly number[],
  marks: readonly number[],
  limit: number,
): readonly number[] {
  if (tokens.length <= limit) return tokens;
  const after = marks.findIndex((_, at) => {
    const ending = marks.slice(at);
    return ending.every((mark, i) => tokens[tokens.length - ending.length + i] === mark);
  });
  const ending = after === -1 ? [] : marks.slice(after);
  return [...tokens.slice(0, Math.max(0, limit - ending.length)), ...ending];
}

/** The tokens in the JSON text of a runner's reply; none in one that says nothing of them. */
export function readTokens(json: Uint8Array): readonly number[] {
  const tokens = tokensOf(json);
  return Array.isArray(tokens) && tokens.every(Number.isInteger) ? (tokens as number[]) : [];
}

function tokensOf(json: Uint8Array): unknown {
  try {
    const reply: unknown = JSON.parse(new TextDecoder().decode(json));
    return typeof reply === 'object' && reply !== null && 'tokens' in reply ? reply.tokens : null;
  } catch {
    return null;
  }
}
