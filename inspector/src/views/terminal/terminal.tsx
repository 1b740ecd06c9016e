/** Not there yet. */
export const Terminal = () => <p class="empty">Terminal is not there yet.</p>;
