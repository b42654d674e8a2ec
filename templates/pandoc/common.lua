-- SPDX-License-Identifier: GPL-3.0-or-later
-- What the HTML and the LaTeX report share: the title, captions that carry our own ids (Figure F01.1),
-- references to them, callouts, links between reports. Every link inside the page must lead somewhere;
-- what does not is collected, reported with its line, and ends the run with exit code 83.
-- Written for pandoc 2.17, whose figure is a paragraph with one image titled "fig:".

local words = {
  en = { fig = 'Figure', tbl = 'Table', stop = '.', contents = 'Contents', skip = 'Skip to the text',
         note = 'Note', tip = 'Tip', important = 'Important', warning = 'Warning', caution = 'Caution' },
  zh = { fig = '图', tbl = '表', stop = '.', contents = '目录', skip = '跳到正文',
         note = '说明', tip = '提示', important = '要点', warning = '警告', caution = '注意' },
}
local word = words.en
local html = FORMAT:match('html') ~= nil
local figure_ending = html and '.svg' or '.pdf'
local findings = {}
local known = {}    -- every identifier on the page
local numbered = {} -- the identifiers that have a caption: what a reference to them reads
local trails = {}   -- the identifiers of the appendix of numbers: what hovering over the number says

-- Findings ------------------------------------------------------------------------------------

local source_lines
local function line_of(text)
  if not source_lines then
    source_lines = {}
    local file = io.open(PANDOC_STATE.input_files[1] or '', 'r')
    if file then
      for line in file:lines() do source_lines[#source_lines + 1] = line end
      file:close()
    end
  end
  for number, line in ipairs(source_lines) do
    if line:find(text, 1, true) then return number end
  end
end

local function finding(text, message)
  if findings[message] then return end
  findings[message] = true
  local number = line_of(text)
  local file = PANDOC_STATE.input_files[1] or 'input'
  findings[#findings + 1] = (number and (file .. ':' .. number) or file) .. ': ' .. message
end

local function stop_on_findings()
  if #findings == 0 then return end
  for _, message in ipairs(findings) do io.stderr:write(message, '\n') end
  os.exit(83)
end

-- Title and headings --------------------------------------------------------------------------

local function read_meta(meta)
  local lang = meta.lang and pandoc.utils.stringify(meta.lang) or 'en'
  word = words[lang:sub(1, 2)] or words.en
  meta.lang = meta.lang or 'en'
  meta['word-contents'] = word.contents
  meta['word-skip'] = word.skip
  return meta
end

-- A forge wants the title as a heading, pandoc wants it in the front matter: show it once, and let
-- the highest heading that remains be a section.
local function settle_headings(doc)
  local first = doc.blocks[1]
  if first and first.t == 'Header' and first.level == 1 then
    doc.meta.title = doc.meta.title or pandoc.MetaInlines(first.content)
    known[first.identifier] = nil
    doc.blocks:remove(1)
  end
  local top = 6
  doc.blocks:walk({ Header = function(h) top = math.min(top, h.level) end })
  local shift = (html and 2 or 1) - top
  doc.blocks = doc.blocks:walk({ Header = function(h) h.level = math.min(6, h.level + shift); return h end })
  return doc
end

-- Captions ------------------------------------------------------------------------------------

-- "fig:F01.1" -> "Figure F01.1", or nil when the identifier is not one of a figure or table
local function number_of(identifier)
  local kind, id = identifier:match('^(%a+):(.+)$')
  if kind == 'tab' then kind = 'tbl' end
  if kind == 'fig' or kind == 'tbl' then return word[kind] .. '\u{a0}' .. id end
end

local function label_caption(inlines, identifier)
  local number = number_of(identifier)
  if not number then return end
  if numbered[identifier] then finding(identifier, 'two captions carry the label ' .. identifier) end
  numbered[identifier] = number
  inlines:insert(1, pandoc.Strong({ pandoc.Str(number .. word.stop) }))
  inlines:insert(2, pandoc.Space())
end

local function is_readable(path)
  for _, folder in ipairs(PANDOC_STATE.resource_path) do
    local file = io.open(path:match('^/') and path or (folder .. '/' .. path), 'r')
    if file then
      file:close()
      return true
    end
  end
  return false
end

local function image(im)
  if im.src:match('^%a[%w+.-]*:') then
    finding(im.src, 'remote image ' .. im.src .. ': a report must carry its pictures')
    return im
  end
  im.src = im.src:gsub('%.svg$', figure_ending):gsub('%.pdf$', figure_ending)
  if not is_readable(im.src) then finding(im.src:gsub('%.%w+$', ''), 'no picture ' .. im.src) end
  return im
end

local function figure(para)
  local im = para.content[1]
  if #para.content ~= 1 or im.t ~= 'Image' or not im.title:match('^fig:') then return nil end
  im.attributes.alt = im.attributes.alt or pandoc.utils.stringify(im.caption)
  label_caption(im.caption, im.identifier)
  return para
end

-- The identifier of a table closes its caption: ": Scores on the test rows {#tbl:T01.1}"
local function table_caption(tbl)
  local last = tbl.caption.long[#tbl.caption.long]
  if not last then return nil end
  local inlines = last.content
  local identifier = inlines[#inlines].t == 'Str' and inlines[#inlines].text:match('^{#([^}]+)}$')
  if identifier then
    inlines:remove()
    if #inlines > 0 and inlines[#inlines].t == 'Space' then inlines:remove() end
    tbl.identifier = identifier
    label_caption(inlines, identifier)
  end
  return tbl
end

-- Callouts ------------------------------------------------------------------------------------

local callouts = { note = true, tip = true, important = true, warning = true, caution = true }

local function titled(div, kind)
  div.content:insert(1, pandoc.Para({ pandoc.Strong({ pandoc.Str(word[kind]) }) }))
  return div
end

-- "> [!NOTE]" as forges write it
local function blockquote(quote)
  local first = quote.content[1]
  local mark = first and first.t == 'Para' and first.content[1]
  local kind = mark and mark.t == 'Str' and mark.text:match('^%[!(%u+)%]$')
  kind = kind and kind:lower()
  if not callouts[kind] then return nil end
  first.content:remove(1)
  if first.content[1] and first.content[1].t:match('Break$') then first.content:remove(1) end
  if #first.content == 0 then quote.content:remove(1) end
  return titled(pandoc.Div(quote.content, { class = 'callout ' .. kind }), kind)
end

-- "::: note"
local function div(element)
  for _, class in ipairs(element.classes) do
    if class == 'callout' then return nil end
    if callouts[class] then
      element.classes:insert('callout')
      return titled(element, class)
    end
  end
end

-- Verdicts ------------------------------------------------------------------------------------

-- [PASS ✅]{.verdict}: the word says which, a class of that name lets the style show it
local verdicts = { PASS = 'pass', PARTIAL = 'partial', FAIL = 'fail', INCONCLUSIVE = 'inconclusive', ['NOT RUN'] = 'not-run' }

local function span(element)
  if not element.classes:includes('verdict') then return nil end
  local text = pandoc.utils.stringify(element)
  local class = verdicts[text:match('^NOT RUN') or text:match('^%u+')]
  if class and not element.classes:includes(class) then element.classes:insert(class) end
  return element
end

-- References ----------------------------------------------------------------------------------

local function remember(element)
  if element.identifier and element.identifier ~= '' then known[element.identifier] = true end
end

-- [`e01.r2`]{#n-e01-r2 title="…"}: said where the number stands, not here
local function remember_trail(span)
  remember(span)
  local trail = span.identifier:match('^n%-') and span.attributes.title
  if not trail then return nil end
  trails[span.identifier] = trail
  span.attributes.title = nil
  return span
end

local function cite(element)
  local id = element.citations[1].id
  if numbered[id] then return pandoc.Link({ pandoc.Str(numbered[id]) }, '#' .. id) end
  if number_of(id) then finding('@' .. id, 'no figure or table carries the label ' .. id) end
end

-- Chinese writes 见@tbl:T01.1 without a space, which pandoc does not take for a citation.
local function reference_in_word(element)
  local before, kind, id, after = element.text:match('^(.-)@(%a+):([%w_.-]*%w)(.*)$')
  if not before or not number_of(kind .. ':' .. id) then return nil end
  local label = kind .. ':' .. id
  if not numbered[label] then
    finding('@' .. label, 'no figure or table carries the label ' .. label)
    return nil
  end
  local inlines = pandoc.List({ pandoc.Str(before), pandoc.Link({ pandoc.Str(numbered[label]) }, '#' .. label) })
  inlines:extend(reference_in_word(pandoc.Str(after)) or { pandoc.Str(after) })
  return inlines
end

-- T_eff, R²_max, σ_min: plain text says it with a line, a page with a small letter
local lettered = { 'T_eff', 'R²_max', 'σ_min' }
local function subscript(element)
  if not element.text:find('_', 1, true) then return nil end
  for _, name in ipairs(lettered) do
    local from, to = element.text:find(name, 1, true)
    if from then
      local sign, below = name:match('^(.*)_(.*)$')
      local rest = pandoc.Str(element.text:sub(to + 1))
      local inlines = pandoc.List({ pandoc.Str(element.text:sub(1, from - 1) .. sign), pandoc.Subscript({ pandoc.Str(below) }) })
      inlines:extend(subscript(rest) or { rest })
      return inlines
    end
  end
end

local function link(element)
  local target = element.target
  if target:match('^#') then
    local id = target:sub(2)
    if numbered[id] and #element.content == 0 then element.content = { pandoc.Str(numbered[id]) } end
    if not known[id] then finding(target, 'nothing on this page is called ' .. target) end
    if trails[id] then
      element.classes:insert('num')
      element.attributes.title = trails[id]
    end
    return element
  end
  if target:match('^%a[%w+.-]*:') then return nil end
  local path, fragment = target:match('^([^#]*)(#?.*)$')
  if path:match('%.md$') then
    -- a PDF viewer cannot follow an HTML anchor, so the link leads to the first page there
    element.target = html and path:gsub('%.md$', '.html') .. fragment or path:gsub('%.md$', '.pdf')
    return element
  end
end

local collect = {}
for _, kind in ipairs({ 'Header', 'Div', 'CodeBlock', 'Code', 'Link', 'Image', 'Table' }) do
  collect[kind] = remember
end
collect.Span = remember_trail

return {
  { Meta = read_meta },
  { Image = image },
  { Para = figure, Table = table_caption, BlockQuote = blockquote, Div = div, Span = span },
  collect,
  { Pandoc = settle_headings },
  { Cite = cite, Link = link, Str = function(s) return reference_in_word(s) or subscript(s) end },
  { Pandoc = stop_on_findings },
}
