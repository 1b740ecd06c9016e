/** Not there yet. */
export const Timeline = () => <p class="empty">Timeline is not there yet.</p>;
