-- SPDX-License-Identifier: GPL-3.0-or-later
-- HTML only: figures and tables become <figure> with the caption outside the box that scrolls.

local WIDE = 8 -- columns from which a table keeps its first column in sight while it scrolls

local PROSE = 32 -- characters of a cell from which it wraps, and its table needs room to be read
local SHORT = 26 -- characters up to which a cell is not broken

local function raw(text) return pandoc.RawBlock('html', text) end

local function escape(text)
  return (text:gsub('[&<>"]', { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;' }))
end

local function id_attribute(identifier)
  return identifier ~= '' and (' id="' .. escape(identifier) .. '"') or ''
end

local function figure(para)
  local im = para.content[1]
  if #para.content ~= 1 or im.t ~= 'Image' or not im.title:match('^fig:') then return nil end
  local caption, identifier = im.caption, im.identifier
  im.title, im.identifier, im.caption = '', '', { pandoc.Str(im.attributes.alt) }
  im.attributes.alt = nil
  return {
    raw('<figure class="picture"' .. id_attribute(identifier) .. '>'),
    pandoc.Plain({ im }),
    raw('<figcaption>'), pandoc.Plain(caption), raw('</figcaption></figure>'),
  }
end

-- Characters on the line; a Chinese one takes the room of two.
local function room(text)
  local n = 0
  for _, c in utf8.codes(text) do n = n + (c >= 0x2E80 and c <= 0xFFDC and 2 or 1) end
  return n
end

-- Short cells stay on one line, long ones keep room for words; says whether some cell is long.
local function mark_cells(tbl)
  local prose = false
  for _, body in ipairs(tbl.bodies) do
    for _, row in ipairs(body.body) do
      for _, cell in ipairs(row.cells) do
        local length = room(pandoc.utils.stringify(pandoc.Div(cell.contents)))
        prose = prose or length >= PROSE
        if length <= SHORT then cell.attr = pandoc.Attr('', { 'short' }) end
        if length >= PROSE then cell.attr = pandoc.Attr('', { 'long' }) end
      end
    end
  end
  return prose
end

local function table_box(tbl)
  for i, spec in ipairs(tbl.colspecs) do tbl.colspecs[i] = { spec[1], nil } end
  local prose = mark_cells(tbl)
  local kind = #tbl.colspecs >= WIDE and ' wide' or prose and ' prose' or ''
  local caption, identifier = tbl.caption.long, tbl.identifier
  tbl.caption = { long = {} }
  tbl.identifier = ''
  local name = #caption > 0 and pandoc.utils.stringify(caption) or 'table'
  local box = '<div class="scroll' .. kind .. '" tabindex="0" role="region" aria-label="' .. escape(name) .. '">'
  if #caption == 0 then return { raw(box), tbl, raw('</div>') } end
  local blocks = pandoc.List({ raw('<figure class="table"' .. id_attribute(identifier) .. '><figcaption>') })
  blocks:extend(caption)
  blocks:extend({ raw('</figcaption>' .. box), tbl, raw('</div></figure>') })
  return blocks
end

-- Box drawing: lines must touch and Chinese must be two cells wide; report.css does both.
local function code_block(block)
  if block.text:match('\u{2500}') or block.text:match('\u{2502}') then
    block.classes = { 'diagram' }
    return block
  end
end

-- Upright words: browsers no longer know the style pandoc writes for \mathrm.
local function math(element)
  element.text = element.text:gsub('\\mathrm%s*{', '\\text{')
  return element
end

return { { Math = math, Para = figure, Table = table_box, CodeBlock = code_block } }
