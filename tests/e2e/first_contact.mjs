// What a browser does when its first contact with the host is a WebSocket, and when it comes from a page of another site.
//
//   node first_contact.mjs chromium|firefox
//
// Chromium has no HTTP/2 session to put the first one on, and opens an HTTP/1.1 connection for it; sessions belong to the site of
// the page, so a page of another site cannot use the one that is there. Firefox opens an HTTP/2 connection for a socket.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { finish, http2, launch, port, step, url, which } from './browser.mjs';

// On loopback like the host: browsers ask before a page from elsewhere may reach into the local network.
const elsewhere = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<title>another site</title>'));
elsewhere.listen(0, '127.0.0.1');
await once(elsewhere, 'listening');

const page = await launch('first-contact');
const echo = (path) => step(`a socket at ${path}`, async () => {
  const to = `${url.replace('https', 'wss')}${path}`;
  assert.equal(await page.run(async (to) => e2e.echo(await e2e.open(to), 'hello'), to), true);
});
try {
  await page.goto(`http://127.0.0.1:${elsewhere.address().port}/`);
  await echo('/echo?first');
  await page.goto(`${url}/hello`);
  await echo('/echo?own-page');
  await page.goto(`http://127.0.0.1:${elsewhere.address().port}/`);
  await echo('/echo?another-site');
} finally {
  await page.browser.close();
  elsewhere.close();
}

const { sockets } = await page.browser.protocols(port);
await step('its own log says what each ran over', async () => {
  const of = (path) => sockets.find((socket) => socket.path === path) ?? assert.fail(`${path} is not in its log`);
  const [first, own, another] = ['/echo?first', '/echo?own-page', '/echo?another-site'].map(of);
  const expected = { chromium: ['http/1.1', 'h2', 'http/1.1'], firefox: ['h2', 'h2', 'h2'] }[which];
  assert.deepEqual([first, own, another].map(({ protocol }) => protocol), http2 ? expected : Array(3).fill('http/1.1'));
  if (http2) assert.notEqual(first.from, own.from, 'sites share no connection');
  if (http2 && which === 'firefox') assert.equal(another.from, first.from, 'the other site has its own connection again');
  return [first, own, another].map(({ path, protocol }) => `${path} ${protocol}`).join(', ');
});
finish();
