# make newcomer-test. Included by the top Makefile, after java/pekko.mk.

NEWCOMER := build/newcomer

# First of all, since Maven uses it for the jars too: neither they nor what is known of them goes to ~/.m2.
.PHONY: newcomer-repository
newcomer-repository:
	@tests/setup.sh java node openssl
	@tests/newcomer/local-repository.sh $(NEWCOMER)/local
	@rm -rf $(NEWCOMER)/jars

.PHONY: newcomer-test
newcomer-test: REPO = $(NEWCOMER)/jars
newcomer-test: MVN += -Dmaven.repo.local=$(abspath $(NEWCOMER)/local)
newcomer-test: newcomer-repository install-jars ## the quick starts as they stand in the documentation, in fresh Maven projects
	@node tests/newcomer/run.mjs $(NEWCOMER)/jars $(NEWCOMER)/local; code=$$?; rm -rf $(NEWCOMER); exit $$code
