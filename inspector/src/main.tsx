import { render } from 'preact';
import { startLive } from './live/live.ts';
import { App } from './shell/app.tsx';
import './styles/tokens.css';
import './styles/base.css';

startLive();
const place = document.getElementById('page');
if (place) render(<App />, place);
