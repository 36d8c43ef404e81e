import { type Browser, chromium } from 'playwright-core';

/** Starts Debian's Chromium, without a screen. Nothing but loopback can be reached from it. */
export function launchBrowser(): Promise<Browser> {
    return chromium.launch({
        executablePath: '/usr/bin/chromium',
        args: [
            ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
            ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
            '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
        ],
    });
}
