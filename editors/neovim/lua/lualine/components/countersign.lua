--- A component for lualine: `lualine_x = { 'countersign' }`.

local component = require('lualine.component'):extend()

local status = require('countersign.status')

function component:init(options)
  options.color = options.color or function()
    return status.highlight()
  end
  component.super.init(self, options)
end

function component.update_status()
  return status.line()
end

return component
