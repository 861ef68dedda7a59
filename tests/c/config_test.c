/* h2ws_config: each field's errors, by name, value and range. */
#include "host.h"

#include <stddef.h>

typedef struct range {
  const char *name;
  size_t offset;
  uint32_t least, most;
} range;

#define FIELD(name, least, most) {#name, offsetof(h2ws_config, name), least, most}
enum { DAY = 86400000 };
static const range fields[] = {
    FIELD(loops, 1, 64),
    FIELD(max_connections, 1, 16000000),
    FIELD(max_streams, 1, 1048576),
    FIELD(max_header_list, 1024, 1048576),
    FIELD(max_header_fields, 8, 10000),
    FIELD(max_message, 125, 1073741824),
    FIELD(max_fragments, 1, 16777216),
    FIELD(stream_window, 1024, 2147483647),
    FIELD(connection_window, 65535, 2147483647),
    FIELD(send_queue, 1024, 1073741824),
    FIELD(command_queue, 1024, 1073741824),
    FIELD(early_data, 0, 1048576),
    FIELD(preface_timeout, 0, DAY),
    FIELD(settings_timeout, 0, DAY),
    FIELD(header_timeout, 0, DAY),
    FIELD(accept_timeout, 0, DAY),
    FIELD(close_timeout, 1, DAY),
    FIELD(idle_timeout, 0, DAY),
    FIELD(ping_interval, 0, DAY),
    FIELD(ping_timeout, 0, DAY),
    FIELD(write_timeout, 0, DAY),
    FIELD(reset_burst, 1, 1048576),
    FIELD(reset_rate, 1, 1048576),
    FIELD(ping_rate, 1, 1048576),
    FIELD(settings_rate, 1, 1048576),
    FIELD(idle_frame_rate, 1, 16777216),
    FIELD(tls_timeout, 0, DAY),
    FIELD(keep_alive_timeout, 0, DAY),
    FIELD(deflate_level, 1, 9),
    FIELD(deflate_server_window_bits, 9, 15),
    FIELD(deflate_client_window_bits, 9, 15),
    FIELD(deflate_min_size, 1, 1073741824),
    FIELD(deflate_memory, 65536, 2147483648),
    FIELD(deflate_ratio, 2, 1048576),
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static void nothing(void *user, const h2ws_request *r) { (void)user, (void)r; }

/* Creates an engine and destroys it again; the status of the creation. */
static h2ws_status create(const h2ws_config *config, const h2ws_callbacks *callbacks) {
  h2ws_engine *engine = NULL;
  h2ws_status status = h2ws_engine_create(config, callbacks, &engine);
  if (status == H2WS_OK) CHECK_OK(h2ws_engine_destroy(engine));
  else CHECK(engine == NULL, "the output is as it was");
  return status;
}

static h2ws_callbacks least(void) {
  h2ws_callbacks callbacks = H2WS_CALLBACKS_INIT;
  callbacks.on_request = nothing;
  return callbacks;
}

static void set(h2ws_config *config, const range *field, uint32_t value) {
  memcpy((char *)config + field->offset, &value, sizeof value);
}

static void every_number_is_in_this_test(void) {
  size_t numbers = (offsetof(h2ws_config, fallback) - offsetof(h2ws_config, loops)) / sizeof(uint32_t);
  CHECK(numbers == FIELDS, "%zu numbers are tested, not %d", numbers, (int)FIELDS);
}

static void every_number_is_refused_outside_its_range_with_name_value_and_range(void) {
  h2ws_callbacks callbacks = least();
  int i, high;
  for (i = 0; i < FIELDS; i++) {
    for (high = 0; high < 2; high++) {
      h2ws_config config = H2WS_CONFIG_INIT;
      uint32_t value = high ? fields[i].most + 1 : fields[i].least - 1;
      char words[128];
      if (!high && fields[i].least <= 1) continue; /* 0 is the default */
      set(&config, &fields[i], value);
      snprintf(words, sizeof words, "%s is %u; it must be from %u to %u", fields[i].name, value, fields[i].least,
               fields[i].most);
      CHECK_REFUSED(create(&config, &callbacks), H2WS_INVALID_CONFIG, words);
    }
  }
}

static void every_number_is_taken_at_the_ends_of_its_range(void) {
  h2ws_callbacks callbacks = least();
  int i, high;
  for (i = 0; i < FIELDS; i++) {
    for (high = 0; high < 2; high++) {
      h2ws_config config = H2WS_CONFIG_INIT;
      config.loops = 1;
      if (!strcmp(fields[i].name, "stream_window")) config.connection_window = 2147483647;
      if (!strcmp(fields[i].name, "connection_window")) config.stream_window = 1024;
      set(&config, &fields[i], high ? fields[i].most : fields[i].least);
      CHECK_OK(create(&config, &callbacks));
    }
  }
}

static void windows_that_do_not_fit_each_other_are_refused(void) {
  h2ws_callbacks callbacks = least();
  h2ws_config config = H2WS_CONFIG_INIT;
  config.stream_window = 70000;
  config.connection_window = 65535;
  CHECK_REFUSED(create(&config, &callbacks), H2WS_INVALID_CONFIG, "raise connection_window");
}

static void fallback_needs_its_callback(void) {
  h2ws_callbacks callbacks = least();
  h2ws_config config = H2WS_CONFIG_INIT;
  config.fallback = 1;
  CHECK_REFUSED(create(&config, &callbacks), H2WS_INVALID_CONFIG, "callbacks->on_fallback is NULL");
  callbacks.on_fallback = host_on_fallback;
  CHECK_OK(create(&config, &callbacks));
  config.fallback = 2;
  callbacks.on_duplex = NULL;
  CHECK_REFUSED(create(&config, &callbacks), H2WS_INVALID_CONFIG, "callbacks->on_duplex is NULL");
  config.fallback = 3;
  CHECK_REFUSED(create(&config, &callbacks), H2WS_INVALID_ARGUMENT, "config->fallback is 3; it must be 0, 1 or 2");
  config.fallback = -1;
  CHECK_REFUSED(create(&config, &callbacks), H2WS_INVALID_ARGUMENT, "config->fallback is -1");
}

static void flags_are_0_or_1(void) {
  h2ws_callbacks callbacks = least();
  h2ws_config config = H2WS_CONFIG_INIT;
  config.deflate = 2;
  CHECK_REFUSED(create(&config, &callbacks), H2WS_INVALID_ARGUMENT, "config->deflate is 2; it must be 0 or 1");
  config.deflate = 1;
  config.deflate_server_takeover = -1;
  CHECK_REFUSED(create(&config, &callbacks), H2WS_INVALID_ARGUMENT, "config->deflate_server_takeover is -1");
  config.deflate_server_takeover = 0;
  config.deflate_client_takeover = 3;
  CHECK_REFUSED(create(&config, &callbacks), H2WS_INVALID_ARGUMENT, "config->deflate_client_takeover is 3");
}

static void sizes_are_checked(void) {
  h2ws_callbacks callbacks = least();
  h2ws_config config = H2WS_CONFIG_INIT;
  size_t wrong[] = {0, 1, sizeof(size_t), sizeof(h2ws_config) - 1, 100000, (size_t)-1};
  struct newer {
    h2ws_config config;
    uint64_t added[2];
  } newer;
  size_t i;
  for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    config.size = wrong[i];
    CHECK_REFUSED(create(&config, &callbacks), H2WS_INVALID_ARGUMENT, "initialise it with H2WS_CONFIG_INIT");
  }
  memset(&newer, 0, sizeof newer);
  newer.config.size = sizeof newer;
  newer.config.loops = 1;
  CHECK_OK(create(&newer.config, &callbacks));
  newer.added[1] = 1;
  CHECK_REFUSED(create(&newer.config, &callbacks), H2WS_INVALID_ARGUMENT, "leave newer fields 0 or use a newer library");
}

static void defaults_are_taken_for_null_and_zeros(void) {
  h2ws_callbacks callbacks = least();
  h2ws_config config = H2WS_CONFIG_INIT;
  CHECK_OK(create(NULL, &callbacks));
  CHECK_OK(create(&config, &callbacks));
}

static void the_configuration_is_obeyed(void) {
  h2ws_config config = H2WS_CONFIG_INIT;
  host *h;
  client c;
  h2ws_stream stream;
  uint32_t id;
  config.loops = 1;
  config.max_message = 125;
  h = host_start(&config, NULL);
  host_client(h, &c);
  id = host_socket(h, &c, "/", &stream);
  {
    char big[126];
    static ws_frame frame;
    memset(big, 'x', sizeof big);
    client_ws(&c, id, 1, H2WS_BINARY, big, 125);
    CHECK(client_ws_read(&c, id, &frame) && frame.len == 125, "a message of 125 bytes is echoed");
    client_ws(&c, id, 1, H2WS_BINARY, big, 126);
    CHECK(client_ws_read(&c, id, &frame) && frame.opcode == H2WS_CLOSE && frame.len >= 2, "one more byte is a Close");
    CHECK((frame.payload[0] << 8 | frame.payload[1]) == 1009, "with 1009, not %d", frame.payload[0] << 8 | frame.payload[1]);
  }
  client_close(&c);
  host_stop(h);
}

int main(void) {
  check_begin();
  RUN(every_number_is_in_this_test);
  RUN(every_number_is_refused_outside_its_range_with_name_value_and_range);
  RUN(every_number_is_taken_at_the_ends_of_its_range);
  RUN(windows_that_do_not_fit_each_other_are_refused);
  RUN(fallback_needs_its_callback);
  RUN(flags_are_0_or_1);
  RUN(sizes_are_checked);
  RUN(defaults_are_taken_for_null_and_zeros);
  RUN(the_configuration_is_obeyed);
  return check_end();
}
