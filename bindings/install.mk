# make install PREFIX=/usr/local DESTDIR=
#
# The release libraries, the headers, the CMake package and the pkg-config file. Included by the top Makefile; paths are
# relative to the top folder.

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR ?=
INSTALL ?= install

H2WS_TARGET ?= $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
H2WS_RELEASE ?= $(H2WS_TARGET)/release
H2WS_VERSION := $(shell sed -n 's/^version = "\([0-9.]*\)"/\1/p' Cargo.toml | head -n 1)
# The number in the SONAME, from where it is made.
H2WS_SOVERSION := $(shell sed -n 's/^const ABI: u32 = \([0-9]*\);/\1/p' build.rs)
H2WS_NATIVE_LIBS = $(shell bindings/native-static-libs.sh)

# cargo knows best what is out of date. Of all crate types it is told those that C links: where an rlib is among them it leaves
# link-time optimisation out without a word, whatever the profile says (`lto::calculate` in cargo).
.PHONY: release-library
release-library:
	cargo rustc --release --lib --crate-type cdylib,staticlib

.PHONY: install
install: release-library
	bindings/install.sh "$(H2WS_RELEASE)" "$(H2WS_VERSION)" "$(H2WS_SOVERSION)" "$(DESTDIR)" "$(PREFIX)" "$(LIBDIR)" "$(INCLUDEDIR)" "$(H2WS_NATIVE_LIBS)"
