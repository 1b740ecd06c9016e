/** Not there yet. */
export const Overview = () => <p class="empty">Overview is not there yet.</p>;
