// What Chromium's net log (--log-net-log) says about the connections to one port and what ran on them.
//
// { connections: [{ from, protocol }], sockets: [{ path, protocol, from, stream, status }], requests: [...] }
//
// `from` is the local port of the connection, `protocol` what its ALPN came to: "h2" or "http/1.1"; `stream` the HTTP/2
// stream, undefined on HTTP/1.1.

function field(headers, name) {
  return headers?.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
}

export function readNetLog(log, port) {
  const name = (table) => Object.fromEntries(Object.entries(table).map(([key, value]) => [value, key]));
  const types = name(log.constants.logEventTypes), sources = name(log.constants.logSourceType);
  const { PHASE_BEGIN } = log.constants.logEventPhase;
  const portOf = (address) => Number(/:(\d+)$/.exec(address ?? '')?.[1]);

  const sockets = new Map(), sessions = new Map(), urls = new Map();
  const http1 = [];
  for (const { type, source, phase, params = {} } of log.events) {
    const event = types[type];
    switch (sources[source.type]) {
      case 'SOCKET':
        if (event === 'TCP_CONNECT' && portOf(params.remote_address) === port) {
          sockets.set(source.id, { from: portOf(params.local_address), protocol: 'http/1.1' });
        } else if (event === 'SSL_CONNECT' && params.next_proto && sockets.has(source.id)) {
          sockets.get(source.id).protocol = params.next_proto === 'unknown' ? 'http/1.1' : params.next_proto;
        }
        break;
      case 'HTTP2_SESSION': {
        if (event === 'HTTP2_SESSION' && phase === PHASE_BEGIN && portOf(params.host) === port) sessions.set(source.id, { streams: new Map() });
        const session = sessions.get(source.id);
        if (!session) break;
        if (event === 'HTTP2_SESSION_INITIALIZED') session.socket = sockets.get(params.source_dependency.id);
        if (event === 'HTTP2_SESSION_SEND_HEADERS') {
          session.streams.set(params.stream_id, { path: field(params.headers, ':path'),
            websocket: field(params.headers, ':method') === 'CONNECT' && field(params.headers, ':protocol') === 'websocket',
            protocol: 'h2', from: session.socket?.from, stream: params.stream_id });
        }
        if (event === 'HTTP2_SESSION_RECV_HEADERS') {
          const stream = session.streams.get(params.stream_id);
          if (stream) stream.status ??= Number(field(params.headers, ':status'));
        }
        break;
      }
      case 'URL_REQUEST': {
        if (event === 'REQUEST_ALIVE' && phase === PHASE_BEGIN && params.url) {
          const url = new URL(params.url);
          if (Number(url.port) === port) urls.set(source.id, { path: url.pathname + url.search, websocket: /^wss?:$/.test(url.protocol) });
        }
        const request = urls.get(source.id);
        // The same request may be sent again on a new connection; the last one counts.
        if (event === 'HTTP_TRANSACTION_SEND_REQUEST_HEADERS' && request && !request.protocol) {
          request.protocol = 'http/1.1';
          http1.push(request);
        }
        if (event === 'HTTP_TRANSACTION_READ_RESPONSE_HEADERS' && request?.protocol) {
          request.status = Number(/^HTTP\/1\.[01] (\d+)/.exec(params.headers[0])?.[1]);
        }
        break;
      }
    }
  }
  const all = [...[...sessions.values()].flatMap((session) => [...session.streams.values()]), ...http1];
  return { connections: [...sockets.values()], sockets: all.filter((r) => r.websocket), requests: all.filter((r) => !r.websocket) };
}
