/** What a command line gives for an option, by any of its names: the last one counts, as for llama-server. */
export function argumentOf(args: readonly string[], ...names: readonly string[]): string | undefined {
  const at = args.findLastIndex((one) => names.includes(one));
  return at < 0 ? undefined : args[at + 1];
}
