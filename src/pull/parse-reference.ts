/** What is to be pulled. */
export interface Reference {
  /** `user/repo`. */
  readonly repo: string;
  /** A quantisation, or a file's name without extension; null when Corral is to choose. */
  readonly wanted: string | null;
}

const REFERENCE = /^hf:([\w][\w.-]*\/[\w][\w.-]*)(?::([\w][\w.-]*))?$/;

/** Reads `hf:user/repo` or `hf:user/repo:Q4_K_M`. Throws an Error that shows the form. */
export function parseReference(text: string): Reference {
  const [, repo, wanted] = REFERENCE.exec(text) ?? [];
  if (repo === undefined || repo.includes('..'))
    throw new Error(`'${text}' is no model of the hub: write hf:user/repo or hf:user/repo:Q4_K_M.`);
  return { repo, wanted: wanted ?? null };
}
