// Takes a browser through the chat at URL: into a room, with a message, an upload and the log that streams, and a second member.
// Leaves a picture, and says what ran over what, by the page and by the browser's own log.
//
//   node chat.mjs chromium|firefox PICTURE      STOCK=1: the sockets are to be HTTP/1.1
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { launch, port, url, which } from '../e2e/browser.mjs';

const page = await launch(which);
// The page's own elements, as a user has them. Functions run in the page; `until` waits for what it shows.
const facts = {};
try {
  await page.goto(`${url}/`);
  await page.run(() => {
    window.until = (what) => new Promise((done) => {
      const timer = setInterval(() => { if (what()) { clearInterval(timer); done(); } }, 20);
    });
    window.fill = (id, text) => { document.getElementById(id).value = text; };
    window.events = () => [...document.querySelectorAll('#events li')].map((item) => item.textContent);
  });
  await page.run(async () => {
    await until(() => document.documentElement.dataset.ready);
    fill('name', 'Ada');
    document.getElementById('join').requestSubmit();
    await until(() => document.documentElement.dataset.room === 'lobby' && events().some((text) => /Ada comes in/.test(text)));
  });
  // a second member, on a socket of the same page
  await page.run(async () => {
    const socket = new WebSocket(`wss://${location.host}/rooms/lobby?name=Grace`);
    await until(() => socket.readyState === WebSocket.OPEN && events().some((text) => /Grace comes in/.test(text)));
    const say = async (text) => {
      fill('text', text);
      document.getElementById('say').requestSubmit();
      await until(() => events().some((event) => event.includes(text)));
    };
    const answer = async (text) => {
      socket.send(text);
      await until(() => events().some((event) => event.includes(text)));
    };
    await say('Hello, is anybody here?');
    await answer('Welcome to the lobby.');
    await say('How many connections does this page have?');
    await answer('Look at the panel: it counts them while we talk.');
    const files = new DataTransfer();
    files.items.add(new File([new Uint8Array(70_000).fill(46)], 'plan.bin'));
    document.getElementById('file').files = files.files;
    document.getElementById('upload').requestSubmit();
    await until(() => /arrived/.test(document.getElementById('uploaded').textContent));
    await until(() => events().some((event) => event.includes('plan.bin')));
    await until(() => document.getElementById('log').textContent.includes('plan.bin'));
    await answer('And the file is here too.');
  });
  Object.assign(facts, await page.run(() => ({
    verdict: document.getElementById('verdict').textContent, uploaded: document.getElementById('uploaded').textContent,
    lanes: [...document.querySelectorAll('.lane')].map((lane) => `${lane.querySelector('b').textContent}: ${lane.querySelector('span').textContent}`),
  })));
  await writeFile(process.argv[3], await page.browser.screenshot());
} finally {
  await page.browser.close();
}
const { connections, sockets, requests } = await page.browser.protocols(port);

const line = (what, text) => console.log(`  ${what.padEnd(12)} ${text}`);
const over = (list) => [...new Set(list.map(({ protocol }) => protocol))].join(', ');
line('browser', page.browser.version);
for (const [at, lane] of facts.lanes.entries()) line(at ? '' : 'page says', lane);
line('', facts.verdict.replace(/^(\d+ connections?)/, '$1. '));
line('upload', facts.uploaded);
line('its own log', `${connections.length} connection${connections.length === 1 ? '' : 's'}, ${over([...requests, ...sockets])}`);
for (const { path, protocol, stream, from, status } of [...requests, ...sockets]) {
  line('', `${protocol}${stream ? ` stream ${stream}` : ''} from ${from ?? '(its own)'}: ${sockets.some((s) => s.path === path) ? 'WebSocket ' : ''}${path} ${status ?? ''}`);
}
line('picture', process.argv[3]);
assert.equal(sockets.length, 2, 'two sockets');
assert.equal(over(requests), 'h2', 'requests are HTTP/2');
if (process.env.STOCK === '1') {
  assert.equal(over(sockets), 'http/1.1', "on Pekko's own server sockets are HTTP/1.1");
} else {
  assert.equal(over(sockets), 'h2', 'sockets are streams of HTTP/2');
  assert.equal(connections.length, 1, 'all of it is one connection');
}
