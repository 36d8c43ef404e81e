/** What has come back of requests, as a text. Nothing here depends on VS Code. */

import type { Response, Responses } from '../backend/protocol';
import { line } from '../faults/fault';

/** One line that says how it went. */
export function summary({ from, responses, failure }: Responses): string {
    const through = responses.filter(({ envoy }) => envoy).length;
    const [first] = responses;
    if (responses.length === 1 && first !== undefined && failure === undefined) {
        return `${outcome(first)} in ${Math.round(first.milliseconds)} ms, from ${from}, ${first.envoy ? 'through Envoy' : 'not through Envoy'}.`;
    }
    const why = failure === undefined ? '' : ` There are no more: ${line(failure)}`;
    return `${responses.length} responses from ${from}, ${through} of them through Envoy.${why}`;
}

export function responsesText(responses: Responses): string {
    return [summary(responses), ...(responses.notes ?? []), ...responses.responses.flatMap((response) => ['', ...responseLines(response)]), ''].join('\n');
}

function responseLines(response: Response): string[] {
    const { headers = {}, body = '', how, envoy } = response;
    return [
        outcome(response),
        ...(how === undefined ? [] : [`${envoy ? 'Through Envoy' : 'Not through Envoy'}: ${how}`]),
        ...Object.entries(headers).flatMap(([name, values]) => values.map((value) => `${name}: ${value}`)),
        ...(body === '' ? [] : ['', body]),
    ];
}

function outcome({ status, error }: Response): string {
    return error ?? status ?? 'No answer';
}
