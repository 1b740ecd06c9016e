/** Where inspectors connect, and where the page with the hosted one is. */
export const INSPECT_PATH = '/inspect';
