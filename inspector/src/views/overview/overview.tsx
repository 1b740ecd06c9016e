import { Decisions } from './decisions.tsx';
import { Devices } from './devices.tsx';
import { Models } from './models.tsx';
import './overview.css';
import { Waiting } from './waiting.tsx';

/** What runs, what waits, and why, at a glance. */
export const Overview = () => (
  <div class="overview">
    <h1 class="unseen">Overview</h1>
    <Devices />
    <Models />
    <Waiting />
    <Decisions />
  </div>
);
