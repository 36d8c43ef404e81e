/** Nothing here depends on VS Code. */

/** A value of the user's that may be of any type; what is no string, or empty, is not set. */
export function nonEmptyString(value: unknown): string | undefined {
    return typeof value === 'string' && value !== '' ? value : undefined;
}
