import type { ExpectationFailure } from 'corral/simulation';
import { formatTime } from 'corral/timeline';

/** What did not come as expected, with what was decided around that time. */
export function Failures({ failures }: { readonly failures: readonly ExpectationFailure[] }) {
  if (failures.length === 0) return null;
  return (
    <ul class="failures">
      {failures.map(({ expectation, message, atMs, decisions }) => (
        <li key={`${expectation} ${message}`}>
          <p class="bad">
            <code>{expectation}</code> {message}
            {atMs !== null && ` (at ${formatTime(atMs)})`}
          </p>
          {decisions.length > 0 && (
            <ol>
              {decisions.map(({ seq, atMs: at, kind, model, reason }) => (
                <li key={seq}>
                  {formatTime(at)} {kind} {model}: {reason}
                </li>
              ))}
            </ol>
          )}
        </li>
      ))}
    </ul>
  );
}
