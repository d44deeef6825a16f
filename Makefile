# SPDX-License-Identifier: GPL-2.0
#
# A wrapper for people: Kbuild says what is built, kbuild itself (and DKMS)
# never reads this file because a Kbuild stands beside it.

KDIR	?= /lib/modules/$(shell uname -r)/build
VERSION	:= $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)

# dkms-install: for which kernel, RELEASE or RELEASE/ARCH, when not the running
# one; and where DKMS finds sources and keeps its own
DKMS_KERNEL	?=
DKMS_SOURCETREE	?= /usr/src
DKMS_OPTIONS	?=
dkms-dir	= $(DESTDIR)$(DKMS_SOURCETREE)/kmemlab-$(VERSION)
dkms-package	= -m kmemlab -v $(VERSION) --sourcetree '$(DKMS_SOURCETREE)' \
		  $(DKMS_OPTIONS)
dkms		= PATH="$$PATH:/usr/sbin:/sbin" dkms

kbuild = $(MAKE) -C '$(KDIR)' M='$(CURDIR)'

all: modules ## build the modules for the running kernel, or for KDIR=

modules: kernel-headers
	+$(kbuild) modules

modules_install: kernel-headers ## install them (INSTALL_MOD_PATH= for another root)
	+$(kbuild) modules_install

clean: ## remove what was built
	+@if [ -e '$(KDIR)/Makefile' ]; then $(kbuild) clean; else \
		echo 'no kernel in $(KDIR); KDIR= cleans what was built for another'; fi
	+@for dir in $(dir $(wildcard tests/*/Makefile)); do \
		$(MAKE) -C $$dir clean || exit; done

run: ## the tour: boot the default board in QEMU and show the modules at work
	scripts/tour

check: ## all host tests, then the selftests on five boards in QEMU
	scripts/check

check-all: ## the same on every board
	scripts/check --all

bench: ## cost in guest instructions, measured on the default board
	scripts/bench

lint: ## checkpatch, sparse, W=1, shellcheck and the project's own rules
	scripts/lint

dkms-install: ## build and install through DKMS (as root), again for each new kernel
	@[ ! -e '$(dkms-dir)' ] || \
		{ echo '$(dkms-dir) is there already: make dkms-remove first' >&2; exit 1; }
	$(MAKE) dkms-sources
	$(dkms) add $(dkms-package)
	$(dkms) install $(dkms-package) $(if $(DKMS_KERNEL),-k $(DKMS_KERNEL))

# What DKMS needs of the tree; the Debian package installs it too.
dkms-sources:
	mkdir -p '$(dkms-dir)'
	find COPYING Kbuild dkms.conf compat include $(dir $(wildcard */Kbuild)) \
		-type f ! -name '.*' ! -name '*.o' ! -name '*.ko' ! -name '*.mod' \
		! -name '*.mod.c' ! -name modules.order -exec \
		cp -p --parents -t '$(dkms-dir)' {} +

dkms-remove: ## undo dkms-install, for all kernels (as root)
	$(dkms) remove $(dkms-package) --all
	rm -rf '$(dkms-dir)'

help: ## this text
	@echo 'kmemlab $(VERSION). Targets:'
	@sed -n 's/^\([a-z_-]*\):.*## /\1 /p' Makefile | \
		while read -r target text; do printf '  %-16s %s\n' "$$target" "$$text"; done
	@echo
	@echo 'Variables: KDIR (kernel build directory; now $(KDIR)),'
	@echo '  ARCH and CROSS_COMPILE as for the kernel, INSTALL_MOD_PATH, V=1, W=1, C=2.'
	@echo 'A board: scripts/vm --list names them, scripts/vm BOARD gives a shell on one.'

kernel-headers:
	@[ -e '$(KDIR)/Makefile' ] || { \
		echo 'No kernel to build for: $(KDIR) has no Makefile.'; \
		echo 'Install the headers of the running kernel:'; \
		echo '  Debian, Ubuntu  apt install linux-headers-$(shell uname -r)'; \
		echo '  Fedora, RHEL    dnf install kernel-devel-$(shell uname -r)'; \
		echo 'or name another kernel: make KDIR=DIRECTORY'; \
		exit 1; } >&2

.PHONY: all modules modules_install clean run check check-all bench lint \
	dkms-install dkms-sources dkms-remove help kernel-headers
