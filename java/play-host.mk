# make host-play, play-host-test. Included by the top Makefile, after java/pekko-host.mk.

.PHONY: host-play
host-play: build/host-play ## the test host as Play controllers; STOCK=1 runs it on Play's own server

build/host-play: $(JAVA_SOURCES) $(H2WS_JNI_SMALL) java/play-host/launch.sh tests/host/page.html
	@tests/setup.sh java
	$(MVN) package -pl h2ws-jvm,h2ws-pekko,h2ws-pekko-dropin,play-host -DskipTests $(MVN_FLAGS)
	@mkdir -p $(@D)
	@printf '#!/bin/sh\n# The test host on Play; the variables that choose what serves it are in this script.\nexec "%s"\n' "$(abspath java/play-host/launch.sh)" > $@
	@chmod +x $@

# What no controller can express: it resets nothing (abort), hears only that its flow completed or failed (closed), and of the server
# nothing (stats, settings). And what Play does itself: it drops the trailers of requests, and picks the first subprotocol that is offered.
PLAY_LEFT_OUT := abort,closed,stats,settings,trailers,subprotocol

# Pekko's own engine, so HTTP/1.1 with and without the drop-in, has no Close at its end, and gives Play a Ping where it comes: between
# fragments Play takes it for a violation.
PLAY_ON_PEKKO := $(PLAY_LEFT_OUT),drain-close,ping-inside

.PHONY: play-host-test
play-host-test: build/host-play ## the test host's contract by Play's own server over HTTP/1.1, and by the drop-in over both
	@tests/setup.sh node
	STOCK=1 node tests/host/contract.mjs build/host-play --http1 --without=$(PLAY_ON_PEKKO)
	node tests/host/contract.mjs build/host-play --http1 --without=$(PLAY_ON_PEKKO)
	node tests/host/contract.mjs build/host-play --without=$(PLAY_LEFT_OUT)
