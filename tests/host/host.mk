# make host-c, make examples: build/host-c, build/echo-c, build/echo-cpp, build/adopt-c, build/echo-rs.
#
# Included by the top Makefile after bindings/install.mk, whose H2WS_RELEASE, H2WS_NATIVE_LIBS and release-library it
# uses. The programs link the static library, so they run from anywhere.

CFLAGS ?= -O2 -g
CXXFLAGS ?= -O2 -g
H2WS_WARNINGS := -Wall -Wextra -Wpedantic -Werror
H2WS_CFLAGS := -std=c11 $(H2WS_WARNINGS) -Iinclude -pthread
H2WS_CXXFLAGS := -std=c++17 $(H2WS_WARNINGS) -Iinclude -Ibindings/cpp/include -pthread
H2WS_STATIC = $(H2WS_RELEASE)/libh2ws.a

HOST_SOURCES := $(wildcard tests/host/*.c)
HOST_OBJECTS := $(HOST_SOURCES:tests/host/%.c=build/obj/host/%.o)

.PHONY: host-c examples
host-c: build/host-c
examples: build/echo-c build/echo-cpp build/adopt-c build/echo-rs

# cargo decides whether there is something to do, so ask it each time; it leaves the file's time alone if not.
$(H2WS_STATIC): release-library ;

build/obj/host/%.o: tests/host/%.c $(wildcard tests/host/*.h) include/h2ws.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(H2WS_CFLAGS) -c $< -o $@

build/obj/host/index_page.o: tests/host/page.html

build/host-c: $(HOST_OBJECTS) $(H2WS_STATIC)
	$(CC) $(CFLAGS) $(LDFLAGS) -pthread $(HOST_OBJECTS) $(H2WS_STATIC) $(H2WS_NATIVE_LIBS) -o $@

build/%-c: examples/%.c include/h2ws.h $(H2WS_STATIC)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(H2WS_CFLAGS) $(LDFLAGS) $< $(H2WS_STATIC) $(H2WS_NATIVE_LIBS) -o $@

build/%-cpp: examples/%.cpp include/h2ws.h bindings/cpp/include/h2ws.hpp $(H2WS_STATIC)
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(H2WS_CXXFLAGS) $(LDFLAGS) $< $(H2WS_STATIC) $(H2WS_NATIVE_LIBS) -o $@

# Without the library's link-time optimisation, which would take minutes more for nothing.
.PHONY: echo-rs
echo-rs:
	cargo build --example echo
build/echo-rs: echo-rs
	@mkdir -p $(@D)
	cp $(H2WS_TARGET)/debug/examples/echo $@
