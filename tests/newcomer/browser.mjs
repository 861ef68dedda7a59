// A new user looks with a browser: Chromium's own log says what its socket was sent over.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Chromium } from '../e2e/chromium.mjs';

export const chromium = spawnSync(process.env.CHROMIUM ?? 'chromium', ['--version']).status === 0;

// Opens whatever page there is at the root, and in it a WebSocket, which is to echo.
export async function visit(port, path, certificate) {
  const scratch = mkdtempSync(join(tmpdir(), 'h2ws-newcomer-browser-'));
  try {
    const browser = await Chromium.launch(scratch, readFileSync(certificate));
    try {
      await browser.goto(`https://localhost:${port}/`);
      const heard = await browser.evaluate(`new Promise((done, fail) => {
        const socket = new WebSocket('wss://localhost:${port}${path}');
        socket.onerror = () => fail(new Error('no WebSocket'));
        socket.onopen = () => socket.send('grüß dich');
        socket.onmessage = ({ data }) => {
          socket.onclose = ({ code }) => done([data, code]);
          socket.close(1000);
        };
      })`);
      assert.deepEqual(heard, ['grüß dich', 1000], 'what the page heard');
    } finally {
      await browser.close();
    }
    const { connections, sockets } = await browser.protocols(port);
    assert.deepEqual(sockets.map(({ protocol }) => protocol), ['h2'], "sockets in Chromium's log");
    assert.equal(connections.length, 1, 'page and socket are one connection');
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
