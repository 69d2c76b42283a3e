-- wrk script: sends of about 1 KB with a fresh key each and polls of finished jobs, in turn.
-- SIM_JOBS names a file with one job path a line. No response callback: it would cost wrk more
-- than the simulator takes to answer, and the simulator would be measured waiting.
local head = "Host: 127.0.0.1\r\nAuthorization: Basic c2ltLWNsaWVudDpzaW0tc2VjcmV0\r\n" ..
  "X-Rutter-Version: 2024-08-31\r\n"
local send_head = "POST /versioned/products?access_token=11111111-2222-4333-8444-555555555555 HTTP/1.1\r\n" ..
  head .. "Content-Type: application/json\r\nIdempotency-Key: bench-"
local pad = string.rep("x", 910)
local polls = {}
local number = 0

function init()
  for line in io.lines(os.getenv("SIM_JOBS")) do
    polls[#polls + 1] = "GET " .. line .. " HTTP/1.1\r\n" .. head .. "\r\n"
  end
end

function request()
  number = number + 1
  if number % 2 == 0 then
    return polls[number / 2 % #polls + 1]
  end
  local name = 1000000 + number
  return send_head .. name .. "\r\nContent-Length: 1024\r\n\r\n" ..
    '{"response_mode":"async","product":{"name":"' .. name .. '","description":"' .. pad ..
    '","variants":[{"sku":"S1","price":12.34}]}}' .. "   "
end
