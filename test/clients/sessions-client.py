"""A web app's backend on aiohttp: switches a session's model, then prints the last week's history of that model.

Usage: sessions-client.py BASE_URL TOKEN SESSION_ID MODEL

Prints two lines of JSON. The time it asks for has microseconds and no zone.
"""
import asyncio
import json
import sys
from datetime import datetime, timedelta, timezone

import aiohttp


async def main(base_url, token, session_id, model):
    headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
    a_week_ago = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(days=7)
    params = {"page": 1, "page_size": 10, "start_date": a_week_ago.isoformat(), "model": model}
    async with aiohttp.ClientSession() as session:
        data = {"session_id": int(session_id), "model": model}
        async with session.post(base_url + "/v1/chat/switch-model", json=data, headers=headers) as response:
            print(json.dumps(await response.json()))
        async with session.get(base_url + "/v1/chat/history", params=params, headers=headers) as response:
            print(json.dumps(await response.json()))


asyncio.run(main(*sys.argv[1:]))
