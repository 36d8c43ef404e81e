/** How often a backend that has died is started again. Nothing here depends on VS Code. */

const most = 3;
const minutes = 10;

/** Counts deaths, so that a backend that cannot live is not started for ever. */
export class Restarts {
    private deaths: number[] = [];

    /** Whether to start it again after a death at this time, in milliseconds of any clock. */
    allows(now: number): boolean {
        this.deaths = [...this.deaths.filter((death) => now - death < minutes * 60_000), now];
        return this.deaths.length <= most;
    }

    /** The user has changed something, or wants another try. */
    forget(): void {
        this.deaths = [];
    }
}
