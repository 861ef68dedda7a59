# make demo-pekko, demo-play, and both with -serve. Included by the top Makefile, after java/java.mk.

CHATS := pekko play
CHAT_SOURCES := examples/chat.sh $(shell find examples/chat-rooms $(CHATS:%=examples/%-chat) -name target -prune -o -type f -print)

$(CHATS:%=build/chat-%): build/chat-%: $(JAVA_SOURCES) $(CHAT_SOURCES) $(H2WS_JNI_SMALL)
	@tests/setup.sh java
	$(MVN) package -pl h2ws-jvm,h2ws-pekko,h2ws-pekko-dropin,../examples/chat-rooms,../examples/$*-chat -DskipTests $(MVN_FLAGS)
	@mkdir -p $(@D)
	@printf '#!/bin/sh\n# The chat, by its own script.\nexec "%s" %s\n' "$(abspath examples/chat.sh)" $* > $@
	@chmod +x $@

# First of all: what builds the library and the jars.
.PHONY: setup-demo-chat
setup-demo-chat:
	@tests/setup.sh rust c java node openssl
	@echo "demo: building the library, the jars and the chat; the first time takes a few minutes"

.PHONY: demo-pekko demo-pekko-serve demo-play demo-play-serve
demo-pekko: setup-demo-chat build/chat-pekko ## a chat on Pekko HTTP with one jar more: a browser's page, requests and sockets on one HTTP/2 connection
	@tests/demo/chat.sh pekko

demo-pekko-serve: setup-demo-chat build/chat-pekko ## the chat on https://localhost:8443/ for your own browser, until Ctrl-C; PORT=, STOCK=1
	@build/chat-pekko

demo-play: setup-demo-chat build/chat-play ## the same chat on Play 3.0
	@tests/demo/chat.sh play

demo-play-serve: setup-demo-chat build/chat-play ## the same on https://localhost:8443/ for your own browser
	@build/chat-play
