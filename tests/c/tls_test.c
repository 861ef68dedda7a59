/* h2ws_tls: certificates and keys, their errors, listeners and adopted sockets that use them. */
#include "host.h"

#include <sys/wait.h>

static char pem[64] = "/tmp/h2ws-tls-test-XXXXXX";

/* A certificate of `localhost` with its key, in one file. */
static void make_certificate(void) {
  char command[512];
  CHECK(close(mkstemp(pem)) == 0, "a scratch file");
  snprintf(command, sizeof command,
           "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout %s -out %s.crt -days 2 "
           "-subj /CN=localhost 2> /dev/null && cat %s.crt >> %s && rm %s.crt",
           pem, pem, pem, pem, pem);
  CHECK(system(command) == 0, "openssl makes a certificate");
}

static h2ws_tls_identity of_file(const char *path) {
  h2ws_tls_identity identity;
  memset(&identity, 0, sizeof identity);
  identity.chain.file = str(path);
  identity.key.file = str(path);
  return identity;
}

static h2ws_tls_config of_identity(const h2ws_tls_identity *identity) {
  h2ws_tls_config config = H2WS_TLS_CONFIG_INIT;
  config.identities = identity;
  config.identity_count = 1;
  return config;
}

static void what_cannot_be_used_is_named(void) {
  h2ws_tls_identity identity = of_file("/no/such/file.pem");
  h2ws_tls_config config = of_identity(&identity);
  h2ws_tls *tls = NULL;
  CHECK_REFUSED(h2ws_tls_create(&config, &tls), H2WS_TLS, "/no/such/file.pem cannot be read");
  identity = of_file(pem);
  identity.key.file = str("/dev/null");
  CHECK_REFUSED(h2ws_tls_create(&config, &tls), H2WS_TLS, "key /dev/null");
  CHECK(tls == NULL, "the output is as it was");
}

static void wrong_arguments_are_named(void) {
  h2ws_tls_identity identity = of_file(pem);
  h2ws_tls_config config = of_identity(&identity);
  h2ws_tls *tls = NULL;
  CHECK_REFUSED(h2ws_tls_create(NULL, &tls), H2WS_INVALID_ARGUMENT, "config is NULL");
  CHECK_REFUSED(h2ws_tls_create(&config, NULL), H2WS_INVALID_ARGUMENT, "out_tls is NULL");
  CHECK_REFUSED(h2ws_tls_reload(NULL, &config), H2WS_INVALID_ARGUMENT, "tls is NULL");
  config.size = 8;
  CHECK_REFUSED(h2ws_tls_create(&config, &tls), H2WS_INVALID_ARGUMENT, "initialise it with H2WS_TLS_CONFIG_INIT");
  config = of_identity(&identity);
  config.identity_count = 0;
  CHECK_REFUSED(h2ws_tls_create(&config, &tls), H2WS_INVALID_ARGUMENT, "config->identities is empty");
  config.identity_count = 100000;
  CHECK_REFUSED(h2ws_tls_create(&config, &tls), H2WS_INVALID_ARGUMENT, "config->identity_count is 100000");
  config = of_identity(&identity);
  config.client_auth = 3;
  CHECK_REFUSED(h2ws_tls_create(&config, &tls), H2WS_INVALID_ARGUMENT, "config->client_auth is 3");
  config.client_auth = H2WS_CLIENT_AUTH_REQUIRED;
  CHECK_REFUSED(h2ws_tls_create(&config, &tls), H2WS_INVALID_ARGUMENT, "config->client_roots is empty");
  config = of_identity(&identity);
  config.reserved = 1;
  CHECK_REFUSED(h2ws_tls_create(&config, &tls), H2WS_INVALID_ARGUMENT, "config->reserved is 1");
  config.reserved = 0;
  identity.key.bytes = H2WS_STR("both");
  CHECK_REFUSED(h2ws_tls_create(&config, &tls), H2WS_INVALID_ARGUMENT, "config->identities[0].key has a file and bytes");
  memset(&identity.chain, 0, sizeof identity.chain);
  CHECK_REFUSED(h2ws_tls_create(&config, &tls), H2WS_INVALID_ARGUMENT, "config->identities[0].chain is empty");
  identity.chain.file = H2WS_STR("\xff");
  CHECK_REFUSED(h2ws_tls_create(&config, &tls), H2WS_NOT_UTF8, "config->identities[0].chain.file");
  CHECK(tls == NULL, "the output is as it was");
  CHECK_OK(h2ws_tls_destroy(NULL));
}

static int of_port(host *h, h2ws_listener listener) {
  char address[64] = ":0";
  CHECK_OK(h2ws_listener_address(h->engine, listener, address, sizeof address, NULL));
  return atoi(strrchr(address, ':') + 1);
}

/* What openssl's client gets for "GET /" over HTTP/1.1 from `port`. */
static void ask(int port, char *answer, size_t size) {
  char command[256];
  FILE *client;
  size_t n;
  snprintf(command, sizeof command,
           "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 20 openssl s_client -quiet -servername localhost -alpn http/1.1 "
           "-connect 127.0.0.1:%d 2> /dev/null", port);
  client = popen(command, "r");
  CHECK(client != NULL, "openssl runs");
  n = client ? fread(answer, 1, size - 1, client) : 0;
  answer[n] = 0;
  if (client) pclose(client);
}

/* What came with a request; under the host's lock. */
static struct {
  char version[16], cipher[64], name[64], alpn[16], scheme[8];
  size_t size, certificates;
  int http, resumed;
} seen;

static void copy(char *out, size_t size, h2ws_str text) {
  snprintf(out, size, "%.*s", (int)text.len, text.data);
}

static void on_request(void *user, const h2ws_request *r) {
  host *h = user;
  pthread_mutex_lock(&h->lock);
  copy(seen.scheme, sizeof seen.scheme, r->scheme);
  seen.http = r->version;
  if (r->tls) {
    seen.size = r->tls->size;
    seen.certificates = r->tls->peer_certificate_count;
    seen.resumed = r->tls->resumed;
    copy(seen.version, sizeof seen.version, r->tls->version);
    copy(seen.cipher, sizeof seen.cipher, r->tls->cipher);
    copy(seen.name, sizeof seen.name, r->tls->server_name);
    copy(seen.alpn, sizeof seen.alpn, r->tls->alpn);
  }
  pthread_mutex_unlock(&h->lock);
  CHECK_OK(h2ws_respond(h->engine, r->stream, 200, NULL, H2WS_STR("over TLS")));
}

static void a_listener_speaks_tls_and_outlives_its_certificates(void) {
  h2ws_tls_identity identity = of_file(pem);
  h2ws_tls_config config = of_identity(&identity);
  h2ws_listen_options options = H2WS_LISTEN_OPTIONS_INIT;
  h2ws_callbacks callbacks;
  h2ws_listener listener;
  h2ws_tls *tls = NULL;
  host *h = calloc(1, sizeof *h);
  char answer[512];
  if (!h) abort();
  pthread_mutex_init(&h->lock, NULL);
  pthread_cond_init(&h->changed, NULL);
  callbacks = host_callbacks(h);
  callbacks.on_request = on_request;
  CHECK_OK(h2ws_engine_create(NULL, &callbacks, &h->engine));
  CHECK_OK(h2ws_tls_create(&config, &tls));
  options.tls = tls;
  CHECK_OK(h2ws_listen(h->engine, H2WS_STR("127.0.0.1:0"), &options, &listener));
  identity.key.file = str("/no/such/key");
  CHECK_REFUSED(h2ws_tls_reload(tls, &config), H2WS_TLS, "/no/such/key");
  identity = of_file(pem);
  CHECK_OK(h2ws_tls_reload(tls, &config));
  CHECK_OK(h2ws_tls_destroy(tls));
  ask(of_port(h, listener), answer, sizeof answer);
  CHECK(strstr(answer, "over TLS") != NULL, "an answer, not \"%s\"", answer);
  pthread_mutex_lock(&h->lock);
  CHECK(seen.size == sizeof(h2ws_tls_info), "the size of the struct");
  CHECK(!strcmp(seen.version, "TLSv1.3") && !strncmp(seen.cipher, "TLS13_", 6), "%s %s", seen.version, seen.cipher);
  CHECK(!strcmp(seen.name, "localhost") && !strcmp(seen.alpn, "http/1.1"), "%s %s", seen.name, seen.alpn);
  CHECK(!strcmp(seen.scheme, "https") && seen.http == 10, "%s %d", seen.scheme, seen.http);
  CHECK(seen.certificates == 0 && seen.resumed == 0, "no certificate, a new session");
  pthread_mutex_unlock(&h->lock);
  CHECK_OK(h2ws_engine_destroy(h->engine));
  pthread_mutex_destroy(&h->lock);
  pthread_cond_destroy(&h->changed);
  free(h);
}

int main(void) {
  check_begin();
  make_certificate();
  RUN(what_cannot_be_used_is_named);
  RUN(wrong_arguments_are_named);
  RUN(a_listener_speaks_tls_and_outlives_its_certificates);
  unlink(pem);
  return check_end();
}
