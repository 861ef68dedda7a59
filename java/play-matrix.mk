# make play-matrix. Included by the top Makefile, after java/pekko.mk.

# Play, Scala: what the jars that were built against the oldest Pekko HTTP are run on.
PLAY_VERSIONS := 3.0.0/2.13 3.0.2/3 3.0.9/2.13 3.0.10/3 3.0.11/2.13 3.0.11/3
PLAY_SMOKE := build/play

.PHONY: play-matrix $(PLAY_VERSIONS:%=play-on/%)
play-matrix: $(PLAY_VERSIONS:%=play-on/%) ## Play: the same jars on each version, under its own server

$(PLAY_VERSIONS:%=play-on/%): play-on/%: pekko-jars
	@mkdir -p $(PLAY_SMOKE)
	@java/play-matrix/run.sh $(subst /, ,$*) "$(PEKKO_JARS):java/h2ws-pekko/target/test-classes:$(PEKKO_DROPIN)" $(PLAY_SMOKE)
