import { type MochaOptions, reporters, type Runner } from 'mocha';

/** Shows the tests as they run, and writes the JUnit report to the file that $JUNIT names, if it names one. */
class Reporter extends reporters.Spec {
    private readonly report: reporters.XUnit | undefined;

    constructor(runner: Runner, options: MochaOptions) {
        super(runner, options);
        const output = process.env['JUNIT'];
        this.report = output === undefined ? undefined : new reporters.XUnit(runner, { ...options, reporterOptions: { output } });
    }

    override done(failures: number, ended: (failures: number) => void): void {
        if (this.report === undefined) {
            ended(failures);
            return;
        }
        this.report.done(failures, ended);
    }
}

// Mocha takes the module itself as the class.
export = Reporter;
