/** The page that shows a timeline. Nothing here depends on VS Code. */

import { type Drawn, escaped, picture, seconds } from './picture';

/** The colours are those of the user's theme. */
const style = `
body { padding: 1em 2em; color: var(--vscode-foreground); font-family: var(--vscode-font-family); font-size: var(--vscode-font-size); }
h1 { font-size: 1.3em; font-weight: 600; }
svg { max-width: 900px; width: 100%; }
svg text { fill: var(--vscode-foreground); font-size: 12px; }
svg .name { text-anchor: end; }
svg .axis { text-anchor: middle; fill: var(--vscode-descriptionForeground); }
svg .time { fill: var(--vscode-descriptionForeground); }
svg .tick { stroke: var(--vscode-widget-border, var(--vscode-descriptionForeground)); opacity: 0.4; }
svg .phase { fill: var(--vscode-charts-blue); }
svg .open { fill: var(--vscode-charts-blue); opacity: 0.5; }
svg .failed { fill: var(--vscode-charts-red); }
svg line.moment { stroke: var(--vscode-charts-orange); stroke-dasharray: 3 3; }
svg circle.moment { fill: var(--vscode-charts-orange); }
table { border-collapse: collapse; margin-top: 1em; }
th, td { text-align: left; padding: 0.2em 1.2em 0.2em 0; vertical-align: top; }
th { color: var(--vscode-descriptionForeground); font-weight: normal; }
th, td:nth-child(3) { white-space: nowrap; }
td.number { text-align: right; white-space: nowrap; }
td.moment { color: var(--vscode-charts-orange); }
button { color: var(--vscode-button-foreground); background: var(--vscode-button-background); border: none; padding: 0.5em 1em; margin-top: 1em; cursor: pointer; }
button:hover { background: var(--vscode-button-hoverBackground); }
`;

const head = ['since F5', 'took', 'what', 'evidence'].map((name) => `<th>${name}</th>`).join('');

/**
 * Returns the HTML.
 *
 * @param name of the session
 * @param nonce permits the one script, which sends "export" when the button is pressed
 */
export function page(name: string, timeline: Drawn, nonce: string): string {
    const rows = [
        ...timeline.phases.map(({ start, end, name: what, detail }) => ({ at: start, took: seconds(end - start), what, detail, kind: '' })),
        ...timeline.moments.map(({ at, name: what, detail }) => ({ at, took: '', what, detail, kind: 'moment' })),
    ].sort((a, b) => a.at - b.at);
    const table = rows.map(
        ({ at, took, what, detail, kind }) => `<tr><td class="number">${seconds(at)}</td><td class="number">${took}</td><td class="${kind}">${escaped(what)}</td><td>${escaped(detail)}</td></tr>`,
    );
    return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'">
<style nonce="${nonce}">${style}</style>
</head>
<body>
<h1>Startup of ${escaped(name)}</h1>
${picture(timeline)}
<table><tr>${head}</tr>
${table.join('\n')}
</table>
<button id="export">Export for Perfetto…</button>
<script nonce="${nonce}">
const vscode = acquireVsCodeApi();
document.getElementById('export').addEventListener('click', () => vscode.postMessage('export'));
</script>
</body>
</html>`;
}
