/** Not there yet. */
export const Charts = () => <p class="empty">Charts is not there yet.</p>;
