const { compare } = new Intl.Collator('en', { numeric: true });

/** Oldest first: `runner-2` before `runner-10`. */
export const inOrder = <Row extends { readonly id: string }>(rows: readonly Row[]): readonly Row[] =>
  rows.toSorted((a, b) => compare(a.id, b.id));
