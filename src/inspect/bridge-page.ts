import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { KEY_SUBPROTOCOL, SUBPROTOCOL } from '../ws/wire.ts';

/** Stately's hosted inspector. It reads no WebSocket: the page that it stands in hands it each event. */
const VIEWER = 'https://stately.ai/inspect';

const STYLE = `
:root { color-scheme: light dark } html, body { height: 100%; margin: 0; font: 14px/1.5 system-ui, sans-serif }
body { display: flex; flex-direction: column } iframe { flex: 1; border: 0 }
header { display: flex; flex-wrap: wrap; gap: .4rem 1rem; padding: .4rem .8rem; align-items: baseline }`;

/** It connects when the viewer says that it has started, so that a viewer that starts anew is told everything anew. */
const SCRIPT = `
const viewer = document.querySelector('iframe');
const form = document.querySelector('form');
const say = (text) => (document.querySelector('output').textContent = text);
const base64Url = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)))
  .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
let socket, retry, key = '';
function connect() {
  clearTimeout(retry);
  socket?.close();
  const own = new WebSocket(
    location.origin.replace('http', 'ws') + location.pathname,
    key ? ['${SUBPROTOCOL}', '${KEY_SUBPROTOCOL}' + base64Url(key)] : [],
  );
  let told = -1;
  socket = own;
  own.onopen = () => { told = 0; form.hidden = true; say('connected'); };
  own.onmessage = ({ data }) => {
    viewer.contentWindow.postMessage(JSON.parse(data), new URL(viewer.src).origin);
    say(++told + ' messages');
  };
  own.onclose = () => {
    if (own !== socket) return;
    form.hidden = told >= 0;
    say(told >= 0 ? 'the connection was lost; trying again' : 'Corral cannot be reached, or wants a key');
    retry = setTimeout(connect, 2000);
  };
}
form.onsubmit = (event) => { event.preventDefault(); key = form.elements.key.value; connect(); };
addEventListener('message', ({ source, data }) => {
  if (source === viewer.contentWindow && data?.type === '@statelyai.connected') connect();
});`;

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Corral in Stately's inspector</title><style>${STYLE}</style></head>
<body><header><strong>Corral</strong><output>waiting for ${VIEWER}</output>
<form hidden><label>Key <input name="key" type="password" autocomplete="off"></label> <button>Connect</button></form></header>
<iframe src="${VIEWER}" title="Stately's inspector"></iframe><script>${SCRIPT}</script></body></html>
`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; script-src ${hashOf(SCRIPT)}; style-src ${hashOf(STYLE)}; connect-src 'self'; frame-src ${new URL(VIEWER).origin}; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** Answers with the page in which Stately's hosted inspector shows this Corral; it holds nothing that would need a key. */
export function sendBridgePage(response: ServerResponse): void {
  response.writeHead(200, HEADERS);
  response.end(PAGE);
}
