# loggbook: `make help` lists the targets.
VERSION := $(shell cat VERSION)
PROFILE ?= standard
MODE    ?= release
ifeq ($(origin CC),default)
CC      := gcc
endif
BUILD   ?= build
OBJ     := $(BUILD)/$(MODE)
BIN     := $(BUILD)/bin
Q       := $(if $(V),,@)

# --- the house: layers, and what each may lean on (checked by `make layers`) ---------------------
LAYERS      := core linalg data models stats figure record report
needs_core   :=
needs_linalg := core
needs_data   := linalg core
needs_models := linalg core
needs_stats  := linalg core
needs_figure := core
needs_record := core
needs_report := record core

PKGS := hdf5 gsl openblas cairo pangocairo yaml-0.1 jansson libcrypto
CFLAGS_release := -O3
CFLAGS_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CFLAGS_debug   := -O0
CPPFLAGS += -Isrc -DLB_VERSION='"$(VERSION)"' -D_GNU_SOURCE $(shell pkg-config --cflags $(PKGS)) -MMD -MP
# One set of floating-point rules everywhere: no contraction, so noise has the same bits on every CPU.
CFLAGS   += -std=c11 -g -Wall -Wextra -Wshadow -fopenmp -ffp-contract=off -fno-math-errno -fno-trapping-math $(CFLAGS_$(MODE)) $(WERROR)
# GSL must find OpenBLAS's CBLAS, not its own slow one.
LDLIBS   := $(filter-out -lgslcblas,$(shell pkg-config --libs $(PKGS))) -lm
TEST_LIBS := $(shell pkg-config --libs criterion 2>/dev/null)

sources_of = $(wildcard src/$(1)/*.c)
objects_of = $(patsubst src/%.c,$(OBJ)/%.o,$(call sources_of,$(1)))
library    = $(OBJ)/liblb_$(1).a
libraries  = $(foreach l,$(1) $(needs_$(1)),$(call library,$(l)))
ALL_LIBS  := $(foreach l,report record figure stats models data linalg core,$(call library,$(l)))

$(OBJ)/%.o: src/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

define layer_rules
$(call library,$(1)): $(call objects_of,$(1))
	@mkdir -p $$(@D); rm -f $$@
	$(Q)ar rcs $$@ $$^
$(OBJ)/test_$(1): $(patsubst tests/unit/%.c,$(OBJ)/unit/%.o,$(wildcard tests/unit/$(1)/*.c)) $(OBJ)/unit/main.o $(call libraries,$(1))
	$(Q)$(CC) $(CFLAGS) $$^ $(TEST_LIBS) $(LDLIBS) -o $$@
unit-$(1): $(OBJ)/test_$(1)
	$(Q)$$<
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rules,$(l))))

$(OBJ)/unit/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests/unit $(CFLAGS) -c $< -o $@

$(BIN)/%: $(OBJ)/experiments/%.o $(ALL_LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@
$(BIN)/%: $(OBJ)/tools/%.o $(ALL_LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.SECONDARY:
