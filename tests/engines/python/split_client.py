"""Posts with http.client, head and body in separate writes, twice on one connection: split_client.py PORT JSON."""
import http.client
import sys
import time

port, body = int(sys.argv[1]), sys.argv[2].encode()
connection = http.client.HTTPConnection("127.0.0.1", port, timeout=8)
for _ in range(2):
    connection.putrequest("POST", "/api/v1/cmd")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    half = len(body) // 2
    for part in (body[:half], body[half:]):
        time.sleep(0.05)
        connection.send(part)
    answer = connection.getresponse()
    print(answer.status, answer.read().decode().replace("\n", ""))
