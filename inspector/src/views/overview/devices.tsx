import { memo } from 'preact/compat';
import { formatBytes } from '../../parts/format-bytes.ts';
import { stateWord } from '../../parts/state-mark.tsx';
import type { Device } from '../../live/picture.ts';
import { shown } from '../../live/shown.ts';
import { pause, resume } from '../../shell/actions.ts';
import './devices.css';
import { barOf, type Segment } from './segments.ts';

/** Each device as a bar of memory, with the runners in it. */
export const Devices = () => (
  <section class="panel devices" aria-labelledby="devices-title">
    <h2 id="devices-title">Devices</h2>
    {shown.devices.value.length === 0 && <p class="empty">No device is known yet.</p>}
    {shown.devices.value.map((device) => (
      <DeviceBar key={device.id} device={device} />
    ))}
  </section>
);

function DeviceBar({ device }: { readonly device: Device }) {
  const { limit, segments, freeBytes } = barOf(device, shown.runners.value);
  const { id, name, totalBytes, limitBytes, reservedBytes, claimedBytes, othersBytes, sharesMainMemory } =
    device;
  const pauseWord = device.pause === null ? null : pauseWords[device.pause];
  const facts = [
    ['reserved', formatBytes(reservedBytes)],
    ['other programs', formatBytes(othersBytes)],
    ['room', formatBytes(freeBytes)],
    // Last, since it comes and goes.
    ...(claimedBytes > 0 ? [['promised', formatBytes(claimedBytes)]] : []),
  ];
  return (
    <div class="device">
      <div class="device-head">
        <h3>
          {id} <span class="device-name">{name}</span>
          {pauseWord !== null && <span class="device-paused">{pauseWord}</span>}
        </h3>
        <span class="device-size">
          {limitBytes < totalBytes && `${formatBytes(limitBytes)} for Corral, of `}
          {formatBytes(totalBytes)}
          {sharesMainMemory && ' of main memory'}
        </span>
        <PauseButton device={device} />
      </div>
      <ul class="bar" aria-label={`Memory of ${id}`}>
        {segments.map((segment) => (
          <BarSegment key={segment.id} segment={segment} />
        ))}
        {limit !== null && <li class="bar-limit" style={{ left: `${limit * 100}%` }} aria-label="Limit" />}
      </ul>
      <dl class="device-facts">
        {facts.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

const pauseWords = {
  queueing: 'paused: requests that need it wait',
  refusing: 'paused: requests that need it are refused',
} as const;

/** Gives it to a render or a game, and takes it back. */
function PauseButton({ device: { id, pause: paused } }: { readonly device: Device }) {
  return paused === null ? (
    <button type="button" title={`What is loaded on ${id} finishes and goes`} onClick={() => pause(id)}>
      Pause
    </button>
  ) : (
    <button type="button" title={`Corral uses ${id} again`} onClick={() => resume(id)}>
      Resume
    </button>
  );
}

const otherWords = { claimed: 'promised', others: 'other programs' } as const;

interface SegmentProps {
  readonly segment: Segment;
}

const isSameSegment = ({ segment: a }: SegmentProps, { segment: b }: SegmentProps): boolean =>
  a.runner === b.runner &&
  a.start === b.start &&
  a.size === b.size &&
  a.held === b.held &&
  a.bytes === b.bytes;

const BarSegment = memo(({ segment }: SegmentProps) => {
  const { kind, start, size, bytes, runner, held } = segment;
  const label = kind === 'runner' ? (runner?.model ?? '') : otherWords[kind];
  const detail = runner ? `${formatBytes(bytes)} · ${stateWord(runner.state)}` : formatBytes(bytes);
  return (
    <li
      class="segment"
      data-kind={kind}
      data-state={runner?.state}
      style={{ '--start': start, width: `${size * 100}%` }}
      title={`${label}, ${detail}${runner ? `: ${runner.reason}` : ''}`}
    >
      <span class="segment-held" style={{ transform: `scaleX(${held})` }} />
      <span class="segment-label">{label}</span>
      <span class="segment-detail">{detail}</span>
    </li>
  );
}, isSameSegment);
