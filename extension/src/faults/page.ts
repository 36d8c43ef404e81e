/** Finds the place in a page that explains an error. Nothing here depends on VS Code. */

/**
 * Returns the anchor that VS Code's preview gives to the heading that begins with a word: for "ed1203",
 * "### ED1203 The local program is …" is ed1203-the-local-program-is-…. Empty if there is none.
 */
export function anchor(markdown: string, word: string): string {
    const heading = markdown.split('\n').find((line) => new RegExp(`^#+ ${word}\\b`, 'i').test(line));
    return (heading ?? '')
        .replace(/^#+ /, '')
        .trim()
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-');
}
