// What the tests call in a page: the browser's own WebSocket, with promises. Evaluated after each navigation.
globalThis.e2e = {
  sockets: [],

  next(socket, event) {
    return new Promise((resolve) => socket.addEventListener(event, resolve, { once: true }));
  },

  /** An open socket, or an Error if the handshake failed. */
  open(url, protocols = []) {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(new URL(url, location.href.replace(/^http/, 'ws')), protocols);
      socket.binaryType = 'arraybuffer';
      socket.onopen = () => resolve(socket);
      socket.onerror = () => reject(new Error(`${url} does not open`));
      this.sockets.push(socket); // so that nothing is collected before its time
    });
  },

  async ask(socket, data) {
    const answer = this.next(socket, 'message');
    socket.send(data);
    return (await answer).data;
  },

  /** Does `data` come back as it is? */
  async echo(socket, data) {
    const answer = await this.ask(socket, data);
    if (typeof data === 'string' || typeof answer === 'string') return answer === data;
    const [sent, got] = [new Uint8Array(data), new Uint8Array(answer)];
    return sent.length === got.length && sent.every((byte, i) => byte === got[i]);
  },

  async closed(socket) {
    const { code, reason, wasClean } = await this.next(socket, 'close');
    return { code, reason, wasClean };
  },

  async get(path, options) {
    const response = await fetch(path, { cache: 'no-store', ...options });
    return { status: response.status, body: await response.text() };
  },

  /** How the page and its requests came: "h2" or "http/1.1". */
  protocols() {
    return [...new Set([...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      .map((entry) => entry.nextHopProtocol))];
  },
};
