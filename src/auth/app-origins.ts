/** What no web site can have: programs that show pages of their own, and extensions of the browser. */
const SCHEMES =
  /^(?:app|file|tauri|vscode-webview|vscode-file|chrome-extension|moz-extension|safari-extension|safari-web-extension|ms-browser-extension):\/\//i;
/** Whatever serves pages on this machine. */
const LOCAL = /^https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d{1,5})?$/i;

/** Whether an origin is one of those that Ollama lets call without being told of them. */
export const isAppOrigin = (origin: string | undefined): boolean =>
  origin !== undefined && (SCHEMES.test(origin) || LOCAL.test(origin));
