-- wrk script: half sends of about 1 KB with a fresh key each, half polls of the job just made.
-- Environment: none. Run it through bench/run.sh.
local token = "11111111-2222-4333-8444-555555555555"
local pad = string.rep("x", 760)
local number = 0
local thread_number = 0
local urls = {}
local head = {
  ["Authorization"] = "Basic c2ltLWNsaWVudDpzaW0tc2VjcmV0",
  ["X-Rutter-Version"] = "2024-08-31",
  ["Content-Type"] = "application/json",
}

function setup(thread)
  thread:set("thread_number", thread_number)
  thread_number = thread_number + 1
end

function request()
  local url = table.remove(urls)
  if url then
    return wrk.format("GET", url, head)
  end
  number = number + 1
  local name = string.format("%d-%d", thread_number, number)
  head["Idempotency-Key"] = "bench-" .. name
  local body = '{"response_mode":"async","product":{"name":"' .. name .. '","description":"' .. pad ..
    '","variants":[{"sku":"S-' .. name .. '","price":12.34,"option_values":[]}],"images":[]}}'
  local text = wrk.format("POST", "/versioned/products?access_token=" .. token, head, body)
  head["Idempotency-Key"] = nil
  return text
end

function response(status, headers, body)
  local path = string.match(body, '"response_url":"https?://[^/]+([^"]+)"')
  if path then
    urls[#urls + 1] = path
  end
end
