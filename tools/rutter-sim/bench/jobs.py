"""Makes 100 jobs at the address given and prints the path of each."""
import json
import sys
import urllib.request

body = {
    "response_mode": "async",
    "product": {"name": "a", "description": "x" * 900, "variants": [{"sku": "S1", "price": 12.34}]},
}
for number in range(100):
    request = urllib.request.Request(
        sys.argv[1] + "/versioned/products?access_token=11111111-2222-4333-8444-555555555555",
        json.dumps(body).encode(),
        {
            "Authorization": "Basic c2ltLWNsaWVudDpzaW0tc2VjcmV0",
            "X-Rutter-Version": "2024-08-31",
            "Content-Type": "application/json",
            "Idempotency-Key": f"job-{number}",
        },
    )
    with urllib.request.urlopen(request) as answer:
        print("/versioned/jobs/" + answer.headers["X-Rutter-Job-ID"])
