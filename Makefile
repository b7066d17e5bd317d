# SPDX-License-Identifier: GPL-2.0
# xen-duct: "make help" says what there is.

# The newest installed headers, unless told otherwise.
KERNELRELEASE ?=
ifneq ($(KERNELRELEASE),)
KDIR ?= /lib/modules/$(KERNELRELEASE)/build
else
KDIR ?= $(shell ls -d /lib/modules/*/build 2>/dev/null | sort -V | tail -n 1)
endif
RIG := tools/testing/rig

all: modules ductctl libduct

modules: kdir-check
	$(MAKE) -C $(KDIR) M=$(CURDIR) $(if $(W),,W=1) modules

modules_install: kdir-check
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

ductctl: ductctl-check
	$(MAKE) -C tools/ductctl

libduct: libduct-check
	$(MAKE) -C tools/libduct

install: modules_install
	$(MAKE) -C tools/ductctl install
	$(MAKE) -C tools/libduct install

# One line for each thing that may be missing, with the package that has it.
kdir-check:
	@[ -n "$(KDIR)" ] && [ -e "$(KDIR)/Makefile" ] || \
		{ echo "xen-duct: no kernel headers in '$(KDIR)': install linux-headers-amd64, or set KDIR" >&2; exit 1; }
	@[ -e "$(KDIR)/include/config/auto.conf" ] || \
		{ echo "xen-duct: $(KDIR) is not prepared for modules: install linux-headers-amd64, or run 'make modules_prepare' there" >&2; exit 1; }
	@grep -qs '^CONFIG_XEN=y' "$(KDIR)/include/config/auto.conf" || \
		{ echo "xen-duct: the kernel of $(KDIR) has no CONFIG_XEN: take linux-headers-amd64, or a kernel with it" >&2; exit 1; }
	@command -v $(CC) >/dev/null || { echo "xen-duct: no $(CC): install gcc" >&2; exit 1; }

ductctl-check:
	@[ -e /usr/include/xenstore.h ] || { echo "xen-duct: no xenstore.h: install libxen-dev" >&2; exit 1; }
	@[ -e /usr/include/json-c/json.h ] || { echo "xen-duct: no json-c: install libjson-c-dev" >&2; exit 1; }

libduct-check:
	@command -v $(CC) >/dev/null || { echo "xen-duct: no $(CC): install gcc" >&2; exit 1; }
	@[ -e /usr/include/linux/ioctl.h ] || { echo "xen-duct: no C library's headers: install libc6-dev" >&2; exit 1; }

# ---- tests; these install what they need ----

demo:
	@$(RIG)/deps build tools rig
	@$(RIG)/run demo

check:
	@tools/testing/check

nightly:
	@tools/testing/check nightly

mutants:
	@$(RIG)/deps build rig kernels unit model
	@tools/testing/mutants/run

newest:
	@$(RIG)/deps build tools rig newest
	@$(RIG)/run -k newest link

# Beside libxenvchan, netfront, blkfront, sockets: see tools/testing/bench/README.md.
bench:
	@tools/testing/bench/run

# One seed of the simulator, with its trace, and as little of it as fails.
sim:
	@$(RIG)/deps unit
	@$(MAKE) -s -C tools/testing/sim $(if $(FAULT),fault FAULT=$(FAULT),run SEED=$(or $(SEED),1))

sparse: kdir-check
	$(MAKE) -C $(KDIR) M=$(CURDIR) W=1 C=2 CF=-D__CHECK_ENDIAN__ modules

style:
	@tools/testing/style

doc:
	@$(RIG)/deps doc unit
	@$(MAKE) -C Documentation html

clean:
	@[ ! -e "$(KDIR)/Makefile" ] || $(MAKE) -C $(KDIR) M=$(CURDIR) clean
	$(MAKE) -C tools/ductctl clean
	$(MAKE) -C tools/libduct clean

help:
	@echo 'Two commands do everything on a fresh Debian 12:'
	@echo '  make demo             boot real Xen under QEMU and show the transport working'
	@echo '  make check            build with every warning fatal and run every test'
	@echo 'Building:'
	@echo '  make                  the modules for KDIR, ductctl and libduct'
	@echo '  make modules ductctl libduct  one of them'
	@echo '  make modules_install  the modules;  make install: all three'
	@echo '  make sparse style doc clean'
	@echo 'More tests:'
	@echo '  make nightly          the long ones'
	@echo '  make mutants          take each rule out: does a test notice?'
	@echo '  make sim SEED=N       what seed N does in the simulator of both ends; FAULT=N: fault N'
	@echo '  make newest           on the newest kernel in reach'
	@echo '  make bench            a table and plots: ours beside its peers, in one boot'
	@echo '  make bench HOST=1 GUEST=NAME  the same on this Xen host, with a guest that runs'
	@echo 'Variables: KDIR (now $(KDIR)), KERNELRELEASE, V, C, W'

.PHONY: all modules modules_install ductctl libduct install kdir-check ductctl-check \
	libduct-check demo check nightly mutants newest bench sim sparse style doc clean help
