"""What the conventions page shows for Python, but for the address."""

import base64
import os

import requests

credentials = base64.b64encode(
    f"{os.environ['BENTO_PUBLISHABLE_KEY']}:{os.environ['BENTO_SECRET_KEY']}".encode()
).decode()
answer = requests.post(
    f"{os.environ['BENTO_BASE_URL']}/batch/events?site_uuid={os.environ['BENTO_SITE_UUID']}",
    headers={
        "Authorization": f"Basic {credentials}",
        "User-Agent": "AcmeCRM/1.0",
        "Content-Type": "application/json",
    },
    json={"events": [{"type": "$signed_up", "email": "person@example.com"}]},
    timeout=10,
)
print(answer.status_code, answer.text)
