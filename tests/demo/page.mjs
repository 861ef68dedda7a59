// Takes Chromium to the page of the server at URL, leaves a picture of it, and says what ran over what, by its own net log.
//
//   node page.mjs chromium PICTURE
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { launch, port, url } from '../e2e/browser.mjs';

const page = await launch('demo');
let facts;
try {
  await page.goto(`${url}/`);
  facts = await page.run(async () => {
    const { dataset } = document.documentElement;
    while (!dataset.result) await new Promise((done) => setTimeout(done, 20));
    const text = (id) => document.getElementById(id).textContent;
    // some traffic, so that there is something to see
    while (Number(text('messages')) < 40) await new Promise((done) => setTimeout(done, 20));
    return { result: dataset.result, checks: document.querySelectorAll('#checks li').length, verdict: text('verdict'),
      protocol: text('protocol'), security: text('security'), compression: text('compression') };
  });
  await writeFile(process.argv[3], await page.browser.screenshot());
} finally {
  await page.browser.close();
}
const { connections, sockets, requests } = await page.browser.protocols(port);
const streams = [...sockets, ...requests].filter(({ protocol }) => protocol === 'h2');

const line = (what, text) => console.log(`  ${what.padEnd(14)} ${text}`);
line('browser', page.browser.version);
line('page', `${facts.protocol}, ${facts.security}; ${facts.checks} checks in the page: ${facts.verdict}`);
line('WebSockets', `${sockets.length}, ${facts.compression}`);
line('requests', `${requests.length}`);
line('its net log', `${streams.length} streams on ${connections.length} connection${connections.length === 1 ? '' : 's'}`);
line('picture', process.argv[3]);
assert.equal(facts.result, 'ok', 'the result of the page');
assert.equal(connections.length, 1, 'all of it was one connection');
assert.equal(streams.length, sockets.length + requests.length, 'all of it was HTTP/2');
