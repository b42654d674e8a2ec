-- SPDX-License-Identifier: GPL-3.0-or-later
-- LaTeX only: lay tables, figures and code out on the page. Columns keep their natural width while they fit; otherwise
-- columns of text wrap, then the type becomes smaller, then the page turns. All widths are estimates in em
-- of the body font, on the generous side; pdf.sh fails on what still sticks out.

local TEXT_WIDTH, TEXT_HEIGHT = 466, 700 -- pt, the text area of report.tex
local GAP = 8                            -- pt between columns, 2 \tabcolsep
local MONO = 0.50                        -- em, one cell of code
local LINE = 1.62                        -- distance of rows in units of the type size
local KEEP_WHOLE = 300                   -- pt, height up to which a table is not broken across pages
local KEEP_HEAD = 120                    -- pt, the least of a taller one that stands on the page where it begins
local CAPTION, AROUND = 10.5, 24         -- pt, type of a caption; what stands above and below picture and caption
local HEADING, SENTENCE = 42, 34         -- pt, what a heading or a line of text before the table takes
local CODE_LINE = 10.8                   -- pt, the highest line of code
local NEED = '\\Needspace{%.0fpt}'

-- Tried in turn; a column may be asked to wrap down to `keep` em.
local layouts = {
  { size = 9, keep = 15 }, { size = 9, keep = 10 }, { size = 8, keep = 10 },
  { size = 7.2, keep = 7 }, { size = 9, keep = 12, landscape = true }, { size = 8, keep = 10, landscape = true },
  { size = 7.2, keep = 6, landscape = true }, { size = 7.2, keep = 0, landscape = true },
}

local function within(c, ranges)
  for i = 1, #ranges, 2 do
    if c >= ranges[i] and c <= ranges[i + 1] then return true end
  end
  return false
end

local function is_wide(c)
  return within(c, { 0x1100, 0x115F, 0x2E80, 0xA4CF, 0xAC00, 0xD7A3, 0xF900, 0xFAFF, 0xFE30, 0xFE4F, 0xFF00, 0xFF60 })
end

local function width_of(c)
  if is_wide(c) then return 1 end
  if c >= 0x1F000 or within(c, { 0x231A, 0x23FF, 0x2600, 0x27BF }) then return 1.25 end
  if c == 0xFE0F or c == 0x200D or within(c, { 0x300, 0x36F }) then return 0 end
  if c >= 0x30 and c <= 0x39 then return 0.5 end
  if c == 0x6D or c == 0x77 or c == 0x40 then return 0.78 end
  if c >= 0x61 and c <= 0x7A then return 0.47 end
  if c >= 0x41 and c <= 0x5A then return 0.7 end
  if within(c, { 0x2190, 0x22FF }) or c == 0x2B or c == 0x3D or c == 0xB1 or c == 0xD7 then return 0.75 end
  if c < 0x80 then return 0.36 end
  return 0.55
end

-- Asked for every character of every table
local char_width = setmetatable({}, { __index = function(seen, c)
  seen[c] = width_of(c)
  return seen[c]
end })

-- Walk the inlines of a cell and call piece(width, breakable_after) for every character or unit.
local function pieces(inlines, scale, piece)
  for _, x in ipairs(inlines) do
    if x.t == 'Str' then
      for _, c in utf8.codes(x.text) do
        local width = char_width[c]
        piece(scale * width, width == 1 or c == 0x2D)
      end
    elseif x.t == 'Code' then -- breaks where latex.lua lets it
      local run = 0
      for _, c in utf8.codes(x.text) do
        run = run + 1
        local breaks = run == 12 or c == 0x2F or c == 0x5F or c == 0x2E or c == 0x3A
        if breaks then run = 0 end
        piece(is_wide(c) and 1 or MONO, breaks)
      end
    elseif x.t == 'Space' or x.t == 'SoftBreak' then
      piece(0.3 * scale, true)
    elseif x.t == 'LineBreak' then
      piece(0, true)
    elseif x.t == 'Math' then
      local bare = x.text:gsub('\\%a+', 'm'):gsub('[{}_^%s]', '')
      piece(0.62 * utf8.len(bare), false)
    elseif x.t == 'Quoted' then
      piece(0.45, false)
      pieces(x.content, scale, piece)
      piece(0.45, false)
    elseif x.content and x.t ~= 'Note' then
      local verdict = x.t == 'Span' and x.classes:includes('verdict')
      -- a verdict stands in a box, which does not break between word and icon
      local put = verdict and function(width) piece(width, false) end or piece
      pieces(x.content, (x.t == 'Strong' or verdict) and 1.1 * scale or scale, put)
      if verdict then piece(0.8, false) end
    end
  end
end

-- natural width and longest unbreakable run of a cell, in em
local function measure(cell, scale)
  local natural, longest = 0, 0
  for _, block in ipairs(cell.contents) do
    local line, run = 0, 0
    if block.content and (block.t == 'Plain' or block.t == 'Para') then
      pieces(block.content, scale, function(width, breaks)
        line, run = line + width, run + width
        longest = math.max(longest, run)
        if breaks then run = 0 end
      end)
    else
      line, longest = 20, math.max(longest, 8) -- a list or code in a cell: give it room
    end
    natural = math.max(natural, line)
  end
  return natural, longest
end

-- What each column needs, and the natural widths of the cells of the body, row after row
local function measure_columns(tbl)
  local columns, naturals = {}, {}
  for i = 1, #tbl.colspecs do columns[i] = { natural = 1, body = 1, word = 1 } end
  local function rows(list, is_head)
    for _, row in ipairs(list) do
      local of_row = {}
      if not is_head then naturals[#naturals + 1] = of_row end
      for i, cell in ipairs(row.cells) do
        local column = columns[i]
        local natural, word = measure(cell, is_head and 1.1 or 1)
        of_row[i] = natural
        if is_head then word = math.max(word, math.min(natural, 2.3)) end -- Chinese breaks after each sign
        column.natural = math.max(column.natural, natural)
        column.word = math.max(column.word, word)
        if not is_head then column.body = math.max(column.body, natural) end
      end
    end
  end
  rows(tbl.head.rows, true)
  for _, body in ipairs(tbl.bodies) do rows(body.body, false) end
  return columns, naturals
end

local function sum(columns, width)
  local total = 0
  for _, column in ipairs(columns) do total = total + width(column) end
  return total
end

-- Height of the table in pt, from the lines its cells need in columns of these widths in em
local function height(naturals, widths, size)
  local lines = 1
  for _, row in ipairs(naturals) do
    local most = 1
    for i, natural in ipairs(row) do most = math.max(most, math.ceil(natural / widths[i])) end
    lines = lines + most
  end
  return 75 + lines * LINE * size
end

local function choose(columns)
  local layout, room
  for _, candidate in ipairs(layouts) do
    layout = candidate
    local width = layout.landscape and TEXT_HEIGHT or TEXT_WIDTH
    room = (width - GAP * (#columns - 1)) / layout.size
    for _, column in ipairs(columns) do
      column.least = math.max(column.word, math.min(column.body, layout.keep)) + 0.3
    end
    if sum(columns, function(c) return c.least end) <= room then break end
  end
  return layout, room
end

-- Fractions of the line for columns that must wrap: what each needs, and the rest by what each would like.
local function fractions(columns, room)
  local needed = sum(columns, function(c) return c.least end)
  local wish = sum(columns, function(c) return math.max(0, c.natural - c.least) end)
  local spare = math.max(0, room - needed)
  local result = {}
  for i, column in ipairs(columns) do
    local extra = wish > 0 and spare * math.max(0, column.natural - column.least) / wish or 0
    result[i] = (column.least + extra) / math.max(room, needed)
  end
  return result
end

-- What a figure needs on the page besides its picture: the lines of its caption and the space around them, in pt
local function figure(para)
  local im = para.content[1]
  if #para.content ~= 1 or im.t ~= 'Image' or not im.title:match('^fig:') then return nil end
  local width = 0
  pieces(im.caption, 1, function(piece) width = width + piece end)
  local lines = math.ceil(width * CAPTION / TEXT_WIDTH)
  return { pandoc.RawBlock('latex', string.format('\\figureroom{%.0fpt}', AROUND + lines * LINE * CAPTION)), para }
end

-- Code is broken across pages as a table is: only when it is high, and not in its first lines.
local function code(block)
  local _, breaks = block.text:gsub('\n', '')
  local whole = AROUND + (breaks + 1) * CODE_LINE
  return { pandoc.RawBlock('latex', string.format(NEED, whole < KEEP_WHOLE and whole or KEEP_HEAD)), block }
end

local function embolden(rows)
  for _, row in ipairs(rows) do
    for _, cell in ipairs(row.cells) do
      for _, block in ipairs(cell.contents) do
        if block.t == 'Plain' or block.t == 'Para' then block.content = { pandoc.Strong(block.content) } end
      end
    end
  end
end

local turned = {} -- the blocks of each turned table
local chinese, count = false, 0

-- A page neither begins with the last row of a table nor ends with the first.
local function keep_rows_together(rows)
  for _, i in ipairs({ 2, #rows }) do
    local block = i > 1 and rows[i] and rows[i].cells[1].contents[1]
    if block and block.content and (i == #rows or #rows > 2) then
      block.content:insert(1, pandoc.RawInline('latex', '\\noalign{\\nobreak}'))
    end
    if #rows == 2 then break end
  end
end

-- What stands in the text for a turned table: its caption and where to find it; finish() looks for the class
local function pointer(tbl)
  local caption = tbl.caption.long[1]
  if not caption then
    caption = pandoc.Plain({ pandoc.Str(chinese and '表' or 'Table') })
    tbl.caption = { long = { pandoc.Plain({ pandoc.RawInline('latex', '\\label{' .. tbl.identifier .. '}') }) } }
  end
  local page = string.format(chinese and '（第~\\pageref{%s}~页，横排）' or ' (turned, on page~\\pageref{%s})', tbl.identifier)
  local inlines = caption.content:filter(function(x) return x.t ~= 'RawInline' end)
  inlines:insert(pandoc.RawInline('latex', page))
  return pandoc.Div({ pandoc.Para(inlines) }, { class = 'turned', place = tostring(#turned) })
end

local function latex_table(tbl)
  local columns, naturals = measure_columns(tbl)
  local layout, room = choose(columns)
  local fits = sum(columns, function(c) return c.natural end) <= room
  local share = not fits and fractions(columns, room)
  local widths = {}
  for i, spec in ipairs(tbl.colspecs) do
    tbl.colspecs[i] = { spec[1], share and share[i] or nil }
    widths[i] = share and share[i] * room or columns[i].natural
  end

  embolden(tbl.head.rows)
  for _, body in ipairs(tbl.bodies) do keep_rows_together(body.body) end
  count = count + 1
  if tbl.identifier == '' then tbl.identifier = 'table-' .. count end
  local caption = tbl.caption.long[1]
  if caption then
    local anchor = '\\protect\\hypertarget{' .. tbl.identifier .. '}{}\\label{' .. tbl.identifier .. '}'
    caption.content:insert(1, pandoc.RawInline('latex', anchor))
  end
  local size = string.format('\\begin{tablesize}{%gpt}{%gpt}', layout.size, 1.22 * layout.size)
  local blocks = pandoc.List({ pandoc.RawBlock('latex', size), tbl, pandoc.RawBlock('latex', '\\end{tablesize}') })
  if not layout.landscape then
    local whole = height(naturals, widths, layout.size)
    blocks:insert(1, pandoc.RawBlock('latex', string.format(NEED, whole < KEEP_WHOLE and whole or KEEP_HEAD)))
    return blocks
  end
  turned[#turned + 1] = blocks
  return pointer(tbl)
end

-- What explains a sign in the table before it
local function is_note(block)
  local text = block and block.t == 'Para' and pandoc.utils.stringify(block) or ''
  return text:find('†', 1, true) == 1 or text:find('^n/a[:：]') == 1 or text:find('n/a：', 1, true) == 1
end

-- What a block that announces a table or code takes on the page, in pt; nil for what may part from it
local function announces(block)
  if block.t == 'Header' then return HEADING end
  local short = block.t == 'Para' and #pandoc.utils.stringify(block) < 150
  return short and not is_note(block) and SENTENCE or nil
end

-- Headings and a short sentence stay with their table or code: the room is asked for before them.
local function keep_with_next(blocks, i)
  local height = blocks[i].t == 'RawBlock' and blocks[i].text:match('^\\Needspace{(%d+)pt}')
  if not height then return end
  local need, first, sentence = tonumber(height), i, false
  while first > 1 do
    local before = blocks[first - 1]
    local more = announces(before)
    if not more or (before.t == 'Para' and (sentence or first < i)) then break end
    sentence = before.t == 'Para'
    need, first = need + more, first - 1
  end
  blocks:remove(i)
  blocks:insert(first, pandoc.RawBlock('latex', string.format(NEED, need)))
end

-- A bold line is the heading of the list after it.
local function keep_with_list(blocks, i)
  local lead = blocks[i - 1]
  local is_list = blocks[i].t == 'BulletList' or blocks[i].t == 'OrderedList'
  if is_list and lead.t == 'Para' and #lead.content == 1 and lead.content[1].t == 'Strong' then
    blocks:insert(i - 1, pandoc.RawBlock('latex', string.format(NEED, 2 * SENTENCE)))
  end
end

-- A formula belongs to the sentence before it: TeX keeps what is one paragraph.
local function join_formula(blocks, i)
  local formula, before = blocks[i], blocks[i - 1]
  local alone = formula.t == 'Para' and #formula.content == 1 and formula.content[1].t == 'Math'
  if alone and formula.content[1].mathtype == 'DisplayMath' and before.t == 'Para' then
    before.content:insert(pandoc.SoftBreak())
    before.content:extend(formula.content)
    blocks[i - 1] = before
    blocks:remove(i)
  end
end

-- The notes under the place of a turned table go with the table.
local function take_notes(blocks, i)
  local place = blocks[i].t == 'Div' and blocks[i].classes:includes('turned') and blocks[i].attributes.place
  if not place then return end
  blocks[i] = blocks[i].content[1]
  while is_note(blocks[i + 1]) do turned[tonumber(place)]:insert(blocks:remove(i + 1)) end
end

-- Turned tables stand together, before the lists of provenance or else last: in the text each would leave the rest of
-- a page empty.
local function place_of_turned(blocks)
  for i, block in ipairs(blocks) do
    if block.t == 'Header' and block.identifier == 'provenance-of-numbers' then return i end
  end
  return #blocks + 1
end

local function finish(doc)
  for i = #doc.blocks, 1, -1 do take_notes(doc.blocks, i) end
  for i = #doc.blocks, 2, -1 do join_formula(doc.blocks, i) end
  for i = 2, #doc.blocks do keep_with_next(doc.blocks, i) end
  for i = #doc.blocks, 2, -1 do keep_with_list(doc.blocks, i) end
  if #turned == 0 then return doc end
  local pages = pandoc.Blocks({ pandoc.RawBlock('latex', '\\begin{landscape}\\pagestyle{plain}') })
  for _, blocks in ipairs(turned) do pages:extend(blocks) end
  pages:insert(pandoc.RawBlock('latex', '\\end{landscape}'))
  local at = place_of_turned(doc.blocks)
  for i, block in ipairs(pages) do doc.blocks:insert(at + i - 1, block) end
  return doc
end

return {
  { Meta = function(meta) chinese = pandoc.utils.stringify(meta.lang):match('^zh') ~= nil end },
  { Table = latex_table, Para = figure, CodeBlock = code },
  { Pandoc = finish },
}
