/** zod's text in the words of somebody who writes YAML; what was found is said elsewhere. */
export function inWords(message: string): string {
  const text = message
    .replace(/^Invalid (input|option): |, received .*$/g, '')
    .replace(/expected (record|object)\b/, 'expected keys with values')
    .replace(/expected array\b/, 'expected a list');
  return text.charAt(0).toLowerCase() + text.slice(1);
}
