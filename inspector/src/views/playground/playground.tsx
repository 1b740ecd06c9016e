/** Not there yet. */
export const Playground = () => <p class="empty">Playground is not there yet.</p>;
