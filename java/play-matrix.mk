# make play-test, play-matrix. Included by the top Makefile, after java/pekko.mk.

# Play, Scala: what the jars that were built against the oldest Pekko HTTP are run on.
PLAY_VERSIONS := 3.0.0/2.13 3.0.2/3 3.0.9/2.13 3.0.10/3 3.0.11/2.13 3.0.11/3
PLAY_JAR = java/h2ws-play/target/h2ws-play-0.1.0.jar
PLAY_SMOKE := build/play

.PHONY: play-test play-jars play-matrix $(PLAY_VERSIONS:%=play-on/%)
play-test: $(H2WS_JNI_SMALL) ## Play: an ordinary application on Play's own server and on h2ws, on the newest version
	$(MVN) verify -pl $(PEKKO_MODULES),h2ws-play,play-tests -Dtest='dev/h2ws/play/*Test' -Dsurefire.failIfNoSpecifiedTests=false $(MVN_FLAGS)

play-jars: $(H2WS_JNI_SMALL)
	$(MVN) package -pl $(PEKKO_MODULES),h2ws-play -DskipTests $(MVN_FLAGS)

play-matrix: $(PLAY_VERSIONS:%=play-on/%) ## Play: the same jars on each version, under its own server

$(PLAY_VERSIONS:%=play-on/%): play-on/%: play-jars
	@mkdir -p $(PLAY_SMOKE)
	@java/play-matrix/run.sh $(subst /, ,$*) "$(PEKKO_JARS):$(PEKKO_DROPIN):$(PLAY_JAR):java/h2ws-jvm/target/test-classes:java/h2ws-pekko/target/test-classes" $(PLAY_SMOKE)
