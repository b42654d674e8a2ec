# loggbook: `make help` lists the targets, `make deps reports` does the main job.
#   PROFILE=quick|standard|large|million   DATA=DIR (your own shards)   V=1 (show commands)
#   MODE=release|asan|debug   CC=gcc|clang   BUILD=DIR
SHELL   := /bin/sh
VERSION := $(shell cat VERSION)
DATA    ?=
PROFILE ?= $(if $(DATA),own,standard)
MODE    ?= release
BUILD   ?= build
ifeq ($(origin CC),default)
CC      := gcc
endif
OBJ     := $(BUILD)/$(MODE)
BIN     := $(BUILD)/bin
Q       := $(if $(V),,@)
# A thread that waits sleeps: on a busy machine one that spins takes the core of one that works.
export OMP_WAIT_POLICY ?= passive

# Two jobs for the main work unless told otherwise (-j1): while one experiment has work for a single
# thread, or waits for the disk, another uses the other core.
ifeq ($(MAKELEVEL),0)
ifneq ($(filter all reports md html pdf records e%,$(or $(MAKECMDGOALS),reports)),)
MAKEFLAGS += -j2
endif
endif

.DEFAULT_GOAL := reports
.DELETE_ON_ERROR:
.SECONDARY:

.PHONY: deps
deps:                                 ## install what building, reports and tests need (Debian, Ubuntu)
	$(Q)sh tests/deps.sh

# `make deps reports`: the other goals run in a make of their own, which can see what was installed.
ifneq ($(filter deps,$(MAKECMDGOALS)),)
OTHERS := $(filter-out deps,$(MAKECMDGOALS))
.PHONY: $(OTHERS)
$(OTHERS): deps
	@$(MAKE) --no-print-directory $@
else

# --- the house: layers, and what each may lean on (checked by `make layers`) ---------------------
LAYERS       := core linalg data models stats figure record report views publish study
needs_core   :=
needs_linalg := core
needs_data   := linalg core
needs_models := linalg core
needs_stats  := linalg core
needs_figure := core
needs_record := core
needs_report := record core
needs_views  := report record figure core
needs_publish := views report record figure core
needs_study  := record stats models data linalg core

PKGS := hdf5 gsl openblas cairo pangocairo yaml-0.1 jansson libcrypto libarchive
CFLAGS_release := -O3
CFLAGS_debug   := -O0
CFLAGS_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CPPFLAGS += -Isrc -DLB_VERSION='"$(VERSION)"' -D_GNU_SOURCE $(shell pkg-config --cflags $(PKGS) 2>/dev/null) -MMD -MP
# One set of floating-point rules everywhere: no contraction, so noise has the same bits on every CPU.
CFLAGS   += -std=c11 -g -Wall -Wextra -Wshadow -fopenmp -ffp-contract=off -fno-math-errno -fno-trapping-math \
            $(CFLAGS_$(MODE)) $(WERROR)
# GSL must find OpenBLAS's CBLAS, not its own slow one.
LDLIBS    := $(filter-out -lgslcblas,$(shell pkg-config --libs $(PKGS) 2>/dev/null)) -lm
TEST_LIBS := $(shell pkg-config --libs criterion 2>/dev/null)

objects_of = $(patsubst src/%.c,$(OBJ)/%.o,$(wildcard src/$(1)/*.c))
library    = $(OBJ)/liblb_$(1).a
libraries  = $(foreach l,$(1) $(needs_$(1)),$(call library,$(l)))
ALL_LIBS  := $(foreach l,study publish views report record figure stats models data linalg core,$(call library,$(l)))

EXPERIMENTS := $(notdir $(wildcard templates/experiments/e*))
# Numbers that another program computed take the place of one of ours: templates/experiments/NAME/numbers.json.
IMPORTED    := $(patsubst templates/experiments/%/numbers.json,%,$(wildcard templates/experiments/e*/numbers.json))
PROGRAMS    := $(addprefix $(BIN)/,$(filter-out $(IMPORTED),$(EXPERIMENTS)) simulate loggbook)

$(OBJ)/%.o: src/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@
$(OBJ)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests -Itests/unit $(CFLAGS) -c $< -o $@

define layer_rules
$(call library,$(1)): $(call objects_of,$(1))
	@mkdir -p $$(@D) && rm -f $$@
	$(Q)ar rcs $$@ $$^
$(OBJ)/test_$(1): $(patsubst %.c,$(OBJ)/%.o,$(wildcard tests/unit/$(1)/*.c) tests/unit/main.c) $(call libraries,$(1))
	$(Q)$(CC) $(CFLAGS) $$^ $(TEST_LIBS) $(LDLIBS) -o $$@
.PHONY: unit-$(1)
unit-$(1): $(OBJ)/test_$(1)
	$(Q)$$<
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rules,$(l))))

# Experiments do not lean on reports, views and publishing: a change there reruns no experiment.
STUDY_LIBS := $(filter-out $(foreach l,report views publish,$(call library,$(l))),$(ALL_LIBS))
link = @mkdir -p $(@D) && $(CC) $(CFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS) -o $@
$(BIN)/%: $(OBJ)/experiments/%.o $(STUDY_LIBS)
	$(link)
# An experiment with much to show has parts: src/experiments/NAME/*.c.
parts_of = $(patsubst src/%.c,$(OBJ)/%.o,$(wildcard src/experiments/$(1)/*.c))
$(foreach e,$(EXPERIMENTS),$(if $(call parts_of,$(e)),$(eval $(BIN)/$(e): $(call parts_of,$(e)))))
$(BIN)/%: $(OBJ)/tools/%.o $(ALL_LIBS)
	$(link)
$(BIN)/crosscheck_export: $(OBJ)/tests/crosscheck/export.o $(OBJ)/tests/crosscheck/npy.o $(ALL_LIBS)
	$(link)
# A model or statistic before its witness: tests/crosscheck/NAME.c and NAME.py.
WITNESSES := $(filter-out export npy witness,$(notdir $(basename $(wildcard tests/crosscheck/*.c))))
$(BIN)/witness_%: $(OBJ)/tests/crosscheck/%.o $(OBJ)/tests/crosscheck/witness.o $(OBJ)/tests/crosscheck/npy.o $(ALL_LIBS)
	$(link)
$(BIN)/bench_ridge: $(OBJ)/tests/bench/bench_ridge.o $(ALL_LIBS)
	$(link)

-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)

.PHONY: programs
programs: $(PROGRAMS)                 ## compile everything

# --- data -> records -> reports -------------------------------------------------------------------
larger_quick    := quick_large
larger_standard := large
LARGER  := $(if $(DATA),,$(larger_$(PROFILE)))
SPECTRA := $(if $(DATA),$(DATA),data/spectra/$(PROFILE))
RESULTS := data/results/$(PROFILE)
FIGURES := $(if $(filter standard,$(PROFILE)),figures,$(BUILD)/$(PROFILE)/figures)
REPORTS := $(if $(filter standard,$(PROFILE)),reports,$(BUILD)/$(PROFILE)/reports)
DRAFTS  := $(BUILD)/$(PROFILE)/drafts
DIST    ?= $(if $(filter standard,$(PROFILE)),dist,$(BUILD)/$(PROFILE)/dist)
LANGS   := en zh
PLACES  := --profile $(PROFILE) --results $(RESULTS) --figures $(FIGURES)
# The rows of this profile are made as they are read: a million of them would be 33 GB.
STREAMED := $(if $(DATA),,$(filter million,$(PROFILE)))
STAMPS  := $(if $(DATA)$(STREAMED),,$(SPECTRA)/.complete) $(if $(LARGER),data/spectra/$(LARGER)/.complete)
# The longest are begun first: one that is left over at the end has only one core at work. `make status` (STATUS=1)
# names them by number.
LONGEST := $(if $(STATUS),,$(foreach e,e11 e07 e22 e12 e15 e18,$(filter $(e)_%,$(EXPERIMENTS))))
IN_TURN := $(LONGEST) $(filter-out $(LONGEST),$(EXPERIMENTS))
RECORDS := $(IN_TURN:%=$(RESULTS)/%.h5)
PAGES   := $(foreach l,$(LANGS),$(IN_TURN:%=%.$(l)))
VIEWS   := $(foreach l,$(LANGS),$(addsuffix .$(l),summary framework hub roadmap kanban cards))
AUDIT   := $(LANGS:%=audit.%)

# `simulate` keeps finished shards, so .complete moves only when a shard did. Under -n make cannot know whether one
# will; `make status` (STATUS=1) takes .complete as it stands.
data/spectra/%/.checked: $(BIN)/simulate data/grid/stellar_grid.h5 data/grid/sky_lines.tsv
	@mkdir -p $(@D)
	$(Q)$(BIN)/simulate --profile $* --out $(@D)
	@if [ ! -e $(@D)/.complete ] || [ -n "$$(find $(@D) -name dataset.h5 -newer $(@D)/.complete)" ]; then touch $(@D)/.complete; fi
	@touch $@
data/spectra/%/.complete: $(if $(STATUS),,data/spectra/%/.checked)
	@test -e $@ || touch $@

# Where many records are to be made each job keeps to its share of the cores: threads of two programs take each
# other's caches (4 % of the time). Where few are, one that ends would leave its share idle.
MANY    := $(if $(filter e%,$(MAKECMDGOALS)),,$(word 5,$(filter-out $(wildcard $(RESULTS)/*.h5),$(RECORDS))))
JOBS     = $(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS)))
SHARE    = $(if $(and $(MANY),$(JOBS)),OMP_NUM_THREADS=$$((($$(nproc) + $(JOBS) - 1) / $(JOBS))))
$(RESULTS)/%.h5: $(BIN)/% templates/experiments/%/spec.yaml $(STAMPS)
	@mkdir -p $(@D) $(FIGURES)
	$(Q)$(SHARE) $(BIN)/$* --profile $(PROFILE) $(if $(STREAMED),,--data $(SPECTRA)) --results $(RESULTS) --figures $(FIGURES) \
	    $(if $(LARGER),--replication data/spectra/$(LARGER))

$(filter-out $(KEEP),$(IMPORTED:%=$(RESULTS)/%.h5)): $(RESULTS)/%.h5: templates/experiments/%/numbers.json templates/experiments/%/spec.yaml $(BIN)/loggbook
	$(Q)$(BIN)/loggbook import $(PLACES) --as $* $<

# What the standard profile quotes of a run on a million rows (study/quote.h).
ifeq ($(PROFILE),standard)
$(foreach f,$(wildcard data/frozen/million/*.tsv),$(eval $(filter-out $(KEEP),$(RESULTS)/$(notdir $(basename $(f))).h5): $(f)))
endif

# Records that `make watch` may not run again are good as they are.
$(KEEP): ;

# A report may quote other experiments: it then waits for their records too.
quoted = $(filter-out $(1),$(foreach e,$(sort $(shell grep -ohE '\be[0-9][0-9]\.' templates/experiments/$(1)/report.*.md)),$(filter $(e:.=)_%,$(EXPERIMENTS))))
# Under -n make 4.3 loses what follows from one of two files that are made together: for `make status` they are not.
define report_rules
$(REPORTS)/$(1).$(2).md $(DRAFTS)/$(1).$(2).md $(if $(STATUS),,&): $(RESULTS)/$(1).h5 $(patsubst %,$(RESULTS)/%.h5,$(call quoted,$(1))) \
		templates/experiments/$(1)/report.$(2).md $(wildcard data/frozen/$(PROFILE)/$(1).tsv) $(BIN)/loggbook
	@mkdir -p $(REPORTS) $(DRAFTS)
	$$(Q)$(BIN)/loggbook fill $(PLACES) --lang $(2) --out $(REPORTS)/$(1).$(2).md --annotated $(DRAFTS)/$(1).$(2).md \
	    --depfile $(DRAFTS)/$(1).$(2).d $(1)
-include $(wildcard $(DRAFTS)/$(1).$(2).d)
endef
$(foreach e,$(EXPERIMENTS),$(foreach l,$(LANGS),$(eval $(call report_rules,$(e),$(l)))))
# What cannot be filled leaves the page there was.
.PRECIOUS: $(PAGES:%=$(REPORTS)/%.md) $(PAGES:%=$(DRAFTS)/%.md)

# The documents above the reports are filled from all records at once, all or none.
define view_rules
$(VIEWS:%=$(REPORTS)/%.md) $(VIEWS:%=$(DRAFTS)/%.md) $(if $(STATUS),,&): $(PAGES:%=$(REPORTS)/%.md) $(RECORDS) \
		$(wildcard templates/views/*.*) $(wildcard data/frozen/$(PROFILE)/*.tsv) $(BIN)/loggbook
	@mkdir -p $(DRAFTS)
	$$(Q)$(BIN)/loggbook views $(PLACES) --out $(REPORTS) --annotated $(DRAFTS)
$(AUDIT:%=$(REPORTS)/%.md) $(AUDIT:%=$(DRAFTS)/%.md) $(if $(STATUS),,&): $(VIEWS:%=$(REPORTS)/%.md) \
		$(wildcard templates/views/audit/*) $(wildcard data/published/*.tsv) $(if $(filter standard,$(PROFILE)),README.md)
	$$(Q)$(BIN)/loggbook audit $(PLACES) --out $(REPORTS) --annotated $(DRAFTS)
endef
$(eval $(view_rules))

PANDOC_FILES := $(wildcard templates/pandoc/*.*)
$(REPORTS)/%.html: $(DRAFTS)/%.md $(PANDOC_FILES)
	$(Q)sh templates/pandoc/html.sh $< $@ $(REPORTS)
$(REPORTS)/%.pdf: $(DRAFTS)/%.md $(PANDOC_FILES)
	$(Q)sh templates/pandoc/pdf.sh $< $@ $(REPORTS)

have = $(shell command -v $(1) 2>/dev/null)
FORMATS := md $(if $(call have,pandoc),html) $(if $(and $(call have,pandoc),$(call have,xelatex)),pdf)
.PHONY: all reports views md html pdf records spectra
all: reports
reports: $(FORMATS) lint              ## the main job: data, experiments and reports (md, html, pdf)
	@$(if $(call have,pandoc),:,echo 'HTML and PDF skipped: pandoc is not installed (make deps)')
	@$(if $(or $(call have,xelatex),$(if $(call have,pandoc),,x)),:,echo 'PDF skipped: xelatex is not installed (make deps)')
views: $(foreach f,$(FORMATS),$(VIEWS:%=$(REPORTS)/%.$(f)))  ## the documents above the reports: summary, framework, hub, roadmap, kanban, cards
md:   $(PAGES:%=$(REPORTS)/%.md)      ## the reports as Markdown
html: $(PAGES:%=$(REPORTS)/%.html)    ## the reports as self-contained HTML
pdf:  $(PAGES:%=$(REPORTS)/%.pdf)     ## the reports as PDF, the .tex beside them
records: $(RECORDS)                   ## run the experiments
spectra: $(STAMPS)                    ## simulate the spectra of the profile

define short_name
.PHONY: $(word 1,$(subst _, ,$(1)))
$(word 1,$(subst _, ,$(1))): $(foreach l,$(LANGS),$(foreach f,$(FORMATS),$(REPORTS)/$(1).$(l).$(f)))
endef
$(foreach e,$(EXPERIMENTS),$(eval $(call short_name,$(e))))

# --- is it still true? ----------------------------------------------------------------------------
.PHONY: verify freeze diff lint crosscheck mutate bench audit
verify: $(RECORDS) $(BIN)/loggbook    ## compare the records with their frozen values
	$(Q)$(BIN)/loggbook verify $(PLACES) $(EXPERIMENTS)
freeze: $(RECORDS) $(BIN)/loggbook    ## make today's results the reference: REASON="what moved and why"
	$(Q)$(BIN)/loggbook freeze $(PLACES) --reason "$(REASON)" $(EXPERIMENTS)
diff: $(BIN)/loggbook                 ## what changed, for a pull request: A=rev B=rev (no B: the working tree)
	$(Q)$(BIN)/loggbook diff $(PLACES) --reports $(REPORTS) "$(A)" "$(B)"
lint: $(RECORDS) $(PAGES:%=$(REPORTS)/%.md) $(BIN)/loggbook  ## typed digits, unused keys, missing figures, English against Chinese
	$(Q)$(BIN)/loggbook lint $(PLACES) $(EXPERIMENTS)
audit: $(VIEWS:%=$(REPORTS)/%.md)     ## contradictions among all printed numbers, theirs and ours: audit.{en,zh}.md
	$(Q)$(BIN)/loggbook audit $(PLACES) --out $(REPORTS) --annotated $(DRAFTS)
crosscheck: $(BIN)/crosscheck_export $(BIN)/loggbook $(WITNESSES:%=$(BIN)/witness_%)  ## NumPy and scikit-learn recompute models and the quick profile
	$(Q)$(MAKE) --no-print-directory PROFILE=quick DATA= records
	$(Q)sh tests/crosscheck/run.sh $(WITNESSES) records
MUTATED := e01_baseline e02_piecewise e03_validation e05_quantile_bins e10_gate_noise
mutate: $(BIN)/loggbook               ## spoil copies of reports and records, count what the checks catch
	$(Q)$(MAKE) --no-print-directory PROFILE=quick DATA= md html
	$(Q)python3 tests/mutate/mutate.py --each 10 --score tests/mutate/score.txt $(MUTATED)
bench: $(BIN)/bench_ridge $(WITNESSES:%=$(BIN)/witness_%)  ## wall time and memory beside scikit-learn, in one run
	$(Q)sh tests/bench/bench.sh; missed=$$?; sh tests/crosscheck/run.sh --full $(WITNESSES) && exit $$missed

# --- tests ----------------------------------------------------------------------------------------
.PHONY: check test asan valgrind layers format format-check
check: programs $(BIN)/bench_ridge $(BIN)/crosscheck_export $(WITNESSES:%=$(BIN)/witness_%) $(addprefix $(OBJ)/test_,$(LAYERS))  ## unit tests, golden tests, faults, quick profile end to end
	$(Q)sh tests/run.sh $(addprefix $(OBJ)/test_,$(LAYERS)) tests/layers.sh tests/faults/run.sh tests/quick.sh tests/independent/run.sh tests/mutate/run.sh tests/import/run.sh tests/docs.sh tests/pandoc.sh tests/publish.sh tests/watch.sh
test: $(addprefix $(OBJ)/test_,$(LAYERS))             ## the unit tests alone
	$(Q)sh tests/run.sh $^
asan:                                 ## the unit tests under ASan and UBSan; a leak fails
	@rm -f $(BUILD)/leak.*
	$(Q)ASAN_OPTIONS=log_path=$(CURDIR)/$(BUILD)/leak UBSAN_OPTIONS=halt_on_error=1 \
	    $(MAKE) --no-print-directory MODE=asan test
	@! grep -hsA 40 'ERROR: ' $(BUILD)/leak.*  # Criterion passes a test that leaks; the log tells
valgrind: $(addprefix $(OBJ)/test_,$(LAYERS))         ## the unit tests under valgrind; a leak fails
	$(Q)sh tests/valgrind.sh $(BUILD)/valgrind $^
layers:                               ## who includes whom, against the table above
	$(Q)sh tests/layers.sh
format:                               ## clang-format the sources
	$(Q)clang-format -i $$(git ls-files src tests | grep "\.[ch]$$" | grep -v golden)
format-check:
	$(Q)clang-format --dry-run --Werror $$(git ls-files src tests | grep "\.[ch]$$" | grep -v golden)

# --- housekeeping ---------------------------------------------------------------------------------
.PHONY: help new status stages watch publish publish-check clean distclean
new: $(BIN)/loggbook                  ## start an experiment that already builds: EXP=e23_idea
	$(Q)$(BIN)/loggbook new "$(EXP)"
	$(Q)$(MAKE) --no-print-directory PROFILE=quick DATA= EXPERIMENTS="$(EXP)" REASON="as make new wrote it" freeze
status:                               ## what is stale, and because of which file; builds nothing
	@MAKE="$(MAKE)" LOGGBOOK=$(BIN)/loggbook REPORTS=$(REPORTS) sh make/status.sh $(PLACES) || [ $$? -eq 1 ]
stages: $(STAMPS:%.complete=%.checked) records $(FORMATS) $(wildcard $(foreach v,$(VIEWS) $(AUDIT),$(REPORTS)/$(v).md) $(DIST)/MANIFEST.sha256)
watch:                                ## rebuild what a saved file touches, and say so: EXP="e03 e07" for these alone
	@MAKE="$(MAKE)" REPORTS=$(REPORTS) RESULTS=$(RESULTS) PROFILE=$(PROFILE) FORMAT=$(lastword $(filter md html,$(FORMATS))) sh make/watch.sh $(EXP)
publish: reports views verify
publish $(DIST)/MANIFEST.sha256: $(foreach f,$(FORMATS),$(foreach p,$(PAGES) $(VIEWS) $(AUDIT),$(REPORTS)/$(p).$(f))) $(BIN)/loggbook  ## dist/: site, PDFs, LaTeX, records, numbers, RO-Crate, manifest
	$(Q)$(BIN)/loggbook publish $(PLACES) --reports $(REPORTS) $(DIST)
publish-check: $(BIN)/loggbook        ## compare a published folder with its manifest: DIST=DIR
	$(Q)$(BIN)/loggbook publish-check $(DIST)
clean:                                ## remove what was compiled and drafted
	rm -rf $(BUILD)
distclean: clean                      ## also the generated spectra, records and dist/
	rm -rf data/spectra data/results dist
help:                                 ## this list
	@sed -n 's/^\([a-z-]*\)[ :][^#]*## \(.*\)/\1	\2/p' Makefile | awk -F'\t' '{printf "  %-12s %s\n", $$1, $$2}'
	@echo '  eNN          one experiment with its reports: $(sort $(foreach e,$(EXPERIMENTS),$(word 1,$(subst _, ,$(e)))))'
	@echo 'Variables: PROFILE=quick|standard|large|million  DATA=DIR  V=1  (now: PROFILE=$(PROFILE))'
endif
