-- SPDX-License-Identifier: GPL-3.0-or-later
-- LaTeX only: emoji as pictures, code that breaks or shrinks to the line, quiet links behind numbers,
-- callouts and verdicts. Goes after tables.lua, which measures the text before it becomes LaTeX here.

local LINE_CELLS = 91  -- characters of code on a line at 10 pt
local SHORT_CODE = 16  -- inline code up to here is never broken
local RUN = 12         -- letters after which longer code may break, if no mark comes first

local function tex(text) return pandoc.RawInline('latex', text) end
local function tex_block(text) return pandoc.RawBlock('latex', text) end

local special = {
  ['\\'] = '\\textbackslash{}', ['{'] = '\\{', ['}'] = '\\}', ['$'] = '\\$', ['&'] = '\\&', ['#'] = '\\#', ['%'] = '\\%',
  ['_'] = '\\_', ['^'] = '\\^{}', ['~'] = '\\textasciitilde{}', ['-'] = '-\\/', ['`'] = '\\textasciigrave{}',
  ["'"] = '\\textquotesingle{}',
}

-- Emoji ---------------------------------------------------------------------------------------

local folder = pandoc.path.join({ pandoc.path.directory(PANDOC_SCRIPT_FILE), 'emoji' })
local pictures = setmetatable({}, { -- code point -> name of its picture, or false
  __index = function(known, c)
    local code = string.format('%X', c)
    local file = c > 0x2100 and io.open(pandoc.path.join({ folder, code .. '.png' }), 'r')
    if file then file:close() end
    known[c] = file and code or false
    return known[c]
  end,
})
local used = {}

local function note_emoji(text)
  for _, c in utf8.codes(text) do
    if pictures[c] then used[c] = true end
  end
end

local function define_emoji(meta)
  local codes, lines = {}, pandoc.List()
  for c in pairs(used) do codes[#codes + 1] = c end
  table.sort(codes)
  for _, c in ipairs(codes) do
    lines:insert(pandoc.MetaInlines({ tex('\\newunicodechar{' .. utf8.char(c) .. '}{\\emoji{' .. pictures[c] .. '}}') }))
  end
  meta.emoji = pandoc.MetaList(lines)
  return meta
end

-- Text ----------------------------------------------------------------------------------------

local function str(element)
  note_emoji(element.text)
  if #element.text < 24 or not element.text:match('^[%w%p]+$') then return nil end
  local parts = pandoc.List() -- a path or a key in running text
  for piece, mark in element.text:gmatch('([^/_.]*)([/_.]?)') do
    if piece .. mark ~= '' then parts:insert(pandoc.Str(piece .. mark)) end
    if mark ~= '' then parts:insert(tex('\\allowbreak{}')) end
  end
  return parts
end

local function code(element)
  note_emoji(element.text)
  local long = utf8.len(element.text) > SHORT_CODE
  local out, run = {}, 0
  for _, c in utf8.codes(element.text) do
    local char = utf8.char(c)
    run = run + 1
    out[#out + 1] = special[char] or char
    if long and (run == RUN or char:match('[/_.:]')) then
      out[#out + 1] = '\\allowbreak{}'
      run = 0
    end
  end
  return tex('\\texttt{' .. table.concat(out) .. '}')
end

local function link(element)
  if not element.classes:includes('num') then return nil end
  local inlines = pandoc.List({ tex('\\recordlink{' .. element.target:gsub('^#', '') .. '}{') })
  inlines:extend(element.content)
  inlines:insert(tex('}'))
  return inlines
end

-- xeCJK sees no place to break between a Chinese character and a link.
local opening = { [0x300A] = true, [0x300C] = true, [0x300E] = true, [0x3010] = true, [0xFF08] = true }

local function ends_chinese(element)
  local last = element.t == 'Str' and utf8.codepoint(element.text, utf8.offset(element.text, -1))
  return last and last >= 0x3001 and last <= 0xFF1F and not opening[last]
end

local function inlines(list)
  for i = #list, 2, -1 do
    if list[i].t == 'Link' and ends_chinese(list[i - 1]) then list:insert(i, tex('\\CJKglue{}')) end
  end
  return list
end

local function span(element)
  if not element.classes:includes('verdict') then return nil end
  local colour = 'open'
  for _, class in ipairs(element.classes) do
    if class == 'pass' or class == 'partial' or class == 'fail' then colour = class end
  end
  local inlines = pandoc.List({ tex('\\verdict{' .. colour .. '}{') })
  inlines:extend(element.content)
  inlines:insert(tex('}'))
  element.classes = {}
  element.content = inlines
  return element
end

-- Blocks --------------------------------------------------------------------------------------

local function cells(line)
  local n = 0
  for _, c in utf8.codes(line) do
    local wide = c >= 0x2E80 and c <= 0xFF60 and not (c >= 0xA4D0 and c < 0xAC00) or c >= 0x1F000 or pictures[c]
    n = n + (wide and 2 or (c == 0xFE0F and 0 or 1))
  end
  return n
end

-- A diagram shrinks until its lines fit; the lines of a listing may wrap instead.
local function code_block(block)
  note_emoji(block.text)
  local widest = 1
  for line in (block.text .. '\n'):gmatch('(.-)\n') do widest = math.max(widest, cells(line)) end
  local diagram = block.text:match('\u{2500}') or block.text:match('\u{2502}') or #block.classes == 0
  local size = math.max(diagram and 4 or 8, math.min(9.5, 10 * LINE_CELLS / widest))
  if diagram then block.classes = {} end
  return {
    tex_block(string.format('\\begin{codesize}{%.4gpt}{%.4gpt}', size, size * (diagram and 0.955 or 1.14))),
    block,
    tex_block('\\end{codesize}'),
  }
end

local colours = { note = 'link', tip = 'pass', important = 'partial', warning = 'partial', caution = 'fail' }

local function div(element)
  if not element.classes:includes('callout') then return nil end
  local colour = 'open'
  for _, class in ipairs(element.classes) do colour = colours[class] or colour end
  local name = pandoc.utils.stringify(element.content[1])
  local blocks = pandoc.List({ tex_block('\\begin{callout}{' .. colour .. '}\\callouttitle{' .. colour .. '}{' .. name .. '}') })
  for i = 2, #element.content do blocks:insert(element.content[i]) end
  blocks:insert(tex_block('\\end{callout}'))
  return blocks
end

-- The title too may hold emoji.
local function title(meta)
  for _, key in ipairs({ 'title', 'subtitle' }) do
    if meta[key] then note_emoji(pandoc.utils.stringify(meta[key])) end
  end
end

return {
  { Inlines = inlines },
  { Str = str, Code = code, Link = link, Span = span, CodeBlock = code_block, Div = div },
  { Meta = title },
  { Meta = define_emoji },
}
