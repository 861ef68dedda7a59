// Does what a new user does: makes a fresh Maven project for each quick start of the documentation, with the dependency and the
// program that stand there, takes the jars from a repository that `make install-jars REPO=` has made, starts the program, opens
// WebSockets over HTTP/2, by Node and over TLS also by Chromium where it is installed, and ends it while one is open.
//
//   node run.mjs JARS LOCAL [NAME...]     LOCAL: the local Maven repository. NAME: those programs alone
//
// Of the documentation's text only the port is changed: to 0, a free one. JAVA: which Java.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { TEXT, connect, open } from '../examples/websocket.mjs';
import { chromium, visit } from './browser.mjs';
import { block, sbtDependencies } from './docs.mjs';
import { Server } from './server.mjs';

const [jars, local] = process.argv.slice(2, 4).map((path) => resolve(path));
const chosen = process.argv.slice(4);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const file = (name) => readFileSync(here(name), 'utf8');
const start = (page, language, word) => block(page, 'Quick start', language, word);

// README.md shows the body of a main.
const inMain = (body) => `import dev.h2ws.*;
import java.net.InetSocketAddress;
public class Server { public static void main(String[] arguments) throws Exception { ${body} } }`;

const pekko = () => file('pekko/dependencies.xml');
const programs = {
  'java-api': { dependencies: start('docs/java-api.md', 'xml'), source: start('docs/java-api.md', 'java') },
  readme: { dependencies: start('docs/java-api.md', 'xml'), source: inMain(block('README.md', 'A server in Java', 'java')) },
  'pekko-drop-in': {
    dependencies: pekko() + start('docs/pekko.md', 'xml', '<artifactId>h2ws-pekko-dropin<'), source: file('pekko/Server.java'),
    tls: true, path: '/echo', close: 1001,
  },
  'pekko-java': {
    dependencies: pekko() + start('docs/pekko.md', 'xml', '<artifactId>h2ws-pekko<'), source: start('docs/pekko.md', 'java'),
    tls: true, path: '/echo', close: 1001,
  },
  'pekko-scala': {
    dependencies: pekko() + start('docs/pekko.md', 'xml', '<artifactId>h2ws-pekko<'),
    source: start('docs/pekko.md', 'scala', 'object Server'), language: 'scala', tls: true, path: '/echo', close: 1001,
  },
  play: {
    dependencies: file('play/dependencies.xml') + start('docs/play.md', 'xml'), source: file('play/Server.scala'), language: 'scala',
    resources: {
      'application.conf': file('play/application.conf'),
      'logback.xml': file('play/logback.xml'),
    },
    tls: true, path: '/echo', close: 1001,
    log: /h2ws serves HTTP\/2 with WebSockets on \S+ over TLS; /, // the JVM's is "over TLS of .."
  },
};

// A project of its own for each program, with no parent; that one call of Maven builds all is only to save time.
function write(folder, { dependencies, source, language = 'java', resources = {} }, name) {
  const sources = join(folder, 'src/main', language);
  mkdirSync(sources, { recursive: true });
  mkdirSync(join(folder, 'src/main/resources'));
  for (const [name, text] of Object.entries(resources)) writeFileSync(join(folder, 'src/main/resources', name), text);
  writeFileSync(join(sources, `Server.${language}`), source.replace(/\b(8080|8443)\b/, '0'));
  writeFileSync(join(folder, 'pom.xml'), file('pom.xml')
    .replace('@NAME@', name)
    .replace('@JARS@', () => pathToFileURL(jars).href)
    .replace('@DEPENDENCIES@', () => dependencies)
    .replace('@PLUGINS@', () => (language === 'scala' ? file('scala-plugin.xml') : '')));
}

function build(folder, names) {
  for (const name of names) write(join(folder, name), programs[name], name);
  writeFileSync(join(folder, 'pom.xml'), `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
    <groupId>newcomer</groupId><artifactId>all</artifactId><version>1</version><packaging>pom</packaging>
    <modules>${names.map((name) => `<module>${name}</module>`).join('')}</modules></project>`);
  const maven = spawnSync('mvn', ['-B', '-ntp', '-f', folder, `-Dmaven.repo.local=${local}`, '--fail-at-end', 'compile'],
    { encoding: 'utf8', timeout: 300_000 });
  if (maven.status !== 0) console.error(`mvn compile ended with ${maven.status}:\n${maven.stdout}${maven.stderr}`);
}

function classPath(folder) {
  return `${join(folder, 'target/classes')}:${readFileSync(join(folder, 'target/class-path'), 'utf8').trim()}`;
}

function keys(folder) {
  execFileSync(here('../host/certificate.sh'), [folder]);
  execFileSync('mv', [join(folder, 'cert.pem'), join(folder, 'chain.pem')]);
  execFileSync('openssl', ['pkcs12', '-export', '-in', join(folder, 'chain.pem'), '-inkey', join(folder, 'key.pem'),
    '-passout', 'pass:newcomer', '-out', join(folder, 'keys.p12')]);
  process.env.TLS_CERT = join(folder, 'chain.pem'); // whom `connect` trusts
}

// One socket from its start to our Close, another that is open when the program ends.
async function use(server, { tls, path = '/', close }, signal) {
  const port = await server.port();
  if (tls && chromium) await visit(port, path, process.env.TLS_CERT);
  const session = await connect(`${tls ? 'https' : 'http'}://localhost:${port}`);
  try {
    const echo = async (socket) => {
      socket.send(TEXT, 'grüß dich');
      assert.equal((await socket.expect(TEXT)).toString(), 'grüß dich', 'echo of a text');
    };
    const socket = await open(session, path);
    await echo(socket);
    assert.deepEqual(await socket.close(1000), { code: 1000, rstCode: 0 }, 'the answer to our Close');
    const last = await open(session, path);
    await echo(last);
    const end = server.end(signal);
    if (close) assert.equal((await last.expectClose()).code, close, `Close after ${signal}`);
    assert.equal(await end, signal === 'SIGINT' ? 130 : 143, `exit code after ${signal}`);
  } finally {
    session.destroy();
  }
}

async function attempt(folder, name, signal) {
  const program = programs[name];
  const from = Date.now();
  try {
    if (program.tls) keys(folder);
    server = new Server(folder, classPath(folder));
    await use(server, program, signal);
    if (program.log) assert.match(server.output, program.log);
    console.log(`${name}: WebSockets over HTTP/2${program.tls ? ' and TLS' : ''}${program.tls && chromium ? ', Chromium too' : ''}, ended by ${signal}, ${seconds(from)}`);
    return true;
  } catch (e) {
    console.error(`${name}: ${e.message}${server?.output ? `\n--- its output\n${server.output}` : ''}`);
    return false;
  } finally {
    await server?.kill();
    server = undefined;
  }
}

for (const page of ['README.md', 'docs/pekko.md', 'docs/play.md']) {
  for (const [group, artifact, version] of sbtDependencies(page)) {
    const pom = join(jars, group.replaceAll('.', '/'), artifact, version, `${artifact}-${version}.pom`);
    assert.ok(existsSync(pom), `${page} has sbt add ${artifact} ${version}, which is not installed`);
  }
}
const names = chosen.length ? chosen : Object.keys(programs);
const seconds = (from) => `${((Date.now() - from) / 1000).toFixed(1)} s`;
const folder = mkdtempSync(join(tmpdir(), 'h2ws-newcomer-'));
let server; // that runs
let failed = 0;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await server?.kill();
    rmSync(folder, { recursive: true, force: true });
    process.exit(1);
  });
}
try {
  const from = Date.now();
  build(folder, names);
  console.log(`mvn compile of ${names.length} projects: ${seconds(from)}`);
  for (const [i, name] of names.entries()) {
    if (!await attempt(join(folder, name), name, i % 2 ? 'SIGINT' : 'SIGTERM')) failed += 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${names.length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
