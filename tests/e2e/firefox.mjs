// Firefox over WebDriver BiDi, which it speaks itself on a WebSocket of its own: no driver, no package.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TEXT, WebSocket, within } from '../examples/websocket.mjs';
import { readMozLog } from './moz_log.mjs';

// Whatever it would ask of hosts of its maker, off, and connections on suspicion: one that no request needs would be
// counted with those that carry something.
const PREFERENCES = {
  'app.normandy.enabled': false, 'app.update.disabledForTesting': true, 'browser.aboutwelcome.enabled': false,
  'browser.region.network.url': '', 'browser.safebrowsing.downloads.enabled': false, 'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false, 'browser.search.update': false, 'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore', 'browser.startup.page': 0, 'datareporting.policy.dataSubmissionEnabled': false,
  'dom.push.connection.enabled': false, 'extensions.getAddons.cache.enabled': false, 'extensions.systemAddon.update.enabled': false,
  'extensions.update.enabled': false, 'network.captive-portal-service.enabled': false, 'network.connectivity-service.enabled': false,
  'network.http.connection-retry-timeout': 0, 'network.http.speculative-parallel-limit': 0, 'network.prefetch-next': false, 'security.OCSP.enabled': 0, 'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'toolkit.telemetry.enabled': false, 'toolkit.telemetry.reportingpolicy.firstRun': false,
};

export class Firefox {
  name = 'Firefox';
  #replies = new Map();
  #count = 0;

  /** A new browser with a profile of its own in `scratch`. */
  static async launch(scratch) {
    const browser = new Firefox();
    browser.scratch = scratch;
    const profile = join(scratch, 'profile');
    await mkdir(profile);
    await writeFile(join(profile, 'user.js'), Object.entries(PREFERENCES)
      .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`).join(''));
    const child = spawn(process.env.FIREFOX ?? 'firefox-esr',
      ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0', 'about:blank'],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: scratch, MOZ_LOG: 'timestamp,sync,nsHttp:5,nsWebSocket:5',
        MOZ_LOG_FILE: join(scratch, 'moz'), MOZ_CRASHREPORTER_DISABLE: '1' } });
    browser.child = child;
    process.once('exit', () => child.kill('SIGKILL')); // a test that dies leaves none behind
    browser.log = '';
    browser.exited = once(child, 'exit').then(() => browser.#fail('it ended'), (error) => browser.#fail(error.message));
    const lines = createInterface(child.stderr);
    const listening = new Promise((resolve) => lines.on('line', (line) => {
      browser.log = `${browser.log}${line}\n`.slice(-20_000);
      const [, url] = /^WebDriver BiDi listening on (ws:\S+)/.exec(line) ?? [];
      if (url) resolve(url);
    }));
    const gone = browser.exited.then(() => { throw new Error(`Firefox ended: ${browser.log}`); });
    gone.catch(() => {});
    const address = await within(Promise.race([listening, gone]), 'the start of Firefox', 60_000);
    browser.socket = await upgrade(`${address}/session`.replace('ws:', 'http:'));
    browser.#read();
    const { capabilities } = await browser.#send('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
    browser.version = `Firefox/${capabilities.browserVersion}`;
    const { contexts } = await browser.#send('browsingContext.getTree');
    browser.context = contexts[0].context;
    return browser;
  }

  #fail(why) {
    for (const { reject } of this.#replies.values()) reject(new Error(`Firefox: ${why}: ${this.log}`));
    this.#replies.clear();
  }

  async #read() {
    for (;;) {
      const frame = await this.socket.next(0).catch(() => null);
      if (frame?.opcode !== TEXT) return this.#fail('its control socket ended');
      const message = JSON.parse(frame.data.toString());
      const waiting = this.#replies.get(message.id);
      if (!waiting) continue;
      this.#replies.delete(message.id);
      if (message.type === 'error') waiting.reject(new Error(`Firefox: ${message.error}: ${message.message}`));
      else waiting.resolve(message.result);
    }
  }

  #send(method, params = {}) {
    const id = ++this.#count;
    const reply = new Promise((resolve, reject) => this.#replies.set(id, { resolve, reject }));
    this.socket.send(TEXT, JSON.stringify({ id, method, params }));
    return within(reply, `Firefox: ${method}`, 40_000);
  }

  async goto(url) { await this.#send('browsingContext.navigate', { context: this.context, url, wait: 'complete' }); }

  async reload() { await this.#send('browsingContext.reload', { context: this.context, wait: 'complete' }); }

  /** The value of an expression in the page, awaited. */
  async evaluate(expression) {
    // A value that is JSON text, not BiDi's own description of it.
    const { type, result, exceptionDetails } = await this.#send('script.evaluate', {
      expression: `(async () => JSON.stringify({ value: await (${expression}) }))()`, target: { context: this.context },
      awaitPromise: true, userActivation: true });
    if (type === 'exception') throw new Error(exceptionDetails.text);
    return JSON.parse(result.value).value;
  }

  async screenshot() {
    const { data } = await this.#send('browsingContext.captureScreenshot', { context: this.context });
    return Buffer.from(data, 'base64');
  }

  /** Ends it; its log is whole afterwards. */
  async close() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.#send('browser.close').catch(() => {});
    await within(this.exited, 'the end of Firefox').catch(() => this.child.kill('SIGKILL'));
    await this.exited;
  }

  /** What its log says about `origin`, after close(). */
  async protocols(origin) {
    const files = (await readdir(this.scratch)).filter((name) => name.startsWith('moz'));
    return readMozLog(await Promise.all(files.map((name) => readFile(join(this.scratch, name), 'utf8'))), origin);
  }
}

/** A WebSocket over HTTP/1.1, for the browser's control. */
async function upgrade(url) {
  const asked = request(url, { headers: { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13',
    'sec-websocket-key': 'aDJ3cyBzYXlzIGhlbGxvIQ==' } });
  asked.end();
  const [response, socket, head] = await within(once(asked, 'upgrade'), 'the control socket of Firefox');
  if (head.length > 0) socket.unshift(head);
  return new WebSocket(socket, response.headers);
}
