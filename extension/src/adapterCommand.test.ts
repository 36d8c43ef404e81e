import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { adapterCommand, type Settings } from './adapterCommand';

const unset: Settings = { adapterPath: '', lldbDap: '', log: '', workspaceFolder: '' };

suite('the command line of the adapter', () => {
    test('without settings is the envoydbg of the extension', () => {
        assert.deepEqual(adapterCommand({}, unset, '/ext'), { command: '/ext/bin/envoydbg', args: ['dap', '--phase-events'], cwd: undefined });
    });

    test('takes envoydbg and the log file from the settings', () => {
        assert.deepEqual(adapterCommand({}, { ...unset, adapterPath: '/opt/envoydbg', log: '/var/log/dap' }, '/ext'), {
            command: '/opt/envoydbg',
            args: ['dap', '--phase-events', '--log', '/var/log/dap'],
            cwd: undefined,
        });
    });

    test('runs in the workspace folder, and names it as the place of the sources', () => {
        const { args, cwd } = adapterCommand({}, { ...unset, workspaceFolder: '/home/me/proxy' }, '/ext');
        assert.deepEqual(args, ['dap', '--phase-events', '--work-tree', '/home/me/proxy']);
        assert.equal(cwd, '/home/me/proxy');
    });

    test('takes lldb-dap from the configuration before the setting', () => {
        const settings = { ...unset, lldbDap: '/usr/bin/lldb-dap-19' };
        assert.deepEqual(adapterCommand({}, settings, '/ext').args, ['dap', '--phase-events', '--lldb-dap', '/usr/bin/lldb-dap-19']);
        assert.deepEqual(adapterCommand({ lldbDap: '' }, settings, '/ext').args, ['dap', '--phase-events', '--lldb-dap', '/usr/bin/lldb-dap-19']);
        assert.deepEqual(adapterCommand({ lldbDap: '/usr/bin/lldb-dap-22' }, settings, '/ext').args, ['dap', '--phase-events', '--lldb-dap', '/usr/bin/lldb-dap-22']);
    });

    test('ignores settings of the wrong type', () => {
        const settings = { adapterPath: null, lldbDap: 22, log: true, workspaceFolder: undefined };
        assert.deepEqual(adapterCommand({}, settings, '/ext'), adapterCommand({}, unset, '/ext'));
    });

    test('leaves an attribute of the wrong type to the adapter, which validates them all', () => {
        assert.deepEqual(adapterCommand({ lldbDap: 19 }, unset, '/ext').args, ['dap', '--phase-events']);
    });
});
