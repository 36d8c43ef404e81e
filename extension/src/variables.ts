/** VS Code's variables, where no debug session starts and so VS Code does not substitute them. Nothing here depends on VS Code. */

export interface Values {
    readonly workspaceFolder: string | undefined;
    readonly userHome: string;
    readonly env: Readonly<Record<string, string | undefined>>;
}

/** Returns a value with ${workspaceFolder}, ${userHome} and ${env:NAME} substituted in all its strings. Other variables stay. */
export function substituted<T>(value: T, values: Values): T {
    return each(value, (text) =>
        text.replace(/\$\{(workspaceFolder|userHome|env:([^}]*))\}/g, (whole, name: string, variable?: string) => {
            switch (name) {
                case 'workspaceFolder':
                    return values.workspaceFolder ?? whole;
                case 'userHome':
                    return values.userHome;
                default:
                    return values.env[variable ?? ''] ?? '';
            }
        }),
    ) as T;
}

/** Returns a configuration without the attributes that need a question to the user. */
export function withoutQuestions<T extends Readonly<Record<string, unknown>>>(configuration: T): Partial<T> {
    return Object.fromEntries(Object.entries(configuration).filter(([, value]) => typeof value !== 'string' || !/\$\{(?:command|input):/.test(value))) as Partial<T>;
}

function each(value: unknown, change: (text: string) => string): unknown {
    if (typeof value === 'string') {
        return change(value);
    }
    if (Array.isArray(value)) {
        return value.map((item) => each(item, change));
    }
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, each(item, change)])) : value;
}
