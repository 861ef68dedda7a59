// Drives a browser against the test host at URL (with-host.sh sets it), and proves from the browser's own log what ran where.
//
//   node run.mjs chromium|firefox [--short]
//
// SCRATCH is a folder for its profile and its log.
import assert from 'node:assert/strict';
import { finish, http2, launch, port, step, url } from './browser.mjs';
import { long, shared, short } from './cases.mjs';

const page = await launch(http2 ? 'http2' : 'http1');
console.log(`      ${page.browser.version}`);
let stats;
try {
  await page.goto(`${url}/`);
  const cases = process.argv.includes('--short') ? short : http2 ? { ...long, ...shared } : long;
  for (const [name, action] of Object.entries(cases)) await step(name, () => action(page, { http2 }));
  // what a page opens by itself must be through before it is counted
  await page.run(async () => { while (!document.documentElement.dataset.result) await new Promise((done) => setTimeout(done, 10)); });
  stats = JSON.parse((await page.run(() => e2e.get('/stats'))).body);
} finally {
  await page.browser.close();
}

const { connections, sockets, requests } = await page.browser.protocols(port);
const values = (list, name) => [...new Set(list.map((item) => item[name]))];
if (http2) {
  await step('its own log: all sockets and requests were streams of one HTTP/2 connection', async () => {
    assert.equal(connections.length, 1, `connections in its log: ${JSON.stringify(connections)}`);
    assert.equal(stats.connections, 1, 'connections that the host has seen');
    assert.equal(sockets.length, stats.handshakes, 'sockets in its log, and handshakes that the host has seen');
    assert.ok(sockets.length >= 30, `${sockets.length} sockets in its log`);
    assert.deepEqual(values([...sockets, ...requests], 'protocol'), ['h2']);
    assert.equal(values([...sockets, ...requests], 'from').length, 1, 'sockets and requests had the same session');
    const streams = [...sockets, ...requests].map(({ stream }) => stream);
    assert.equal(new Set(streams).size, streams.length, 'each had a stream of its own');
    return `${sockets.length} sockets, ${requests.length} requests, streams ${Math.min(...streams)} to ${Math.max(...streams)}`;
  });
} else {
  await step('its own log: all sockets were HTTP/1.1 with Upgrade', async () => {
    assert.equal(sockets.length, stats.handshakes, 'sockets in its log, and handshakes that the host has seen');
    assert.deepEqual(values([...sockets, ...requests], 'protocol'), ['http/1.1']);
    assert.ok(sockets.every(({ stream }) => stream === undefined), 'none had a stream');
    const open = sockets.filter(({ status }) => status === 101).length;
    assert.ok(open >= 30 && connections.length >= open, `${open} open sockets had ${connections.length} connections: one each`);
    return `${sockets.length} sockets, ${requests.length} requests, ${connections.length} connections`;
  });
}
finish();
