import { render } from 'preact';
import { startHistory } from './history/player.ts';
import { startLive } from './live/live.ts';
import { App } from './shell/app.tsx';
import './styles/tokens.css';
import './styles/base.css';

await startHistory();
startLive();
const place = document.getElementById('page');
if (place) render(<App />, place);
