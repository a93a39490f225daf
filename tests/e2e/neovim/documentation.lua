-- What docs/editors/neovim.md tells people to write works as it stands there.

local expect = require('expect')

local function snippet(root)
  local page = table.concat(vim.fn.readfile(root .. '/docs/editors/neovim.md'), '\n')
  local text = page:match('\n## Neovim, without a plugin\n.-```lua\n(.-)```')
  return expect.truth('a snippet of Lua in docs/editors/neovim.md', text, page)
end

return function(suite)
  suite.test('the snippet of the documentation starts the server', function(t)
    -- With a home of its own, the only difference to what people run.
    local command = ("cmd = { '%s', 'lsp', '--home', '%s' }"):format(t.editor.countersign, t.home)
    local text, replaced = snippet(t.root):gsub("cmd = { 'countersign', 'lsp' }", function()
      return command
    end)
    expect.equal(1, replaced)
    assert(loadstring(text))()

    local path = t.editor:edits('notes.txt', { 'first', 'second' })
    local client = expect.eventually('a client of this file', function()
      return vim.lsp.get_clients({ bufnr = 0, name = 'countersign' })[1], 'none'
    end)
    t.editor:uses(client.id)
    local hook = t.agent:calls_tool('Edit', {
      file_path = path,
      old_string = 'second',
      new_string = '2nd',
    })
    expect.equal(2, t.editor:diagnostic('/notes%.txt$').line)
    t.editor:prompt(1):picks('Deny')
    hook:blocks()
    t.editor:edits('more.txt', { 'more' })
    expect.eventually('the same server for the next file', function()
      local found = vim.lsp.get_clients({ bufnr = 0, name = 'countersign' })
      return #found == 1 and found[1].id == client.id, found
    end)
  end)
end
