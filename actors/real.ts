import type { OuterEffects } from '../machines/effects.ts';
import { createDeviceProbes, type ProbeOptions } from './probes/probe-devices.ts';
import type { ConversationFolder } from './conversations/conversation-folder.ts';
import { createConversations, type ConversationNote } from './conversations/keep-conversations.ts';
import { createReadAhead } from './disk/read-ahead.ts';
import { awaitReady } from './process/await-ready.ts';
import { createWatchUse } from './process/watch-use.ts';
import type { ProcessRegistry } from './process/process-registry.ts';
import { createRunProcess, type ProcessParts } from './process/run-process.ts';
import type { RunnerLogs } from './process/runner-logs.ts';
import type { SocketFolder } from './process/socket-folder.ts';
import { createWatchHealth, type HealthOptions } from './process/watch-health.ts';

export interface RealParts {
  readonly logs: RunnerLogs;
  readonly registry: ProcessRegistry;
  readonly sockets: SocketFolder;
  readonly conversations: ConversationFolder;
  readonly onConversation: (note: ConversationNote) => void;
  readonly embedded: ProcessParts['embedded'];
  readonly env: NodeJS.ProcessEnv;
  readonly llamaServer: string | null;
  readonly health?: HealthOptions;
  readonly onNote: (note: string) => void;
  readonly sharesMainMemory?: ProbeOptions['sharesMainMemory'];
  readonly limits?: ProbeOptions['limits'];
}

/** The effects as they really are: this machine's processes and devices. */
export function createRealEffects({
  llamaServer,
  health,
  onNote,
  onConversation,
  sharesMainMemory,
  limits,
  ...parts
}: RealParts): OuterEffects {
  const { probeDevices, usedByPid } = createDeviceProbes({
    llamaServer,
    onNote,
    env: parts.env,
    ...(sharesMainMemory && { sharesMainMemory }),
    ...(limits && { limits }),
  });
  return {
    runProcess: createRunProcess(parts),
    awaitReady,
    watchHealth: createWatchHealth(health),
    ...createConversations(parts.conversations, onConversation),
    probeDevices,
    readAhead: createReadAhead(),
    watchUse: createWatchUse(usedByPid),
  };
}
