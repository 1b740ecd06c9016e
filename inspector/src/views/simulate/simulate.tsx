/** Not there yet. */
export const Simulate = () => <p class="empty">Simulate is not there yet.</p>;
