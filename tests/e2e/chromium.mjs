// Chromium over the DevTools protocol. It goes through two pipes (--remote-debugging-pipe): no port, no driver, no package.
import { spawn } from 'node:child_process';
import { X509Certificate, createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { within } from '../examples/websocket.mjs';
import { readNetLog } from './net_log.mjs';

const FLAGS = [
  '--headless=new', '--disable-gpu', '--disable-quic', '--no-first-run', '--no-default-browser-check', '--disable-sync',
  // Without these it looks for hosts of its maker at every start.
  '--disable-background-networking', '--disable-component-update', '--disable-client-side-phishing-detection',
  '--disable-default-apps', '--disable-features=OptimizationHints,MediaRouter,Translate', '--metrics-recording-only',
  '--disable-dev-shm-usage', '--remote-debugging-pipe', '--window-size=1280,1000', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];
// No connections on suspicion (2: never): one that no request needs would be counted with those that carry something.
const PREFERENCES = { net: { network_prediction_options: 2 } };

// Trust in this one key, and no other: everything else about certificates stays as users have it.
function trust(pem) {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`;
}

export class Chromium {
  name = 'Chromium';
  #replies = new Map();
  #count = 0;
  #rest = '';

  /** A new browser with a profile of its own in `scratch`; `pem` is the certificate that it is to trust. */
  static async launch(scratch, pem, flags = []) {
    const browser = new Chromium();
    browser.netLog = join(scratch, 'net-log.json');
    await mkdir(join(scratch, 'profile', 'Default'), { recursive: true });
    await writeFile(join(scratch, 'profile', 'Default', 'Preferences'), JSON.stringify(PREFERENCES));
    const own = process.getuid() === 0 ? ['--no-sandbox'] : []; // its sandbox refuses to run as root
    const child = spawn(process.env.CHROMIUM ?? 'chromium', [...FLAGS, ...own, ...flags, trust(pem),
      `--user-data-dir=${join(scratch, 'profile')}`, `--log-net-log=${browser.netLog}`, 'about:blank'],
    { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'], env: { ...process.env, HOME: scratch } });
    browser.child = child;
    process.once('exit', () => child.kill('SIGKILL')); // a test that dies leaves none behind
    browser.log = '';
    child.stderr.on('data', (chunk) => { browser.log = (browser.log + chunk).slice(-20_000); });
    child.stdio[3].on('error', () => {}); // it is gone; what waits for it says so
    browser.exited = once(child, 'exit').then(() => browser.#fail('it ended'), (error) => browser.#fail(error.message));
    child.stdio[4].setEncoding('utf8').on('data', (text) => browser.#take(text));
    const { product } = await within(browser.#send('Browser.getVersion'), 'the start of Chromium');
    browser.version = product;
    const { targetInfos } = await browser.#send('Target.getTargets');
    const { targetId } = targetInfos.find((target) => target.type === 'page');
    browser.target = targetId;
    ({ sessionId: browser.session } = await browser.#send('Target.attachToTarget', { targetId, flatten: true }));
    await browser.page('Page.enable');
    return browser;
  }

  #fail(why) {
    for (const { reject } of this.#replies.values()) reject(new Error(`Chromium: ${why}: ${this.log}`));
    this.#replies.clear();
  }

  #take(text) {
    const parts = (this.#rest + text).split('\0');
    this.#rest = parts.pop();
    for (const message of parts.map((part) => JSON.parse(part))) {
      const waiting = this.#replies.get(message.id);
      if (!waiting) {
        this.onEvent?.(message);
        continue;
      }
      this.#replies.delete(message.id);
      if (message.error) waiting.reject(new Error(`Chromium: ${message.error.message}`));
      else waiting.resolve(message.result);
    }
  }

  #send(method, params = {}, sessionId = undefined) {
    const id = ++this.#count;
    const reply = new Promise((resolve, reject) => this.#replies.set(id, { resolve, reject }));
    this.child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return within(reply, `Chromium: ${method}`, 40_000);
  }

  /** A command to the page. */
  page(method, params) { return this.#send(method, params, this.session); }

  async goto(url) {
    const { errorText } = await this.page('Page.navigate', { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await this.evaluate(`new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))`);
  }

  async reload() {
    const loaded = new Promise((done) => { this.onEvent = ({ method }) => { if (method === 'Page.loadEventFired') done(); }; });
    await this.page('Page.reload');
    await within(loaded, 'the reload');
    this.onEvent = undefined;
  }

  /** The value of an expression in the page, awaited. */
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.page('Runtime.evaluate',
      { expression, awaitPromise: true, returnByValue: true, userGesture: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async screenshot() {
    const { cssContentSize: { width, height } } = await this.page('Page.getLayoutMetrics');
    const { data } = await this.page('Page.captureScreenshot',
      { format: 'png', captureBeyondViewport: true, clip: { x: 0, y: 0, width, height, scale: 1 } });
    return Buffer.from(data, 'base64');
  }

  /** Ends it; its net log is whole afterwards. */
  async close() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.#send('Browser.close').catch(() => {});
    await within(this.exited, 'the end of Chromium').catch(() => this.child.kill('SIGKILL'));
    await this.exited;
  }

  /** What the net log says about `origin`, after close(). */
  async protocols(origin) { return readNetLog(JSON.parse(await readFile(this.netLog, 'utf8')), origin); }
}
