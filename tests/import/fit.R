#!/usr/bin/env Rscript
# SPDX-License-Identifier: GPL-3.0-or-later
# A colleague's script in R: fit a line, leave numbers for `loggbook import`. Base R only.
x <- c(0, 1, 2, 3, 4)
y <- c(0.1, 0.9, 2.2, 2.8, 4.1)
line <- lm(y ~ x)
r2 <- summary(line)$r.squared
number <- function(key, kind, value, ...) sprintf('"%s": {"kind": "%s", "value": %.17g%s}', key, kind, value, paste0(...))
ends <- sprintf(', "se": 0.004, "ci": [%.17g, %.17g]', r2 - 0.008, min(1, r2 + 0.008))
rows <- ', "rowset": "five points", "n": 5'
hash <- paste0("sha256:", strrep("5", 64))
cat("{",
    sprintf('"rowset:five points": {"kind": "rowset", "value": "%s", "n": %d},', hash, length(x)),
    number("e90.slope", "slope", coef(line)[["x"]], ', "unit": "dex"', rows), ",",
    number("e90.r2", "r2", r2, ends, rows), ",",
    '"e90.language": {"kind": "text", "value": "R"},',
    '"provenance:program": {"kind": "provenance", "value": "fit.R"}',
    "}\n", sep = "\n")
