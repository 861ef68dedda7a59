// What the tests of browsers share: which browser and which host, a page with page.js in it, and the report.
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { within } from '../examples/websocket.mjs';
import { Chromium } from './chromium.mjs';
import { Firefox } from './firefox.mjs';

export const which = process.argv[2];
const kind = { chromium: Chromium, firefox: Firefox }[which];
/** The host offers HTTP/2. */
export const http2 = process.env.NO_HTTP2 !== '1';
export const url = process.env.URL.replace('127.0.0.1', 'localhost');
export const port = Number(new URL(url).port);
const script = readFileSync(new URL('page.js', import.meta.url), 'utf8');

let failed = 0;
/** Runs one case and says how it went. */
export async function step(name, action) {
  const title = `${which}${http2 ? '' : ' over HTTP/1.1'}: ${name}`;
  try {
    const more = await within(action(), 'the case', 60_000);
    console.log(`ok    ${title}${more ? `: ${more}` : ''}`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${title}: ${error.message.replaceAll('\n', ' ').slice(0, 2000)}`);
  }
}

/** To be called at the end. */
export function finish() { process.exitCode = failed > 0 ? 1 : 0; }

/** A new browser, its profile and its log in the folder `name` of SCRATCH, and the page in it. */
export async function launch(name) {
  const scratch = join(process.env.SCRATCH, name);
  await mkdir(scratch, { recursive: true });
  const browser = await kind.launch(scratch, readFileSync(process.env.TLS_CERT));
  const prepare = () => browser.evaluate(`(0, eval)(${JSON.stringify(script)}), true`);
  return {
    browser,
    async goto(to) { await browser.goto(to); await prepare(); },
    async reload() { await browser.reload(); await prepare(); },
    /** Calls a function in the page; arguments and result cross as JSON. */
    run(action, ...values) { return browser.evaluate(`(${action})(...${JSON.stringify(values)})`); },
  };
}
