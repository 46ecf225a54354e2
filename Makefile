# mfad: build, prove, show, install. `make demo` and `make test` do all set-up on a fresh Debian machine.

PREFIX ?= /usr
DESTDIR ?=
UNITDIR ?= $(PREFIX)/lib/systemd/system
ZSHDIR ?= $(PREFIX)/share/zsh/vendor-completions
# Where the distribution keeps PAM modules: asked of libpam's own package where there is one.
SECURITYDIR ?= $(shell dirname "$$(ls /lib/*-linux-gnu/security/pam_unix.so /usr/lib64/security/pam_unix.so \
	/usr/lib/security/pam_unix.so 2>/dev/null | head -n 1)" | sed 's|^\.$$|/usr/lib/security|')
TARGET := $(abspath $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target))

# What the build, the tests, the demo and the benchmark need of Debian.
PACKAGES := gcc libc6-dev pkg-config libpam0g-dev libsqlite3-dev libssl-dev make openssl \
	openssh-server openssh-client dropbear-bin sudo login util-linux procps pamtester \
	postfix python3 python3-aiosmtpd python3-paramiko sqlite3 strace oathtool \
	curl jq freeradius freeradius-utils zbar-tools libpam-google-authenticator libpam-oath tmux fail2ban mandoc
DEB_PACKAGES := debhelper dh-apparmor dpkg-dev fakeroot lintian libpam0g-dev gcc libc6-dev
RPM_PACKAGES := rpm gcc libc6-dev libpam0g-dev selinux-policy-dev
QEMU_PACKAGES := mmdebstrap qemu-system-x86 seabios e2fsprogs python3 selinux-policy-dev
TREE_PACKAGES := mmdebstrap selinux-policy-dev apparmor

.PHONY: all deps build demo test lint bench torture install deb rpm test-packages test-confinement clean

all: build

# Installs what is missing, without starting any service; says nothing where nothing is.
deps:
	@packaging/install-packages $(PACKAGES)

build: deps
	cargo build --release --workspace

demo: deps
	cargo build --release --workspace --quiet
	$(TARGET)/release/mfad-demo

# Everything that CI runs. Stories need root: they make users, mounts and PAM stacks, all in private namespaces.
test: deps
	cargo build --workspace
	cargo build --release -p pam_mfad
	@if cargo nextest --version >/dev/null 2>&1; then \
		MFAD_RELEASE_MODULE=$(TARGET)/release/libpam_mfad.so cargo nextest run --no-fail-fast --workspace; \
	else \
		MFAD_RELEASE_MODULE=$(TARGET)/release/libpam_mfad.so cargo test --no-fail-fast --workspace; \
	fi

# The slow proofs: more kills, more races, logins under AppArmor and SELinux, what the RPM packages hold.
torture: deps
	cargo build --workspace
	MFAD_TORTURE=1 cargo test -p mfad-tests -- --nocapture
	$(MAKE) test-confinement
	$(MAKE) rpm
	packaging/test/listings $(TARGET)

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --offline check bans licenses sources; \
		else echo "lint: cargo-deny is not installed, licences and sources were not checked"; fi
	@if cargo machete --version >/dev/null 2>&1; then cargo machete; \
		else echo "lint: cargo-machete is not installed, unused dependencies were not looked for"; fi

bench: deps
	cargo build --release --workspace
	bench/run

install:
	install -D -m 0644 $(TARGET)/release/libpam_mfad.so $(DESTDIR)$(SECURITYDIR)/pam_mfad.so
	install -D -m 0755 $(TARGET)/release/mfad $(DESTDIR)$(PREFIX)/sbin/mfad
	install -D -m 0755 $(TARGET)/release/mfactl $(DESTDIR)$(PREFIX)/bin/mfactl
	install -D -m 0755 -t $(DESTDIR)$(PREFIX)/share/doc/mfad/examples docs/guide/examples/*-hook
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/doc/mfad/examples docs/guide/examples/README.md \
		packaging/systemd/credentials.conf
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/mfad packaging/email.html
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man1 docs/man/*.1
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man5 docs/man/*.5
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man8 docs/man/*.8
	install -D -m 0644 packaging/completions/mfactl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mfactl
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d packaging/completions/mfactl.fish
	install -D -m 0644 -t $(DESTDIR)$(ZSHDIR) packaging/completions/_mfactl
	install -D -m 0644 -t $(DESTDIR)$(UNITDIR) packaging/systemd/mfad.service packaging/systemd/mfad.socket \
		packaging/systemd/mfad-sendmail.socket packaging/systemd/mfad-sendmail@.service
	install -D -m 0644 packaging/sysusers/mfad.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/mfad.conf
	install -D -m 0644 packaging/tmpfiles/mfad.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/mfad.conf
	install -D -m 0644 -t $(DESTDIR)/etc/fail2ban/filter.d packaging/fail2ban/filter.d/mfad.conf
	install -D -m 0644 -t $(DESTDIR)/etc/fail2ban/jail.d packaging/fail2ban/jail.d/mfad.conf
	install -D -m 0644 -t $(DESTDIR)/etc/logcheck/ignore.d.server packaging/logcheck/ignore.d.server/mfad
	install -D -m 0644 -t $(DESTDIR)/etc/apparmor.d packaging/apparmor/usr.sbin.mfad
	install -D -m 0644 packaging/apparmor/authentication.d-mfad \
		$(DESTDIR)/etc/apparmor.d/abstractions/authentication.d/mfad
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/doc/mfad/examples/selinux packaging/selinux/mfad.*
	test -e $(DESTDIR)/etc/mfad/mfad.toml || install -D -m 0644 packaging/mfad.toml $(DESTDIR)/etc/mfad/mfad.toml

# Debian packages, in $(TARGET)/deb. Crates that cargo has not got yet come from crates.io; the build itself is offline.
deb:
	@packaging/install-packages $(DEB_PACKAGES)
	packaging/build-deb $(TARGET)

# RPM packages, in $(TARGET)/rpm.
rpm:
	@packaging/install-packages $(RPM_PACKAGES)
	packaging/build-rpm $(TARGET)

# Installs the packages on throw-away Debian systems and logs in there. As root; leaves nothing behind.
test-packages: deb
	@packaging/install-packages $(TREE_PACKAGES)
	packaging/test/listings $(TARGET)
	packaging/test/policies
	packaging/test/run $(TARGET)

# Enforces the AppArmor profile and the SELinux module in emulated machines, and logs in there. As root; leaves nothing behind.
test-confinement: deb
	@packaging/install-packages $(QEMU_PACKAGES)
	packaging/test/lsm $(TARGET)

clean:
	cargo clean
