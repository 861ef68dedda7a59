# make host-pekko, pekko-host-test. Included by the top Makefile, after java/java.mk.

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
