import { formatTime, type TimeFormat } from 'corral/timeline';

/** Times of day: `20:31:05`, with ms where they are not round. */
export const dayFormat: TimeFormat = {
  moment: (ms) => {
    const text = new Date(ms).toLocaleTimeString('en-GB');
    const rest = Math.round(ms) % 1000;
    return rest === 0 ? text : `${text}.${String(rest).padStart(3, '0')}`;
  },
  duration: (ms) => formatTime(Math.round(ms)),
};

/** Virtual time, which begins at 0. */
export const virtualFormat: TimeFormat = {
  moment: (ms) => formatTime(Math.round(ms)),
  duration: (ms) => formatTime(Math.round(ms)),
};
