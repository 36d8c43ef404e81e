/** Draws the timeline of a startup. Nothing here depends on VS Code. */

import type { Timeline } from './timeline';

// In pixels.
const width = 900;
const left = 150;
const right = 90;
const top = 34;
const rowHeight = 30;
const barHeight = 16;
/** How many marks the axis has, at most. */
const maxTicks = 8;

/** What is drawn of a timeline. */
export type Drawn = Pick<Timeline, 'phases' | 'moments'>;

/** Returns an SVG: a row for each phase, one for what happened at a moment, and an axis with the time since the start. */
export function picture({ phases, moments }: Drawn): string {
    const end = Math.max(1, ...phases.map((phase) => phase.end), ...moments.map(({ at }) => at));
    const x = (ms: number): number => round(left + (ms / end) * (width - left - right));
    const rows = [...phases.map(({ name }) => name), ...(moments.length > 0 ? [''] : [])];
    const bottom = top + rows.length * rowHeight;
    const parts = [
        ...ticks(end).map((ms) => `<line class="tick" x1="${x(ms)}" x2="${x(ms)}" y1="${top - 6}" y2="${bottom}"/><text class="axis" x="${x(ms)}" y="${top - 12}">${seconds(ms)}</text>`),
        ...phases.map(({ name, start, end: until, detail, failed, open }, row) => {
            const y = top + row * rowHeight;
            return (
                `<g><title>${escaped(detail === '' ? name : `${name}: ${detail}`)}</title>` +
                `<text class="name" x="${left - 10}" y="${y + 19}">${escaped(name)}</text>` +
                `<rect class="${failed ? 'failed' : open ? 'open' : 'phase'}" x="${x(start)}" y="${y + 7}" width="${Math.max(2, round(x(until) - x(start)))}" height="${barHeight}" rx="2"/>` +
                `<text class="time" x="${round(x(until) + 6)}" y="${y + 19}">${seconds(until - start)}</text></g>`
            );
        }),
        ...moments.map(({ at, name, detail }) => {
            const y = top + phases.length * rowHeight + 15;
            return (
                `<g><title>${escaped(detail === '' ? name : `${name}: ${detail}`)}</title>` +
                `<line class="moment" x1="${x(at)}" x2="${x(at)}" y1="${top}" y2="${y}"/><circle class="moment" cx="${x(at)}" cy="${y}" r="5"/></g>`
            );
        }),
    ];
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 14}" role="img" aria-label="Startup of Envoy">\n${parts.join('\n')}\n</svg>`;
}

/** Round times from 0 to the end, equally far from each other. */
export function ticks(end: number): number[] {
    const power = 10 ** Math.floor(Math.log10(end / maxTicks));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => end / candidate <= maxTicks) ?? end;
    return Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => round(index * step));
}

/** A time in milliseconds as people read it. */
export function seconds(ms: number): string {
    return ms === 0 ? '0' : ms < 1000 ? `${ms < 10 ? round(ms) : Math.round(ms)} ms` : `${round(ms / 1000)} s`;
}

/** A text as a part of HTML or SVG. */
export function escaped(text: string): string {
    return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function round(value: number): number {
    return Math.round(value * 10) / 10;
}
