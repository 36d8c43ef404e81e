/** The commands Envoy: Start Agent and Envoy: Stop Agent, of the session that VS Code shows, else of the oldest that can. */

import { FaultError } from '../faults/fault';
import type { Sessions } from './sessions';

export async function startAgent(sessions: Sessions): Promise<void> {
    const waiting = sessions.all().find(({ state }) => state.kind === 'armed');
    if (waiting === undefined) {
        throw new FaultError({
            what: 'No debug session waits for the start of its agent.',
            do: 'A session does that with "agent": { "start": "manual" }.',
        });
    }
    sessions.agentAsked(waiting.session);
    try {
        await waiting.session.customRequest('startAgent');
    } catch (error) {
        // Any other error ends the startup, and is shown as its end.
        if ((error as Error).message.includes('[ED1311]')) {
            throw error;
        }
    }
}

export async function stopAgent(sessions: Sessions): Promise<void> {
    const running = sessions.all().find(({ agent }) => agent);
    if (running === undefined) {
        throw new FaultError({ what: 'No debug session has started an agent.', do: 'What `envoydbg agent start` has started is ended by `envoydbg agent stop`.' });
    }
    await running.session.customRequest('stopAgent');
}
