# make install-jars, pekko-test, pekko-matrix. Included by the top Makefile, after java/java.mk.

# Pekko HTTP, Scala, Pekko: what the jars that were built against the first are run on.
PEKKO_VERSIONS := 1.0.1/2.13/1.0.3 1.0.1/3/1.0.3 1.2.0/2.13/1.1.5 1.2.0/3/1.1.5 1.3.0/2.13/1.7.0 1.3.0/3/1.1.5
PEKKO_MODULES := h2ws-jvm,h2ws-pekko,h2ws-pekko-dropin
PEKKO_JARS = java/h2ws-jvm/target/h2ws-jvm-0.1.0.jar:java/h2ws-pekko/target/h2ws-pekko-0.1.0.jar
PEKKO_DROPIN = java/h2ws-pekko-dropin/target/h2ws-pekko-dropin-0.1.0.jar
PEKKO_SMOKE := build/pekko

# With REPO nothing goes to ~/.m2, and nothing but these jars to REPO, which builds name by its file: URL.
.PHONY: install-jars
install-jars: INSTALL_GOAL = $(if $(REPO),deploy -Dmaven.install.skip=true "-DaltDeploymentRepository=h2ws::file://$(abspath $(REPO))",install)
install-jars: $(H2WS_JNI_SMALL) ## the jars into the local Maven repository, ~/.m2; REPO=dir: into a repository of their own
	@tests/setup.sh java
	$(MVN) $(INSTALL_GOAL) -pl .,$(PEKKO_MODULES),h2ws-play -DskipTests $(MVN_FLAGS)

.PHONY: pekko-jars pekko-test pekko-matrix $(PEKKO_VERSIONS:%=pekko-on/%)

pekko-test: $(H2WS_JNI_SMALL) ## Pekko HTTP: its tests, on the oldest version
	$(MVN) verify -pl $(PEKKO_MODULES) $(MVN_FLAGS)

pekko-jars: $(H2WS_JNI_SMALL)
	$(MVN) package -pl $(PEKKO_MODULES) -DskipTests $(MVN_FLAGS)

pekko-matrix: $(PEKKO_VERSIONS:%=pekko-on/%) ## Pekko HTTP: the same jars on each version, by the drop-in and the explicit door

$(PEKKO_VERSIONS:%=pekko-on/%): pekko-on/%: pekko-jars
	@mkdir -p $(PEKKO_SMOKE)
	@java/pekko-matrix/run.sh $(subst /, ,$*) "$(PEKKO_JARS):java/h2ws-pekko/target/test-classes" "$(PEKKO_DROPIN)" $(PEKKO_SMOKE)
