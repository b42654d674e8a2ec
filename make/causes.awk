# SPDX-License-Identifier: GPL-3.0-or-later
# What make --trace says, in a line for each cause: what it makes stale, and which saved file that goes back to.
# -v all=1: every line, not the first dozen. Exit 0 nothing is stale, 1 something is.

# Only lines of --trace count; between them stand the commands.
/^[^ ]+:[0-9]+: (update )?target '[^']*'/ {
  split($0, part, "'")
  target = part[2]
  if (kind(target) == "")
    next
  made[target] = 1
  order[++n] = target
  if ($0 !~ /does not exist$/)
    due[target] = substr($0, index($0, "due to: ") + 8)
}

END {
  for (i = 1; i <= n; i++)
    trace_back(order[i])
  for (i = 1; i <= n; i++)
    gather(order[i])
  for (i = 1; i <= n; i++)
    blame(order[i])
  for (i = 1; i <= n_causes; i++)
    join(causes[i])
  for (i = 1; i <= n_lines; i++)
    if (all || i <= 12 || n_lines == 13)
      print lines[i] ": " because(behind[lines[i]])
  if (!all && n_lines > 13)
    print "… and " n_lines - 12 " more causes (V=1 lists them)"
  exit n_lines > 0
}

function name(path) { sub(/.*\//, "", path); return path }
function stem(path) { # whose it is: e03_validation.en, or the profile of spectra
  sub(/\/\.checked$/, "", path)
  path = name(path)
  sub(/\.(md|html|pdf|h5)$/, "", path)
  return path
}

# The stages of the way from data to pages; "part" is compiled, and shown by what needs it.
function kind(path) {
  if (path ~ /\.[ao]$/) return "part"
  if (path ~ /\/bin\/[^\/]*$/) return "program"
  if (path ~ /\/\.checked$/) return "spectra"
  if (path ~ /\.h5$/) return "record"
  if (path ~ /MANIFEST\.sha256$/) return "dist"
  if (path ~ /(^|\/)audit\.[a-z]+\.(md|html|pdf)$/) return "audit"
  if (path ~ /(^|\/)e[0-9][0-9]_[^\/]*\.(md|html|pdf)$/) return "page"
  if (path ~ /\.(md|html|pdf)$/) return "view"
  return ""
}

# roots[target]: the files that began it, each once; what it needs stands before it in the trace
function trace_back(target,    list, k, i, more, m, j) {
  if (kind(target) != "part" && !exists(target)) { # why does not matter then
    absent[kind(target)] += !((kind(target), stem(target)) in lost)
    lost[kind(target), stem(target)] = 1
    add(target, "no " kind(target))
    return
  }
  k = split(due[target], list, " ")
  for (i = 1; i <= k; i++) {
    if (!(list[i] in made)) {
      add(target, list[i])
      continue
    }
    m = split(roots[list[i]], more, "\n")
    for (j = 1; j <= m; j++)
      add(target, more[j])
  }
}
function exists(path,    line, there) {
  there = (getline line < path) >= 0
  close(path)
  return there
}
function add(target, root) {
  if ((target, root) in has)
    return
  has[target, root] = 1
  roots[target] = roots[target] (roots[target] == "" ? "" : "\n") root
}

# Many files of a sort are one cause: more than three of a folder, or of as many experiments.
function sort_of(path) {
  if (path ~ /^no [a-z]+$/)
    return path
  if (!sub(/\/e[0-9][0-9]_[^\/.]*/, "/*", path))
    sub(/[^\/]*$/, "*", path)
  return path
}
function gather(target,    list, k, i) {
  k = split(roots[target], list, "\n")
  for (i = 1; i <= k; i++)
    if (!((list[i]) in known)) {
      known[list[i]] = 1
      of_sort[sort_of(list[i])]++
    }
}
function label(root) { return of_sort[sort_of(root)] > 3 ? sort_of(root) : root }

function blame(target,    list, k, i, c, ending) {
  k = split(roots[target], list, "\n")
  ending = target
  sub(/.*\./, "", ending)
  for (i = 1; i <= k; i++) {
    c = label(list[i])
    if (!(c in named)) {
      named[c] = 1
      causes[++n_causes] = c
    }
    count(c, kind(target), stem(target))
    if (kind(target) == "page" && !((c, ending) in format_of)) {
      format_of[c, ending] = 1
      formats[c] = formats[c] (formats[c] == "" ? "" : " ") ending
    }
  }
}
function count(c, what, item) {
  if ((c, what, item) in counted)
    return
  counted[c, what, item] = 1
  effects[c]++
  items[c, what] = items[c, what] (number[c, what]++ ? ", " : "") item
}

# What a cause makes stale, in few words: one or two by name, more as their number.
function effect(c,    text) {
  text = some(text, c, "spectra", "spectra of ", " spectra")
  text = some(text, c, "record", "record ", " records")
  text = some(text, c, "page", "", " pages")
  if (number[c, "page"])
    text = text " (" formats[c] ")"
  text = some(text, c, "view", "", "views")
  text = some(text, c, "audit", "", "audit")
  text = some(text, c, "dist", "", "dist")
  return text == "" ? some("", c, "program", "program ", " programs") : text
}
function some(text, c, what, before, after,    k, these) {
  k = number[c, what]
  if (!k)
    return text
  these = after !~ /^ / ? after : k <= 2 ? before items[c, what] : k after
  return text (text == "" ? "" : ", ") these
}

# Causes with the same effect share a line.
function join(c,    line) {
  line = effect(c)
  if (line == "")
    return
  if (!(line in behind))
    lines[++n_lines] = line
  behind[line] = behind[line] (behind[line] == "" ? "" : "\n") c
}
function because(list,    c, k, i, files, shown, lacking) {
  k = split(list, c, "\n")
  for (i = 1; i <= k; i++)
    if (c[i] ~ /^no /)
      lacking = lacking (lacking == "" ? "" : ", ") lack(substr(c[i], 4))
    else if (++files <= 3)
      shown = shown (files == 1 ? "" : ", ") c[i]
  if (files > 3)
    shown = shown " and " files - 3 " more"
  if (files)
    shown = shown (files == 1 && shown !~ /\*/ ? " is newer" : " are newer")
  return shown (files && lacking != "" ? ", " : "") lacking
}
function lack(what) {
  if (what == "spectra") return "not checked yet"
  if (effects["no " what] == number["no " what, what]) return "not there"
  return absent[what] == 1 ? "1 " what " is not there" : absent[what] " " what "s are not there"
}
