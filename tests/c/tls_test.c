/* h2ws_tls: certificates and keys, their errors, listeners and adopted sockets that use them. */
#include "host.h"

#include <sys/wait.h>

static char folder[64] = "/tmp/h2ws-tls-test-XXXXXX";
/* A certificate of `localhost` with its key, in one file. */
static char pem[128];

static const char *in_folder(const char *name) {
  static char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

/* Each a certificate with its key in one file: `pem`, and `root` that vouches for `middle` that vouches for `client`. */
static void make_certificates(void) {
  static const char script[] =
      "cd %s && key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; }\n"
      "issued() { key $1 && openssl req -new -key $1.key -subj /CN=$1 -out $1.csr && printf \"$3\" > $1.ext &&\n"
      "  openssl x509 -req -in $1.csr -CA $2.crt -CAkey $2.key -CAcreateserial -days 2 -extfile $1.ext -out $1.crt; }\n"
      "{ for own in localhost root; do key $own && openssl req -x509 -key $own.key -out $own.crt -days 2 -subj /CN=$own\n"
      "  done; issued middle root 'basicConstraints=critical,CA:TRUE' &&\n"
      "  issued client middle 'basicConstraints=CA:FALSE' && cat localhost.key localhost.crt > both.pem; } 2> /dev/null";
  char command[sizeof script + sizeof folder];
  CHECK(mkdtemp(folder) != NULL, "a scratch folder");
  snprintf(command, sizeof command, script, folder);
  CHECK(system(command) == 0, "openssl makes certificates");
  strcpy(pem, in_folder("both.pem"));
}

static void remove_certificates(void) {
  char command[sizeof folder + 16];
  snprintf(command, sizeof command, "rm -r %s", folder);
  CHECK(system(command) == 0, "the scratch folder goes");
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
  identity.key.file = str(in_folder("root.key"));
  CHECK_REFUSED(h2ws_tls_create(&config, &tls), H2WS_TLS, "does not fit the first certificate of");
  CHECK(strstr(last_error(), pem) != NULL, "and the certificate's file, not \"%s\"", last_error());
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

/* What a command prints. */
static size_t printed(const char *command, char *out, size_t size) {
  FILE *program = popen(command, "r");
  size_t n;
  CHECK(program != NULL, "\"%s\" runs", command);
  n = program ? fread(out, 1, size, program) : 0;
  if (program) pclose(program);
  return n;
}

/* What openssl's client, with further `options`, gets for "GET /" over HTTP/1.1 from `port`. */
static void ask(int port, const char *options, char *answer, size_t size) {
  char command[1024];
  snprintf(command, sizeof command,
           "cd %s && printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 20 openssl s_client -quiet -servername localhost "
           "-alpn http/1.1 -connect 127.0.0.1:%d %s 2> /dev/null", folder, port, options);
  answer[printed(command, answer, size - 1)] = 0;
}

enum { MOST_SEEN = 4 };

/* What came with a request; under the host's lock. */
static struct {
  char version[16], cipher[64], name[64], alpn[16], scheme[8];
  size_t size, certificates, certificate_sizes[MOST_SEEN];
  char certificate[MOST_SEEN][2048];
  int http, resumed, no_pointer;
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
    seen.no_pointer = r->tls->peer_certificates == NULL;
    for (size_t i = 0; i < r->tls->peer_certificate_count && i < MOST_SEEN; i++) {
      h2ws_str der = r->tls->peer_certificates[i];
      seen.certificate_sizes[i] = der.len;
      memcpy(seen.certificate[i], der.data, der.len < sizeof seen.certificate[i] ? der.len : sizeof seen.certificate[i]);
    }
    seen.resumed = r->tls->resumed;
    copy(seen.version, sizeof seen.version, r->tls->version);
    copy(seen.cipher, sizeof seen.cipher, r->tls->cipher);
    copy(seen.name, sizeof seen.name, r->tls->server_name);
    copy(seen.alpn, sizeof seen.alpn, r->tls->alpn);
  }
  pthread_mutex_unlock(&h->lock);
  CHECK_OK(h2ws_respond(h->engine, r->stream, 200, NULL, H2WS_STR("over TLS")));
}

/* An engine whose requests are seen, and its listener with `tls`. */
static host *tls_host(h2ws_tls *tls, h2ws_listener *listener) {
  h2ws_listen_options options = H2WS_LISTEN_OPTIONS_INIT;
  h2ws_callbacks callbacks;
  host *h = calloc(1, sizeof *h);
  if (!h) abort();
  pthread_mutex_init(&h->lock, NULL);
  pthread_cond_init(&h->changed, NULL);
  callbacks = host_callbacks(h);
  callbacks.on_request = on_request;
  CHECK_OK(h2ws_engine_create(NULL, &callbacks, &h->engine));
  options.tls = tls;
  CHECK_OK(h2ws_listen(h->engine, H2WS_STR("127.0.0.1:0"), &options, listener));
  return h;
}

static void tls_host_end(host *h) {
  CHECK_OK(h2ws_engine_destroy(h->engine));
  pthread_mutex_destroy(&h->lock);
  pthread_cond_destroy(&h->changed);
  free(h);
}

static void a_listener_speaks_tls_and_outlives_its_certificates(void) {
  h2ws_tls_identity identity = of_file(pem);
  h2ws_tls_config config = of_identity(&identity);
  h2ws_listener listener;
  h2ws_tls *tls = NULL;
  host *h;
  char answer[512];
  CHECK_OK(h2ws_tls_create(&config, &tls));
  h = tls_host(tls, &listener);
  identity.key.file = str("/no/such/key");
  CHECK_REFUSED(h2ws_tls_reload(tls, &config), H2WS_TLS, "/no/such/key");
  identity = of_file(pem);
  CHECK_OK(h2ws_tls_reload(tls, &config));
  CHECK_OK(h2ws_tls_destroy(tls));
  ask(of_port(h, listener), "", answer, sizeof answer);
  CHECK(strstr(answer, "over TLS") != NULL, "an answer, not \"%s\"", answer);
  pthread_mutex_lock(&h->lock);
  CHECK(seen.size == sizeof(h2ws_tls_info), "the size of the struct");
  CHECK(!strcmp(seen.version, "TLSv1.3") && !strncmp(seen.cipher, "TLS13_", 6), "%s %s", seen.version, seen.cipher);
  CHECK(!strcmp(seen.name, "localhost") && !strcmp(seen.alpn, "http/1.1"), "%s %s", seen.name, seen.alpn);
  CHECK(!strcmp(seen.scheme, "https") && seen.http == 10, "%s %d", seen.scheme, seen.http);
  CHECK(seen.certificates == 0 && seen.no_pointer && seen.resumed == 0, "no certificate, a new session");
  pthread_mutex_unlock(&h->lock);
  tls_host_end(h);
}

static void a_clients_certificates_are_told_in_their_order(void) {
  static const char *const names[] = {"client", "middle"};
  h2ws_tls_identity identity = of_file(pem);
  h2ws_tls_config config = of_identity(&identity);
  h2ws_listener listener;
  h2ws_tls *tls = NULL;
  host *h;
  char answer[512], command[256], der[sizeof seen.certificate[0]];
  config.client_auth = H2WS_CLIENT_AUTH_REQUIRED;
  config.client_roots.file = str(in_folder("root.crt"));
  CHECK_OK(h2ws_tls_create(&config, &tls));
  h = tls_host(tls, &listener);
  ask(of_port(h, listener), "-cert client.crt -key client.key -cert_chain middle.crt", answer, sizeof answer);
  CHECK(strstr(answer, "over TLS") != NULL, "an answer, not \"%s\"", answer);
  pthread_mutex_lock(&h->lock);
  CHECK(seen.certificates == 2, "the client's own and the one that vouches for it, not %zu", seen.certificates);
  for (size_t i = 0; i < 2; i++) {
    size_t n;
    snprintf(command, sizeof command, "openssl x509 -in %s/%s.crt -outform DER", folder, names[i]);
    n = printed(command, der, sizeof der);
    CHECK(n > 0 && n == seen.certificate_sizes[i] && !memcmp(der, seen.certificate[i], n), "%s at %zu", names[i], i);
  }
  pthread_mutex_unlock(&h->lock);
  /* without the one between, and without any */
  ask(of_port(h, listener), "-cert client.crt -key client.key", answer, sizeof answer);
  CHECK(answer[0] == 0, "nothing, not \"%s\"", answer);
  ask(of_port(h, listener), "", answer, sizeof answer);
  CHECK(answer[0] == 0, "nothing, not \"%s\"", answer);
  CHECK_OK(h2ws_tls_destroy(tls));
  tls_host_end(h);
}

int main(void) {
  check_begin();
  make_certificates();
  RUN(what_cannot_be_used_is_named);
  RUN(wrong_arguments_are_named);
  RUN(a_listener_speaks_tls_and_outlives_its_certificates);
  RUN(a_clients_certificates_are_told_in_their_order);
  remove_certificates();
  return check_end();
}
