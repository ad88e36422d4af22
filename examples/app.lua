-- A Lua function: Hatchery calls it for each request, in a virtual machine of its own.
-- hatchery serve examples/app.lua
local count = 0

local function greeting(name)
  return "Hello, " .. (name ~= "" and name or "world") .. "!\n"
end

return function(request)
  count = count + 1
  if request.path ~= "/" then
    return { status = 404, body = "there is only /\n" }
  end
  print(request.method, request.path)
  return {
    status = 200,
    headers = {
      ["content-type"] = "text/plain; charset=utf-8",
      -- Always 1: what a request changes is gone with its virtual machine.
      ["x-count"] = count,
    },
    body = greeting(request.query:match("name=([^&]*)") or "") .. request.body,
  }
end
