# The commands of the project; `make help` lists them. What they do is in scripts beside what they test.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# The test host that the conformance suites run against: any program as tests/host describes it.
HOST ?= build/host-c
# Seconds for each fuzz target.
FUZZ_SECONDS ?= $(if $(CI),60,10)

-include bindings/install.mk
-include tests/host/host.mk
-include java/java.mk
-include java/pekko-host.mk
-include java/play-host.mk
-include java/chat.mk
-include java/pekko.mk
-include java/newcomer.mk
-include java/play-matrix.mk

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## /\1@/p' $(MAKEFILE_LIST) | awk -F@ '{ printf "  make %-22s %s\n", $$1, $$2 }'

# --- everything -----------------------------------------------------------------------------------------------------

.PHONY: test demo demo-serve demo-c demo-c-serve setup
test: ## everything that CI runs, step by step, after setting up what is missing
	@tests/all.sh

demo: demo-pekko ## an ordinary Pekko HTTP application, and one jar more; leaves build/demo/pekko.png and pekko.txt

demo-serve: demo-pekko-serve ## the same for your own browser: https://localhost:8443/

demo-c: setup-demo build/host-c ## a server in C over TLS: Node, curl and Chromium on one port; leaves build/demo/page.png
	@tests/demo/run.sh

demo-c-serve: setup-demo build/host-c ## the same server, for your own browser; PORT=8443
	@tests/demo/serve.sh

setup: ## installs what the steps of `make test` need (apt, go, pip), and says what
	@tests/setup.sh rust c java valgrind nghttp2 haproxy node python h2spec autobahn python-peers openssl chromium firefox nghttpx

.PHONY: setup-demo
setup-demo:
	@tests/setup.sh rust c node openssl
	@echo "demo: building the library and the server; the first time takes a few minutes"

# --- building (also: host-c, examples, install) ---------------------------------------------------------------------

.PHONY: build hosts header
build: hosts examples ## the release library, the test hosts and the examples, in build/

hosts: host-c host-java host-pekko host-play ## the test hosts of all bindings

header: ## writes include/h2ws.h and the list of exported symbols anew from src/ffi
	H2WS_BLESS=1 cargo test -q --test header_sync
	H2WS_BLESS=1 cargo test -q --test abi_symbols

# --- checking -------------------------------------------------------------------------------------------------------

.PHONY: fmt clippy docs rust-test duplex-test c-test examples-test packaging-test
fmt: ## are the Rust sources formatted? (`cargo fmt` mends it)
	cargo fmt --all --check

clippy: ## lints, warnings are errors
	cargo clippy --workspace --all-targets -- -D warnings

docs: ## the Rust documentation, warnings are errors
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

rust-test: ## unit, behaviour and documentation tests of the crate
	cargo test --workspace

# Those that are about descriptors, listeners or threads have nothing to do with bytes.
DUPLEX_TESTS := duplex attacks close connect deflate deflate_http1 deflate_limits flow http1 http1_attacks http1_close \
    http1_websocket limits random requests websocket
duplex-test: ## the behaviour tests again, over the byte transport
	H2WS_TEST_TRANSPORT=bytes cargo test $(DUPLEX_TESTS:%=--test %)

c-test: build/host-c ## the C and C++ tests, and the behaviour suite against the test host
	@tests/setup.sh node openssl
	tests/cpp/run.sh $(H2WS_RELEASE)
	tests/host/behaviour.sh build/host-c
	tests/host/behaviour.sh build/host-c one-thread

examples-test: examples ## runs every example
	tests/examples/run.sh

packaging-test: ## installs to a scratch folder and builds programs outside the tree, by CMake and pkg-config
	tests/packaging/run.sh

# --- browsers and proxies: also for every HOST ----------------------------------------------------------------------

.PHONY: e2e e2e-short proxies-test
e2e: $(HOST) ## Chromium and Firefox over TLS: pages, requests and sockets, proved by the browsers' own logs
	@tests/setup.sh node openssl chromium firefox
	tests/e2e/run.sh $(HOST)

e2e-short: $(HOST) ## Chromium alone, fewer cases
	@tests/setup.sh node openssl chromium
	tests/e2e/run.sh --short $(HOST)

proxies-test: $(HOST) ## HAProxy and nghttpx as fronts with TLS, HTTP/2 to the host
	@tests/setup.sh node openssl haproxy nghttpx python-peers
	tests/proxies/run.sh $(HOST)

# The heap that a JVM may have is part of what is measured.
.PHONY: load-test
load-test: build/host-c build/host-java build/host-pekko ## 10,000 sockets on 100 connections, two slow ones on each: nobody starves, and how much memory that is
	@tests/setup.sh node
	node tests/host/many.mjs build/host-c 200
	HOST_JAVA_OPTIONS=-Xmx256m node tests/host/many.mjs build/host-java 500
	HOST_JAVA_OPTIONS=-Xmx512m node tests/host/many.mjs build/host-pekko 800

.PHONY: tls-test
tls-test: $(HOST) ## openssl's client: versions, suites, ALPN, resumption, renegotiation, reload
	@tests/setup.sh openssl
	TLS=1 tests/host/with-host.sh $(HOST) tests/tls/openssl.sh

# --- conformance: the same suites for every HOST --------------------------------------------------------------------

.PHONY: conformance conformance-h2spec conformance-h2spec-tls conformance-autobahn conformance-autobahn-deflate conformance-peers
conformance: conformance-h2spec conformance-h2spec-tls conformance-autobahn conformance-autobahn-deflate conformance-peers ## all suites below; HOST=build/host-c

# Without HTTP/1.1: what is no preface would be answered over it, and h2spec's case of one asks for HTTP/2's answer.
conformance-h2spec: $(HOST) ## h2spec: generic, http2 and hpack
	@tests/setup.sh h2spec python
	NO_HTTP1=1 tests/host/with-host.sh $(HOST) tests/conformance/h2spec/run.sh

conformance-h2spec-tls: $(HOST) ## the same over TLS
	@tests/setup.sh h2spec python openssl
	NO_HTTP1=1 TLS=1 tests/host/with-host.sh $(HOST) tests/conformance/h2spec/run.sh

# Its cases 9.3 and 9.4 send a message of 4 MiB in 65,536 fragments; a host's default limit is 1,024.
conformance-autobahn: $(HOST) ## Autobahn over HTTP/2 in three ways and over HTTP/1.1; of compression some cases
	@tests/setup.sh autobahn node haproxy
	for mode in each share haproxy h1; do \
	    H2WS_MAX_FRAGMENTS=70000 tests/host/with-host.sh $(HOST) tests/conformance/autobahn/run.sh $$mode || exit; \
	done
	for mode in share h1; do \
	    DEFLATE=1 tests/host/with-host.sh $(HOST) tests/conformance/autobahn/run.sh $$mode deflate-some || exit; \
	done

conformance-autobahn-deflate: $(HOST) ## Autobahn's 216 cases of compression over HTTP/2 and HTTP/1.1; takes long
	@tests/setup.sh autobahn node
	for mode in share h1; do \
	    DEFLATE=1 tests/host/with-host.sh $(HOST) tests/conformance/autobahn/run.sh $$mode deflate || exit; \
	done

conformance-peers: $(HOST) ## Node, Python, curl, nghttp, h2load, and HAProxy as a front; with compression, and over TLS
	@tests/setup.sh python-peers nghttp2 haproxy node c openssl
	TLS=1 PEERS=tls tests/host/with-host.sh $(HOST) tests/conformance/peers/run.sh node python upgrade curl
	DEFLATE=1 H2WS_DEFLATE_SERVER_TAKEOVER=1 H2WS_DEFLATE_CLIENT_TAKEOVER=1 \
	    tests/host/with-host.sh $(HOST) tests/conformance/peers/run.sh

.PHONY: conformance-java
conformance-java: build/host-java ## h2spec and Autobahn on one connection, in clear and over TLS, native and the JVM's, against the test host on the Java API
	@tests/setup.sh h2spec python openssl autobahn node
	NO_HTTP1=1 tests/host/with-host.sh build/host-java tests/conformance/h2spec/run.sh
	NO_HTTP1=1 TLS=1 tests/host/with-host.sh build/host-java tests/conformance/h2spec/run.sh
	NO_HTTP1=1 TLS=1 TLS_BY=jvm tests/host/with-host.sh build/host-java tests/conformance/h2spec/run.sh
	H2WS_MAX_FRAGMENTS=70000 tests/host/with-host.sh build/host-java tests/conformance/autobahn/run.sh share
	H2WS_MAX_FRAGMENTS=70000 TLS=1 TLS_BY=jvm RESULTS=tests/conformance/results/host-java/autobahn-share-jvm \
	    tests/host/with-host.sh build/host-java tests/conformance/autobahn/run.sh share

.PHONY: conformance-pekko
conformance-pekko: build/host-pekko ## Autobahn against a Pekko route: by the drop-in over HTTP/2, where nothing may fail, and by stock over HTTP/1.1, to compare
	@tests/setup.sh autobahn node
	tests/host/with-host.sh build/host-pekko tests/conformance/autobahn/run.sh share
	STOCK=1 RESULTS=tests/conformance/results/host-pekko-stock/autobahn-h1 \
	    tests/host/with-host.sh build/host-pekko tests/conformance/autobahn/run.sh h1 || [ $$? = 1 ]

.PHONY: conformance-play
conformance-play: build/host-play ## the same against a Play controller, and Play's own server
	@tests/setup.sh autobahn node
	tests/host/with-host.sh build/host-play tests/conformance/autobahn/run.sh share
	STOCK=1 RESULTS=tests/conformance/results/host-play-stock/autobahn-h1 \
	    tests/host/with-host.sh build/host-play tests/conformance/autobahn/run.sh h1 || [ $$? = 1 ]

# --- sanitizers, valgrind, fuzzing ----------------------------------------------------------------------------------

.PHONY: sanitize sanitize-address sanitize-thread sanitize-c valgrind fuzz
sanitize: sanitize-address sanitize-thread sanitize-c ## all sanitizers

sanitize-address: ## the Rust tests with AddressSanitizer and LeakSanitizer
	tests/sanitize/rust.sh address

sanitize-thread: ## the Rust tests with ThreadSanitizer
	tests/sanitize/rust.sh thread

sanitize-c: release-library ## the C++ tests and the test host with AddressSanitizer and UndefinedBehaviorSanitizer
	tests/sanitize/c.sh $(H2WS_RELEASE)

valgrind: $(HOST) ## the test host, driven by Node, and the C tests under valgrind
	@tests/setup.sh valgrind node
	tests/sanitize/valgrind.sh $(HOST)
	$(MAKE) -f tests/c/Makefile LIB=$(abspath $(H2WS_RELEASE)/libh2ws.so) OUT=build/valgrind-c valgrind

fuzz: ## every fuzz target for FUZZ_SECONDS, from the committed corpus
	tests/fuzz.sh $(FUZZ_SECONDS)

# --- the rest -------------------------------------------------------------------------------------------------------

.PHONY: clean
clean: ## removes build/ and the cargo target folder (not ~/.cache/h2ws)
	rm -rf build tests/conformance/results
	cargo clean
