import type * as vscode from 'vscode';

/** The levels of a log, as VS Code's own channels have them. */
export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** Where the extension, its backend and the debug sessions write what they do: the output channel "Envoy". */
export type Log = Pick<vscode.LogOutputChannel, Level | 'show' | 'logLevel'>;
