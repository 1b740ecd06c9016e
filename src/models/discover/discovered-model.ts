/** A model that another program keeps on this machine. */
export interface DiscoveredModel {
  /** As that program's users write it: `qwen3:8b`, `user/repo:Q4_K_M`. */
  readonly name: string;
  readonly aliases: readonly string[];
  /** The GGUF file; of a split file the first part. */
  readonly path: string;
  readonly projectorPath: string | null;
  readonly adapterPaths: readonly string[];
  /** Tokens per request, where the store names them. */
  readonly contextTokens: number | null;
  /** llama-server arguments that follow from the store. */
  readonly args: readonly string[];
  /** What the store says of the model and llama-server cannot be told: `template`, `stop`. */
  readonly leftOut: readonly string[];
}

export interface Discovery {
  readonly models: readonly DiscoveredModel[];
  /** What could not be read, and why; the rest is found nevertheless. */
  readonly warnings: readonly string[];
}

/** A model of which nothing is known but its files. */
export const plainModel = (name: string, path: string, projectorPath: string | null): DiscoveredModel => ({
  name,
  aliases: [],
  path,
  projectorPath,
  adapterPaths: [],
  contextTokens: null,
  args: [],
  leftOut: [],
});
