# make host-pekko, pekko-host-test, demo-pekko, demo-pekko-serve. Included by the top Makefile, after java/java.mk.

CHAT := examples/pekko-chat
CHAT_SOURCES := $(shell find $(CHAT) -name target -prune -o -type f -print)

.PHONY: host-pekko
host-pekko: build/host-pekko ## the test host as a Pekko HTTP route; STOCK=1 runs it on Pekko's own server

build/host-pekko: $(JAVA_SOURCES) $(H2WS_JNI_SMALL) java/pekko-host/launch.sh tests/host/page.html
	@tests/setup.sh java
	$(MVN) package -pl h2ws-jvm,h2ws-pekko,h2ws-pekko-dropin,pekko-host -DskipTests $(MVN_FLAGS)
	@mkdir -p $(@D)
	@printf '#!/bin/sh\n# The test host on Pekko; the variables that choose what serves it are in this script.\nexec "%s"\n' "$(abspath java/pekko-host/launch.sh)" > $@
	@chmod +x $@

# What no route can express. The drain of h2ws sends a Close, which Pekko's own engine, so HTTP/1.1 by the drop-in, does not.
PEKKO_LEFT_OUT := close-codes,abort,closed,stats,settings

.PHONY: pekko-host-test
pekko-host-test: build/host-pekko ## the test host's contract by Pekko's own server over HTTP/1.1, and by the drop-in over both
	@tests/setup.sh node
	STOCK=1 node tests/host/contract.mjs build/host-pekko --http1 --without=$(PEKKO_LEFT_OUT),drain-close
	node tests/host/contract.mjs build/host-pekko --http1 --without=$(PEKKO_LEFT_OUT),drain-close
	node tests/host/contract.mjs build/host-pekko --without=$(PEKKO_LEFT_OUT)

build/chat-pekko: $(JAVA_SOURCES) $(CHAT_SOURCES) $(H2WS_JNI_SMALL)
	@tests/setup.sh java
	$(MVN) package -pl h2ws-jvm,h2ws-pekko,h2ws-pekko-dropin,../$(CHAT) -DskipTests $(MVN_FLAGS)
	@mkdir -p $(@D)
	@printf '#!/bin/sh\n# The chat, by its own script.\nexec "%s"\n' "$(abspath $(CHAT)/chat.sh)" > $@
	@chmod +x $@

# First of all: what builds the library and the jars.
.PHONY: setup-demo-pekko
setup-demo-pekko:
	@tests/setup.sh rust c java node openssl
	@echo "demo: building the library, the jars and the chat; the first time takes a few minutes"

.PHONY: demo-pekko demo-pekko-serve
demo-pekko: setup-demo-pekko build/chat-pekko ## a chat on Pekko HTTP with one jar more: Chromium's page, requests and sockets on one HTTP/2 connection
	@tests/demo/pekko.sh

demo-pekko-serve: setup-demo-pekko build/chat-pekko ## the chat on https://localhost:8443/ for your own browser, until Ctrl-C; PORT=, STOCK=1
	@$(CHAT)/chat.sh
