# make host-java, examples-java, bench-java, java-test. Included by the top Makefile, after tests/host/host.mk.

JAVA_SOURCES := $(wildcard examples/*.java) $(shell find java -name target -prune -o \( -name '*.java' -o -name pom.xml -o -path '*/resources/*' -type f \) -print)
# Quiet, and without colours in logs.
MVN := mvn -q -B -ntp -f java
H2WS_JNI := $(H2WS_RELEASE)/libh2ws_jni.so
# Without the tables of lines, which are most of it.
H2WS_JNI_SMALL := build/jni/libh2ws_jni.so
MVN_FLAGS = -Dh2ws.native=$(abspath $(H2WS_JNI_SMALL))

.PHONY: host-java release-jni
host-java: build/host-java

# One crate type, for the reason that bindings/install.mk gives.
release-jni:
	cargo rustc --release -p h2ws-jni --lib --crate-type cdylib
# cargo leaves the file's time alone if there is nothing to do
$(H2WS_JNI): release-jni ;

$(H2WS_JNI_SMALL): $(H2WS_JNI)
	@mkdir -p $(@D)
	strip --strip-debug -o $@ $<

build/host-java: $(JAVA_SOURCES) $(H2WS_JNI_SMALL) tests/host/page.html
	@tests/setup.sh java
	$(MVN) package -pl h2ws-jvm,test-host -DskipTests $(MVN_FLAGS)
	@mkdir -p $(@D)
	@printf '#!/bin/sh\n# The test host on the Java API. JAVA: which; HOST_JAVA_OPTIONS: for the JVM.\nexec "$${JAVA:-java}" -XX:+UseSerialGC $$HOST_JAVA_OPTIONS -cp "%s" dev.h2ws.testhost.TestHost\n' \
	    "$(abspath java/test-host/target/h2ws-test-host-0.1.0.jar):$(abspath java/h2ws-jvm/target/h2ws-jvm-0.1.0.jar)" > $@
	@chmod +x $@

# echo-java, adopt-java, netty-java (epoll), netty-nio-java: by the class and variables that follow.
.PHONY: examples-java
examples-java: build/echo-java build/adopt-java build/netty-java build/netty-nio-java
build/echo-java: EXAMPLE = Echo
build/adopt-java: EXAMPLE = Adopt
build/netty-java: EXAMPLE = NettyHandOver
build/netty-nio-java: EXAMPLE = NettyHandOver
build/netty-nio-java: EXAMPLE_VARIABLES = TRANSPORT=nio

# The host's rule packs the host and the library alone. The jar's time says nothing: Maven leaves it as it is when nothing has changed.
build/examples-java.made: build/host-java
	$(MVN) package -pl h2ws-jvm,examples -DskipTests $(MVN_FLAGS)
	@touch $@

build/echo-java build/adopt-java build/netty-java build/netty-nio-java: build/examples-java.made
	@printf '#!/bin/sh\n# An example. JAVA: which; EXAMPLE_JAVA_OPTIONS: for the JVM.\n%sexec "$${JAVA:-java}" $$EXAMPLE_JAVA_OPTIONS -cp "%s" %s "$$@"\n' \
	    "$(EXAMPLE_VARIABLES:%=% )" "$(abspath java/examples/target/h2ws-examples-0.1.0.jar):$(abspath java/examples/target/lib)/*" $(EXAMPLE) > $@
	@chmod +x $@

.PHONY: bench-java
# JMH's own options, say BENCH_JAVA='-f 1 -wi 2 -i 2 -p batch=64 echo'.
bench-java: $(H2WS_JNI_SMALL) ## JMH: what a message costs between native code and Java, in time and allocation; BENCH_JAVA=options
	@tests/setup.sh java
	$(MVN) package -pl h2ws-jvm,benchmarks -DskipTests $(MVN_FLAGS)
	java -cp "java/benchmarks/target/h2ws-benchmarks-0.1.0.jar:java/benchmarks/target/lib/*" org.openjdk.jmh.Main -prof gc $(BENCH_JAVA)

.PHONY: java-test
java-test: $(H2WS_JNI_SMALL) build/host-java examples-java ## the Java tests on JDK 17 and 25 with -Xcheck:jni, the behaviour suite, and the examples
	@tests/setup.sh java node openssl
	java/test.sh $(H2WS_JNI_SMALL)
	HOST_JAVA_OPTIONS=-Xcheck:jni tests/host/behaviour.sh build/host-java
	HOST_JAVA_OPTIONS=-Xcheck:jni tests/host/behaviour.sh build/host-java jvm
	TLS=1 tests/host/with-host.sh build/host-java tests/tls/openssl.sh
	TLS=1 TLS_BY=jvm tests/host/with-host.sh build/host-java tests/tls/openssl.sh
	EXAMPLE_JAVA_OPTIONS=-Xcheck:jni tests/examples/run.sh build/echo-java build/adopt-java build/netty-java build/netty-nio-java
